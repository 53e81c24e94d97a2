#include "service/record_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "service/handover.hpp"

namespace chatd::service {

namespace {

constexpr std::array<char, 8> kMagic{'c', 'h', 'a', 't', 'd', 'r', 'e', 'c'};
constexpr std::size_t kMostPlaces = 65536;
constexpr std::size_t kPage = 4096;

/// Eight bytes at a time: it is made for every record that is written.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = 0x9e3779b97f4a7c15U + bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const auto size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    bytes.remove_prefix(size);
    sum = (sum ^ word) * 0xff51afd7ed558ccdU;
    sum ^= sum >> 32U;
  }
  return sum;
}

}  // namespace

struct RecordFile::Head {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t places;
};

/// Two halves: one is written while the other is in force.
struct RecordFile::Record {
  struct Half {
    std::uint32_t size;
    std::uint64_t sum;
    std::array<char, kMaxRecord> bytes;
  };

  /// 0: none, else 1 + the number of the half in force.
  std::uint32_t in_force;
  std::array<Half, 2> halves;
};

RecordFile::RecordFile(RecordFile&& other) noexcept
    : file_{std::move(other.file_)},
      memory_{std::exchange(other.memory_, nullptr)},
      places_{other.places_} {}

RecordFile& RecordFile::operator=(RecordFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(memory_, other.memory_);
  std::swap(places_, other.places_);
  return *this;
}

RecordFile::~RecordFile() {
  if (memory_ != nullptr) ::munmap(memory_, kPage + places_ * sizeof(Record));
}

Result<RecordFile> RecordFile::map(UniqueFd file, std::size_t places) {
  void* memory = ::mmap(nullptr, kPage + places * sizeof(Record), PROT_READ | PROT_WRITE,
                        MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return Error::from_errno("map a file in memory", errno);
  return RecordFile{std::move(file), memory, places};
}

Result<RecordFile> RecordFile::make(std::size_t places) {
  assert(places <= kMostPlaces);
  UniqueFd file{::memfd_create("chatd-records", MFD_CLOEXEC)};
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(kPage + places * sizeof(Record))) != 0) {
    return Error::from_errno("make a file in memory", errno);
  }
  auto made = map(std::move(file), places);
  if (made) {
    const Head head{kMagic, kSavedVersion, static_cast<std::uint32_t>(places)};
    std::memcpy(made->memory_, &head, sizeof head);
  }
  return made;
}

Result<RecordFile> RecordFile::open(UniqueFd file) {
  Head head{};
  struct stat found {};
  if (::pread(file.get(), &head, sizeof head, 0) != sizeof head || head.magic != kMagic ||
      ::fstat(file.get(), &found) != 0) {
    return Error{"these are no records of a chatd"};
  }
  if (head.version != kSavedVersion) {
    return Error{"they are of version " + std::to_string(head.version) +
                 ", and this chatd reads version " + std::to_string(kSavedVersion)};
  }
  if (head.places > kMostPlaces ||
      found.st_size != static_cast<off_t>(kPage + head.places * sizeof(Record))) {
    return Error{"they are damaged"};
  }
  return map(std::move(file), head.places);
}

RecordFile::Record& RecordFile::at(std::size_t place) const {
  assert(place < places_);
  return reinterpret_cast<Record*>(static_cast<char*>(memory_) + kPage)[place];
}

bool RecordFile::write(std::size_t place, std::string_view record) {
  if (record.size() > kMaxRecord) {
    clear(place);
    return false;
  }
  Record& at_place = at(place);
  std::atomic_ref in_force{at_place.in_force};
  const std::uint32_t next = in_force.load(std::memory_order_relaxed) == 1 ? 1 : 0;
  Record::Half& half = at_place.halves[next];
  half.size = static_cast<std::uint32_t>(record.size());
  half.sum = checksum(record);
  std::memcpy(half.bytes.data(), record.data(), record.size());
  in_force.store(next + 1, std::memory_order_release);
  return true;
}

void RecordFile::clear(std::size_t place) {
  std::atomic_ref{at(place).in_force}.store(0, std::memory_order_release);
}

std::optional<std::string> RecordFile::read(std::size_t place) const {
  const Record& record = at(place);
  if (record.in_force != 1 && record.in_force != 2) return std::nullopt;
  const auto& half = record.halves[record.in_force - 1];
  if (half.size > kMaxRecord) return std::nullopt;
  std::string bytes{half.bytes.data(), half.size};
  if (checksum(bytes) != half.sum) return std::nullopt;
  return bytes;
}

}  // namespace chatd::service
