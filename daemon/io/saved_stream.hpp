/// A stream of another process, all but its descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/payload.hpp"
#include "base/time.hpp"

namespace chatd {
class ByteReader;
}

namespace chatd::io {

struct SavedStream {
  std::vector<Payload> queue;
  /// While closing: for how long the peer's end of file is waited for yet. Zero: something is
  /// not acknowledged, and that is waited for first.
  Duration linger_left{0};
  bool closing = false;   ///< close() was called
  bool end_sent = false;  ///< and the end of file is out
  bool paused = false;
  bool ended = false;  ///< the peer's end of file was read
  /// How many bytes the kernel was given behind the last whole payload that has a weight; nothing
  /// if there was none, or if nobody knows.
  std::optional<std::uint32_t> behind_weighty;

  /// Reads what StreamSet::save() wrote. The reader refuses a stream that cannot be.
  static SavedStream read(ByteReader& in);
};

}  // namespace chatd::io
