/// The numbers of events and of sessions, which are never used again. They are
/// reserved in steps, in a small file beside the database, before they are used: after
/// a crash they go on from the last reserved ones. The file is also the lock that keeps
/// two daemons from one database. Reserving is one write into the page cache, once in
/// so many numbers; it does not fail on a full disk, for the file never grows.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::store {

/// At most so many numbers are left out after a crash.
inline constexpr std::uint64_t kEventStep = 1000;
inline constexpr std::uint64_t kSessionStep = 10;

class Numbers {
 public:
  /// Opens or makes the file, as check_private_file() wants it, and locks it; impossible numbers in
  /// it are ignored. Errors: another process has it; what the system says.
  [[nodiscard]] static Result<Numbers> open(const std::string& path);
  Numbers() = default;
  Numbers(Numbers&& other) noexcept
      : file_{std::move(other.file_)},
        seq_{other.seq_},
        session_{other.session_},
        used_seq_{other.used_seq_},
        used_session_{other.used_session_} {}
  Numbers& operator=(Numbers&& other) noexcept {
    file_ = std::move(other.file_);
    seq_ = other.seq_;
    session_ = other.session_;
    used_seq_ = other.used_seq_;
    used_session_ = other.used_session_;
    return *this;
  }
  ~Numbers() = default;

  /// The highest number that may have been used.
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] std::uint64_t session() const { return session_; }

  /// To be called with every number before anybody sees it.
  void use_seq(std::uint64_t seq) {
    if (seq <= used_seq_) return;
    used_seq_ = seq;
    if (seq > seq_) reserve(seq + kEventStep, session_);
    assert(used_seq_ <= seq_);
  }
  void use_session(std::uint64_t session) {
    if (session <= used_session_) return;
    used_session_ = session;
    if (session > session_) reserve(seq_, session + kSessionStep);
    assert(used_session_ <= session_);
  }
  /// No more numbers are used, and the next process leaves none out. For a clean end; should
  /// another number be used after all, it is reserved again. Never waits for the disk.
  void close_gap();

  /// Makes what was reserved outlive a power failure. Any thread; may wait for the disk.
  void sync();

 private:
  bool write(std::uint64_t seq, std::uint64_t session);
  void reserve(std::uint64_t seq, std::uint64_t session);

  UniqueFd file_;
  std::uint64_t seq_ = 0;
  std::uint64_t session_ = 0;
  std::uint64_t used_seq_ = 0;  // the last ones that were used
  std::uint64_t used_session_ = 0;
  std::atomic<bool> unsynced_{false};
};

}  // namespace chatd::store
