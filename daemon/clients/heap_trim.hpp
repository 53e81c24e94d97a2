/// When memory that nobody needs any more is given back to the system: some time after many
/// sessions have gone or many connections have turned out what they are, or after work that needed
/// much memory. Not at once, for it takes
/// milliseconds, and sessions often go together.
#pragma once

#include <cstddef>
#include <functional>

#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"

namespace chatd {

class HeapTrim {
 public:
  /// `give_back` gives back what is kept for later, before the heap is trimmed.
  HeapTrim(io::Loop& loop, std::function<void()> give_back);

  /// A session has gone, or something else that had about as much memory; when a thousand have,
  /// memory is given back soon.
  void session_gone() { freed(1); }
  /// A handshake of TLS is over, which takes about as much as a hundred sessions.
  void handshake_over() { freed(kHandshake); }
  void soon();

 private:
  static constexpr std::size_t kHandshake = 100;

  void freed(std::size_t sessions);
  void trim();

  std::function<void()> give_back_;
  std::size_t freed_ = 0;  ///< since the last one
  io::Timer timer_;
};

}  // namespace chatd
