/// How much of what a stream socket was given its peer has not acknowledged, as the kernel
/// knows it (SIOCOUTQ), and how much waits for us. Knows no stream and no deadline.
///
/// TCP (tcp(7)): the bytes that the peer's kernel has not acknowledged, sent or not. An end
/// of file that was sent counts as one more until it is acknowledged. The count stays as it
/// was when the connection breaks.
///
/// Unix sockets: the kernel's memory for what the peer has not read. That is at least the
/// bytes, and more, for it falls only with each whole piece that is read, up to some 32 KiB.
/// An end of file does not count. It is 0 as soon as the peer has closed its socket, whether it
/// had read everything or not; if it had not, the socket has an error then (ECONNRESET).
#pragma once

#include <cstddef>

namespace chatd::io {

/// 0 exactly if there is nothing. One system call.
[[nodiscard]] std::size_t unacknowledged(int socket);

/// The bytes that have arrived and are not read yet (SIOCINQ). One system call.
[[nodiscard]] std::size_t unread(int socket);

/// Whether unacknowledged() is a number of bytes, and true after a break as well: TCP.
[[nodiscard]] bool counts_bytes(int socket);

}  // namespace chatd::io
