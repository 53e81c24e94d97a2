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
  /// Opens or makes the file and locks it; numbers that cannot be are not read. Errors:
  /// another process has it; what the system says.
  [[nodiscard]] static Result<Numbers> open(const std::string& path);
  Numbers() = default;
  Numbers(Numbers&& other) noexcept
      : file_{std::move(other.file_)}, seq_{other.seq_}, session_{other.session_} {}
  Numbers& operator=(Numbers&& other) noexcept {
    file_ = std::move(other.file_);
    seq_ = other.seq_;
    session_ = other.session_;
    return *this;
  }
  ~Numbers() = default;

  /// Up to here they may have been used.
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] std::uint64_t session() const { return session_; }

  /// To be called with every number before anybody sees it.
  void use_seq(std::uint64_t seq) {
    if (seq > seq_) reserve(seq + kEventStep, session_);
    assert(seq <= seq_);
  }
  void use_session(std::uint64_t session) {
    if (session > session_) reserve(seq_, session + kSessionStep);
    assert(session <= session_);
  }
  /// These are the last ones that were used: the next process leaves none out. For a clean
  /// end. Never waits for the disk.
  void close_gap(std::uint64_t seq, std::uint64_t session);

  /// Makes what was reserved outlive a power failure. Any thread; may wait for the disk.
  void sync();

 private:
  bool write(std::uint64_t seq, std::uint64_t session);
  void reserve(std::uint64_t seq, std::uint64_t session);

  UniqueFd file_;
  std::uint64_t seq_ = 0;
  std::uint64_t session_ = 0;
  std::atomic<bool> unsynced_{false};
};

}  // namespace chatd::store
