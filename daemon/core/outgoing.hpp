/// One operator's message on its way to any number of clients: encoded once for
/// each dialect, when the first client of that dialect needs it, and shared.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/payload.hpp"
#include "core/framer.hpp"

namespace chatd::core {

class Outgoing {
 public:
  /// `text` is well-formed UTF-8 and stays with the caller until this is gone. `weight`: 1, or 0
  /// if no operator has said it.
  explicit Outgoing(std::string_view text, std::uint32_t weight = 1)
      : text_{text}, weight_{weight} {}

  [[nodiscard]] std::string_view text() const { return text_; }

  /// The bytes for a client: for `original` and `raw` the text as it is, for `line` (and a client
  /// that is undecided) with an LF at the end, for `telnet` with CR LF for each LF and at the end.
  const Payload& as(Dialect dialect);

 private:
  std::string_view text_;
  std::uint32_t weight_;
  Payload as_it_is_;
  Payload line_;
  Payload telnet_;
};

/// The encoding that Outgoing shares, for bytes that go to one client alone. The
/// weight is the number of operators' messages that it stands for.
Payload encode(std::string_view text, Dialect dialect, std::uint32_t weight = 1);

}  // namespace chatd::core
