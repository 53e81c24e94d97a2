#include "service/handover.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/bytes.hpp"
#include "base/environment.hpp"

namespace chatd::service {

namespace {

constexpr std::string_view kMagic = "chatd\r\n\x1a";
/// "PID:DOCUMENT:KEPT:KEPT..."; the pid, so that a child of the process is not misled.
constexpr const char* kVariable = "CHATD_HANDOVER";
/// "CONFIG", a descriptor; also for a program that only checks it.
constexpr const char* kConfigVariable = "CHATD_HANDOVER_CONFIG";

/// CRC-32C, eight bytes at a time: a document has some MiB, and nobody is served while it
/// is written and read.
class Crc {
 public:
  [[nodiscard]] std::uint32_t of(std::string_view bytes) const {
    std::uint32_t sum = ~0U;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      std::uint64_t word = 0;  // in the machine's byte order, like the rest of the document
      std::memcpy(&word, bytes.data(), sizeof word);
      word ^= sum;
      sum = 0;
      for (std::size_t i = 0; i < 8; ++i) sum ^= tables_[7 - i][(word >> (8 * i)) & 0xffU];
    }
    for (const char c : bytes) {
      sum = tables_[0][(sum ^ static_cast<unsigned char>(c)) & 0xffU] ^ (sum >> 8U);
    }
    return ~sum;
  }

 private:
  using Table = std::array<std::uint32_t, 256>;

  static constexpr std::array<Table, 8> make() {
    std::array<Table, 8> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) * 0x82f63b78U);
      made[0][i] = value;
    }
    for (std::size_t table = 1; table < 8; ++table) {
      for (std::size_t i = 0; i < 256; ++i) {
        const std::uint32_t before = made[table - 1][i];
        made[table][i] = made[0][before & 0xffU] ^ (before >> 8U);
      }
    }
    return made;
  }

  std::array<Table, 8> tables_ = make();
};

std::uint32_t checksum(std::string_view bytes) {
  static constexpr Crc kCrc;
  return kCrc.of(bytes);
}

bool set_inherited(int fd, bool inherited) {
  return ::fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC) == 0;
}

bool is_socket(int fd) {
  struct stat found {};
  return ::fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode);
}

}  // namespace

std::string envelope(std::string_view body, std::uint32_t version) {
  ByteWriter head;
  for (const char c : kMagic) head.number(c);
  head.number(version);
  head.number<std::uint64_t>(body.size());
  head.number(checksum(body));
  head.number(checksum(head.bytes()));
  assert(head.bytes().size() == kEnvelopeBytes);
  return head.take();
}

std::string enclose(std::string_view body, std::uint32_t version) {
  return envelope(body, version) + std::string{body};
}

Result<Disclosed> disclose(std::string_view document) {
  if (!document.starts_with(kMagic)) return Error{"it is not the document of a chatd"};
  ByteReader head{document.substr(kMagic.size())};
  const auto version = head.number<std::uint32_t>();
  const auto size = head.number<std::uint64_t>();
  const auto body_sum = head.number<std::uint32_t>();
  const auto head_size = kMagic.size() + sizeof version + sizeof size + sizeof body_sum;
  const auto head_sum = head.number<std::uint32_t>();
  if (!head.ok() || checksum(document.substr(0, head_size)) != head_sum) {
    return Error{"its head is damaged"};
  }
  if (version < kOldestSavedVersion || version > kSavedVersion) {
    return Error{"it is of version " + std::to_string(version) +
                 ", and this chatd reads versions " + std::to_string(kOldestSavedVersion) + " to " +
                 std::to_string(kSavedVersion)};
  }
  const auto body = document.substr(head_size + sizeof head_sum);
  if (body.size() != size || checksum(body) != body_sum) return Error{"it is damaged"};
  return Disclosed{body, version};
}

