#include "io/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "base/bytes.hpp"
#include "io/farewell.hpp"

namespace chatd::io {
namespace {

/// Payloads in one system call.
constexpr std::size_t kSendParts = 64;
/// Several small payloads are copied together first: one part is less work for the kernel
/// than many.
constexpr std::size_t kCopiedBytes = 4096;
/// Whether the descriptor is non-blocking is not ours to say.
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

}  // namespace

Events Connection::wanted() const {
  Events wanted = kNothing;
  if (is_reading() && reading != ReadingTime::kLater) wanted |= kReadable;
  if (blocked) wanted |= kWritable;
  // After the peer's end of file there is nothing to read, but it may still go away, and so may
  // the peer of a paused stream. That is a hang-up once only: a unix peer that wrote and left
  // hangs up for as long as it has not been read.
  // After both ends of file it is a hang-up for ever.
  if (wanted == kNothing && state != State::kLingering && (ended || !hung_up)) wanted = kHangUp;
  return wanted;
}

bool Connection::is_readable() const {
  pollfd ask{socket.get(), POLLIN, 0};
  return ::poll(&ask, 1, 0) == 1;
}

void Connection::cut_off() const {
  struct linger at_once {};
  at_once.l_onoff = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool Connection::has_failed() const {
  pollfd ask{socket.get(), 0, 0};
  return ::poll(&ask, 1, 0) == 1 && (ask.revents & POLLERR) != 0;
}

int Connection::hang_up_error() const {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error != 0 ? error : EPIPE;
}

std::size_t Connection::send() {
  assert(exists() && send_error == 0);
  std::array<iovec, kSendParts> parts;
  std::size_t total = 0;
  while (!queue.empty()) {
    std::size_t count = queue.gather(parts);
    std::array<char, kCopiedBytes> copied;
    if (count > 1 && queue.bytes() <= copied.size()) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; size += parts[i++].iov_len) {
        std::memcpy(&copied[size], parts[i].iov_base, parts[i].iov_len);
      }
      parts[0] = {copied.data(), size};
      count = 1;
    }
    ssize_t sent = 0;
    if (count == 1) {
      sent = ::send(socket.get(), parts[0].iov_base, parts[0].iov_len, kSendFlags);
    } else {
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = count;
      sent = ::sendmsg(socket.get(), &message, kSendFlags);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        blocked = true;
      } else {
        blocked = false;
        send_error = static_cast<std::uint8_t>(errno);
      }
      break;
    }
    const auto taken = static_cast<std::size_t>(sent);
    std::size_t given = 0;
    for (std::size_t i = 0; i < count; ++i) given += parts[i].iov_len;
    total += taken;
    if (const auto behind = queue.consume(taken)) {
      weighty = true;
      weighty_bits = static_cast<std::uint32_t>(sent_bytes + total - *behind);
    }
    if (taken < given) {
      blocked = true;
      break;
    }
  }
  sent_bytes += total;
  used = used || total > 0;
  if (queue.empty()) blocked = false;
  return total;
}

std::int64_t Connection::weighty_end() const {
  if (!weighty) return Farewell::kNowhere;
  const auto behind = static_cast<std::uint32_t>(sent_bytes) - weighty_bits;
  return static_cast<std::int64_t>(sent_bytes) - static_cast<std::int64_t>(behind);
}

void Connection::restore_weighty_end(std::uint32_t behind) {
  weighty = true;
  weighty_bits = static_cast<std::uint32_t>(sent_bytes) - behind;
}

void Connection::save(ByteWriter& out, Duration linger_left) const {
  std::uint64_t payloads = 0;
  queue.each([&](const Payload&, std::string_view) { ++payloads; });
  out.number(payloads);
  queue.each([&](const Payload& payload, std::string_view rest) {
    if (rest.size() == payload.size()) {
      out.payload(payload);
    } else {
      out.payload(rest, payload.weight());
    }
  });
  out.number(static_cast<std::uint32_t>(linger_left.count()));
  out.flag(is_closing());
  out.flag(state == State::kLingering);
  out.flag(paused);
  out.flag(ended);
  out.flag(weighty);
  out.number(static_cast<std::uint32_t>(sent_bytes) - weighty_bits);
}

}  // namespace chatd::io
