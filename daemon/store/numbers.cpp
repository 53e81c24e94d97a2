#include "store/numbers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "base/most_number.hpp"
#include "base/private_file.hpp"

namespace chatd::store {

namespace {

/// Whatever bits the mode has, they stay until it is clear whose daemon may use the file.
constexpr mode_t kAnyMode = 07777;
/// Of one size always, so that writing it anew never needs room.
constexpr const char* kFormat = "events %020" PRIu64 " sessions %020" PRIu64 "\n";
constexpr std::size_t kSize = 58;

}  // namespace

Result<Numbers> Numbers::open(const std::string& path) {
  Numbers numbers;
  auto file = open_private_file(path, O_RDWR | O_CREAT, kAnyMode);
  if (!file) return std::move(file.error());
  numbers.file_ = std::move(file->descriptor);
  if (::flock(numbers.file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Error{"another daemon has it", EWOULDBLOCK};
    return Error::from_errno("lock " + path, errno);
  }
  std::array<char, kSize + 1> text{};
  if (::pread(numbers.file_.get(), text.data(), kSize, 0) > 0) {
    std::uint64_t seq = 0;
    std::uint64_t session = 0;
    if (std::sscanf(text.data(), "events %" SCNu64 " sessions %" SCNu64, &seq, &session) == 2 &&
        seq <= kMostNumber && session <= kMostNumber) {
      numbers.seq_ = seq;
      numbers.session_ = session;
    }
  }
  return numbers;
}

bool Numbers::write(std::uint64_t seq, std::uint64_t session) {
  seq_ = seq;
  session_ = session;
  std::array<char, kSize + 1> text{};
  std::snprintf(text.data(), text.size(), kFormat, seq, session);
  return ::pwrite(file_.get(), text.data(), kSize, 0) == static_cast<ssize_t>(kSize);
}

void Numbers::reserve(std::uint64_t seq, std::uint64_t session) {
  // Where even that is refused there is nothing better to do than to go on: the
  // numbers that were recorded are known from the database.
  if (write(seq, session)) unsynced_.store(true, std::memory_order_relaxed);
}

/// After a power failure the disk may still have the higher ones, which does no harm.
void Numbers::close_gap() {
  assert(used_seq_ <= seq_ && used_session_ <= session_);
  (void)write(used_seq_, used_session_);
}

void Numbers::sync() {
  if (unsynced_.exchange(false, std::memory_order_relaxed)) (void)::fdatasync(file_.get());
}

}  // namespace chatd::store
