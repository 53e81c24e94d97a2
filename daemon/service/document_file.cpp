#include "service/document_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <string>
#include <utility>

#include "service/handover.hpp"

namespace chatd::service {

Result<DocumentFile> DocumentFile::make() {
  UniqueFd file{::memfd_create("chatd-state", MFD_CLOEXEC)};
  if (!file) return Error::from_errno("make a file in memory", errno);
  return DocumentFile{std::move(file)};
}

void DocumentFile::append(std::string_view bytes) {
  write(size_, bytes);
  size_ += bytes.size();
}

void DocumentFile::overwrite(std::uint64_t place, std::uint64_t number) {
  assert(place + sizeof number <= size_);
  write(place, {reinterpret_cast<const char*>(&number), sizeof number});
}

void DocumentFile::write(std::uint64_t place, std::string_view bytes) {
  place += kEnvelopeBytes;
  while (!bytes.empty() && error_ == 0) {
    const auto count = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      error_ = count == 0 ? EIO : errno;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
    place += static_cast<std::uint64_t>(count);
  }
}

Result<UniqueFd> DocumentFile::finish(std::uint32_t version) {
  if (error_ != 0) return Error::from_errno("write to a file in memory", error_);
  // So that there is something to map even without a body.
  if (::ftruncate(file_.get(), static_cast<off_t>(kEnvelopeBytes + size_)) != 0) {
    return Error::from_errno("write to a file in memory", errno);
  }
  auto whole = MappedDocument::of(file_.get());
  if (!whole) return std::move(whole.error());
  const auto head = envelope(whole->bytes().substr(kEnvelopeBytes), version);
  assert(head.size() == kEnvelopeBytes);
  if (::pwrite(file_.get(), head.data(), head.size(), 0) != static_cast<ssize_t>(head.size())) {
    return Error::from_errno("write to a file in memory", errno);
  }
  return std::move(file_);
}

Result<MappedDocument> MappedDocument::of(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return Error::from_errno("look at it", errno);
  if (found.st_size == 0) return MappedDocument{{}};
  const auto size = static_cast<std::size_t>(found.st_size);
  void* const place = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (place == MAP_FAILED) return Error::from_errno("map it", errno);
  // It may have the secrets of sessions over TLS, and has what people said to each other.
  (void)::madvise(place, size, MADV_DONTDUMP);
  return MappedDocument{{static_cast<const char*>(place), size}};
}

MappedDocument::MappedDocument(MappedDocument&& other) noexcept
    : bytes_{std::exchange(other.bytes_, {})} {}

MappedDocument::~MappedDocument() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

void use_up(int fd) {
  const char nothing = '\0';
  (void)!::pwrite(fd, &nothing, sizeof nothing, 0);
}

}  // namespace chatd::service
