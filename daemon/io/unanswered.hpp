/// What a TCP peer has not answered yet. Keepalive asks only a peer that owes nothing
/// whether it is still there; with one that does, the kernel has a quarter of an hour of
/// patience. Knows no stream and no deadline.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace chatd::io {

struct Unanswered {
  /// Bytes for it are on their way, or wait in the kernel.
  bool anything;
  /// It can take some: else it is a peer that does not read, and is asked for room by the
  /// kernel more and more rarely, at last once in two minutes.
  bool has_room;
  Duration silence;  ///< since anything came from it, if only an acknowledgement
};

/// Nothing if `socket` is not TCP.
[[nodiscard]] std::optional<Unanswered> unanswered(int socket);

}  // namespace chatd::io
