/// What a stream with a cipher has besides its Connection. The connection's own queue has what is
/// sealed already: records of a cipher have numbers, so none of it can be taken back.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "io/send_queue.hpp"
#include "io/stream_cipher.hpp"

namespace chatd::io {

struct Sealed {
  /// So much text is sealed at once: a record of TLS (RFC 8446, 5.1), and no more than the kernel
  /// usually takes, for what is sealed cannot be discarded.
  static constexpr std::size_t kAtOnce = 16384;
  /// A peer that has so many bytes to read, and makes the cipher answer all the same, is given up:
  /// nothing else limits answers.
  static constexpr std::size_t kMostUnread = 65536;

  std::unique_ptr<StreamCipher> cipher;
  SendQueue text;  ///< waits to be sealed

  /// Seals at most `most` bytes of what waits. Of a payload that is sealed in parts the last one
  /// has its weight. Empty if nothing waits, or nothing can be sealed.
  [[nodiscard]] Payload seal(std::size_t most) {
    if (text.empty() || !cipher->can_seal()) return {};
    std::string gathered;
    std::string_view plain;  // one payload is not copied
    std::uint32_t weight = 0;
    text.each_while([&](const Payload& payload, std::string_view rest) {
      const auto part = rest.substr(0, most - plain.size());
      if (part.size() == rest.size()) weight += payload.weight();
      if (plain.empty()) {
        plain = part;
      } else {
        if (gathered.empty()) gathered = plain;
        gathered += part;
        plain = gathered;
      }
      return plain.size() < most;
    });
    std::string bytes;
    cipher->seal(plain, bytes);
    (void)text.consume(plain.size());
    return Payload{bytes, weight};
  }
};

}  // namespace chatd::io
