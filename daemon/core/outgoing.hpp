/// One operator's message on its way to any number of clients: encoded once for
/// each dialect, when the first client of that dialect needs it, and shared. And the form of what
/// is written to a `web` client.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/payload.hpp"
#include "core/framer.hpp"

namespace chatd::core {

class Outgoing {
 public:
  /// `text` is well-formed UTF-8. `weight`: 1, or 0 if no operator has said it. `author`: the
  /// operator; empty where nobody in particular says it. Both stay with the caller until this is
  /// gone.
  explicit Outgoing(std::string_view text, std::uint32_t weight = 1, std::string_view author = {})
      : text_{text}, author_{author}, weight_{weight} {}

  [[nodiscard]] std::string_view text() const { return text_; }

  /// The bytes for a client: for `original` and `raw` the text as it is, for `line` (and a client
  /// that is undecided) with an LF at the end, for `telnet` with CR LF for each LF and at the end,
  /// for `websocket` in one frame, for `web` see WebText.
  const Payload& as(Dialect dialect);

 private:
  Payload& place_of(Dialect dialect);

  std::string_view text_;
  std::string_view author_;
  std::uint32_t weight_;
  Payload as_it_is_;
  Payload line_;
  Payload telnet_;
  Payload websocket_;
  Payload web_;
};

/// The encoding that Outgoing shares, for bytes that go to one client alone. The
/// weight is the number of operators' messages that it stands for.
Payload encode(std::string_view text, Dialect dialect, std::uint32_t weight = 1,
               std::string_view author = {});

/// What a payload for a `web` client says: it is AUTHOR NUL TEXT. The name of an operator has no
/// NUL; the text may.
struct WebText {
  std::string_view author;  ///< the operator; empty where nobody in particular says it
  std::string_view text;    ///< well-formed UTF-8
};

/// `payload` was written to a client that is `web`. Both are parts of it.
[[nodiscard]] WebText web_text(std::string_view payload);

}  // namespace chatd::core
