/// The request that an operator makes for every message, read without a JSON tree:
/// `send` to one session or to "all", in the shape that programs write it. Knows
/// nothing of sessions.
///
/// Invariant: what this reads, rpc::parse() and ask_send() read as the same request. All that
/// is unusual, right or wrong, is left to them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chatd {

struct SendRequest {
  std::string_view id;   ///< a whole number, as JSON
  std::uint64_t to = 0;  ///< a session; 0 if `everyone`
  bool everyone = false;
  std::string_view text;
};

/// The request in `line` (without its LF); its views point into `line`. Nothing means: ask
/// rpc::parse(). That reads escapes in strings, ids that are not whole numbers, lists of
/// sessions, members that are repeated or unknown, and errors.
[[nodiscard]] std::optional<SendRequest> read_send_request(std::string_view line);

}  // namespace chatd
