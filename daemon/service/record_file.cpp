#include "service/record_file.hpp"

#include <fcntl.h>
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

/// Two halves: one is written while the other is in force. So is the log begun anew.
struct RecordFile::Record {
  struct Half {
    std::uint32_t size;
    std::uint64_t sum;
    std::array<char, kMaxRecord> bytes;
  };

  /// 0: none, else 1 + the number of the half in force.
  std::uint32_t in_force;
  std::uint32_t log_in_force;
  std::array<std::uint32_t, 2> log_sizes;
  std::array<Half, 2> halves;
};

/// What stands before the bytes of each part of a log.
struct RecordFile::Part {
  std::uint64_t sum;
  std::uint64_t size;
};

namespace {

constexpr std::size_t kRecordPages = 12288;
/// From one place to the next: a record, and the two halves of a log, which begin on pages.
constexpr std::size_t kStride = kRecordPages + 2 * RecordFile::kMaxLog;
static_assert(kRecordPages % kPage == 0 && RecordFile::kMaxLog % kPage == 0);

constexpr std::size_t size_of(std::size_t places) {
  return kPage + places * kStride;
}

}  // namespace

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
  if (memory_ != nullptr) ::munmap(memory_, size_of(places_));
}

Result<RecordFile> RecordFile::map(UniqueFd file, std::size_t places) {
  void* memory =
      ::mmap(nullptr, size_of(places), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return Error::from_errno("map a file in memory", errno);
  // Most of it are holes, which reading would fill.
  (void)::madvise(memory, size_of(places), MADV_DONTDUMP);
  return RecordFile{std::move(file), memory, places};
}

Result<RecordFile> RecordFile::make(std::size_t places) {
  assert(places <= kMostPlaces);
  UniqueFd file{::memfd_create("chatd-records", MFD_CLOEXEC)};
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(size_of(places))) != 0) {
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
  if (head.places > kMostPlaces || found.st_size != static_cast<off_t>(size_of(head.places))) {
    return Error{"they are damaged"};
  }
  return map(std::move(file), head.places);
}

RecordFile::Record& RecordFile::at(std::size_t place) const {
  assert(place < places_);
  static_assert(sizeof(Record) <= kRecordPages);
  return *reinterpret_cast<Record*>(static_cast<char*>(memory_) + kPage + place * kStride);
}

bool RecordFile::write(std::size_t place, std::string_view record) {
  Record& at_place = at(place);
  if (record.size() > kMaxRecord) {
    std::atomic_ref{at_place.in_force}.store(0, std::memory_order_release);
    return false;
  }
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
  Record& record = at(place);
  std::atomic_ref{record.in_force}.store(0, std::memory_order_release);
  std::atomic_ref{record.log_in_force}.store(0, std::memory_order_release);
  free_log(place, 0);
  free_log(place, 1);
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

// ---- logs ----

char* RecordFile::log_at(std::size_t place, std::size_t half) const {
  return reinterpret_cast<char*>(&at(place)) + kRecordPages + half * kMaxLog;
}

void RecordFile::put_part(std::size_t place, std::size_t half, std::size_t behind,
                          std::string_view bytes) {
  const Part part{checksum(bytes), bytes.size()};
  static_assert(sizeof part == kPartHead);
  char* const begin = log_at(place, half) + behind;
  std::memcpy(begin, &part, sizeof part);
  if (!bytes.empty()) std::memcpy(begin + sizeof part, bytes.data(), bytes.size());
  std::atomic_ref{at(place).log_sizes[half]}.store(
      static_cast<std::uint32_t>(behind + sizeof part + bytes.size()), std::memory_order_release);
}

/// Its memory, too. If the kernel does not take that back it stays until it is written to again.
void RecordFile::free_log(std::size_t place, std::size_t half) {
  std::uint32_t& size = at(place).log_sizes[half];
  if (size == 0) return;
  size = 0;
  const auto begin = log_at(place, half) - static_cast<char*>(memory_);
  (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, kMaxLog);
}

void RecordFile::begin_log(std::size_t place, std::string_view bytes) {
  assert(kPartHead + bytes.size() <= kMaxLog);
  std::atomic_ref in_force{at(place).log_in_force};
  const std::uint32_t next = in_force.load(std::memory_order_relaxed) == 1 ? 1 : 0;
  put_part(place, next, 0, bytes);
  in_force.store(next + 1, std::memory_order_release);
  free_log(place, 1 - next);
}

bool RecordFile::append_log(std::size_t place, std::string_view bytes) {
  const auto in_force = at(place).log_in_force;
  assert(in_force == 1 || in_force == 2);
  const auto size = at(place).log_sizes[in_force - 1];
  if (size + kPartHead + bytes.size() > kMaxLog) return false;
  put_part(place, in_force - 1, size, bytes);
  return true;
}

std::size_t RecordFile::log_size(std::size_t place) const {
  const Record& record = at(place);
  if (record.log_in_force != 1 && record.log_in_force != 2) return 0;
  return record.log_sizes[record.log_in_force - 1];
}

std::optional<std::string> RecordFile::read_log(std::size_t place) const {
  const auto size = log_size(place);
  if (size == 0 || size > kMaxLog) return std::nullopt;
  std::string_view rest{log_at(place, at(place).log_in_force - 1), size};
  std::string all;
  while (!rest.empty()) {
    Part part{};
    if (rest.size() < sizeof part) return std::nullopt;
    std::memcpy(&part, rest.data(), sizeof part);
    rest.remove_prefix(sizeof part);
    if (part.size > rest.size()) return std::nullopt;
    const auto bytes = rest.substr(0, static_cast<std::size_t>(part.size));
    if (checksum(bytes) != part.sum) return std::nullopt;
    all += bytes;
    rest.remove_prefix(bytes.size());
  }
  return all;
}

}  // namespace chatd::service