Result<UniqueFd> make_memory_file(std::string_view document) {
  UniqueFd file{::memfd_create("chatd-state", MFD_CLOEXEC)};
  if (!file) return Error::from_errno("make a file in memory", errno);
  while (!document.empty()) {
    const auto count = ::write(file.get(), document.data(), document.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Error::from_errno("write to a file in memory", errno);
    document.remove_prefix(static_cast<std::size_t>(count));
  }
  return file;
}

Result<std::string> read_once(int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return Error::from_errno("look at it", errno);
  std::string document(static_cast<std::size_t>(found.st_size), '\0');
  std::size_t done = 0;
  while (done < document.size()) {
    const auto count =
        ::pread(fd, document.data() + done, document.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Error::from_errno("read it", count == 0 ? EIO : errno);
    done += static_cast<std::size_t>(count);
  }
  if (::ftruncate(fd, 0) != 0) return Error::from_errno("empty it", errno);
  return document;
}

Error replace_process(const std::string& program, char* const* arguments,
                      const Inherited& inherited) {
  const auto& [document, config, descriptors, kept] = inherited;
  assert(std::all_of(kept.begin(), kept.end(), [&all = inherited.descriptors](int fd) {
    return std::find(all.begin(), all.end(), fd) != all.end();
  }));
  auto value = std::to_string(::getpid()) + ':' + std::to_string(document);
  for (const int fd : kept) value += ':' + std::to_string(fd);
  value += ':' + std::to_string(config);  // for one that knows nothing of it
  bool ready = ::setenv(kVariable, value.c_str(), 1) == 0 &&
               ::setenv(kConfigVariable, std::to_string(config).c_str(), 1) == 0 &&
               set_inherited(document, true) && set_inherited(config, true);
  for (const int fd : descriptors) ready = ready && set_inherited(fd, true);
  if (ready) ::execv(program.c_str(), arguments);
  const int code = errno;
  ::unsetenv(kVariable);
  ::unsetenv(kConfigVariable);
  for (const int fd : descriptors) set_inherited(fd, false);
  set_inherited(document, false);
  set_inherited(config, false);
  return Error::from_errno("run " + program, code);
}

Left take_left() {
  std::vector<int> numbers;
  std::istringstream all{environment(kVariable)};
  for (std::string each; std::getline(all, each, ':');) {
    int number = -1;
    std::from_chars(each.data(), each.data() + each.size(), number);
    numbers.push_back(number);
  }
  ::unsetenv(kVariable);
  if (numbers.size() < 2 || numbers[0] != ::getpid()) return {};
  return {inherit(numbers[1]), {numbers.begin() + 2, numbers.end()}};
}

std::optional<std::string> take_checked_config() {
  const std::string value = environment(kConfigVariable);
  ::unsetenv(kConfigVariable);
  int number = -1;
  std::from_chars(value.data(), value.data() + value.size(), number);
  // What is no file in memory is somebody else's.
  if (::fcntl(number, F_GET_SEALS) < 0) return {};
  const UniqueFd file = inherit(number);
  if (!file) return {};
  auto whole = read_once(file.get());
  if (!whole) return {};
  auto body = disclose(*whole);
  if (!body) return {};
  return std::string{body->body};
}

std::string checked_config_variable(int descriptor) {
  return std::string{kConfigVariable} + '=' + std::to_string(descriptor);
}

UniqueFd inherit(int number) {
  if (number <= STDERR_FILENO || ::fcntl(number, F_GETFD) != 0 || !set_inherited(number, false)) {
    return {};
  }
  return UniqueFd{number};
}

std::vector<UniqueFd> inherit_rest() {
  std::vector<UniqueFd> rest;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return rest;
  while (const dirent* entry = ::readdir(folder)) {
    int fd = -1;
    const std::string_view name{entry->d_name};
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd <= STDERR_FILENO || !is_socket(fd) || ::fcntl(fd, F_GETFD) != 0) continue;
    if (UniqueFd inherited = inherit(fd)) rest.push_back(std::move(inherited));
  }
  ::closedir(folder);
  return rest;
}

}  // namespace chatd::service
