/// The limits and the version of the control protocol (doc/protocol.md): what both ends
/// of the control socket have to agree on.
#pragma once

#include <cstddef>

namespace chatd {

/// What `hello` answers as "protocol".
inline constexpr int kProtocolVersion = 1;

/// The longest line that the daemon takes, without its LF. A longer one is answered by an
/// error, and the connection ends. What the daemon sends may be longer: lists (of sessions,
/// also of those to whom something was said, of operators, of bans, of what is past), and the
/// replies of a desk.
inline constexpr std::size_t kMaxControlLine = 1024UL * 1024;

/// The longest text of a message: with what stands around it a line stays within
/// kMaxControlLine, unless many of its characters need an escape.
inline constexpr std::size_t kMaxControlText = kMaxControlLine - 4096;

/// An operator for whom more than this waits, and who takes nothing of it, is detached.
inline constexpr std::size_t kMaxControlWaiting = 1024UL * 1024;

/// The largest answer. The longest is the list of all sessions; of what clients say it has little
/// of each (core::Talk::kMostText).
inline constexpr std::size_t kMaxControlAnswer = 64UL * 1024 * 1024;

}  // namespace chatd
