/// Times of the control protocol.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace chatd::console {

/// "2026-11-23T06:50:00.000Z", to the second; nothing if it is no such time.
[[nodiscard]] std::optional<std::time_t> parse_utc(std::string_view rfc3339);

}  // namespace chatd::console
