/// What a TCP peer has not answered yet, as the kernel knows it. Knows no stream and no
/// deadline.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace chatd::io {

struct Unanswered {
  /// Bytes for the peer are on their way, or wait in the kernel.
  bool anything;
  /// The peer has room for some of them. One that does not read has none.
  bool has_room;
  Duration silence;  ///< since anything came from the peer, if only an acknowledgement
};

/// Nothing if `socket` is not TCP.
[[nodiscard]] std::optional<Unanswered> unanswered(int socket);

}  // namespace chatd::io
