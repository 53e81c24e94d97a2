#include "console/utc_time.hpp"

#include <charconv>

namespace chatd::console {

// Looks only at the digits and the Z.
std::optional<std::time_t> parse_utc(std::string_view rfc3339) {
  if (rfc3339.size() < 20 || rfc3339.back() != 'Z') return std::nullopt;
  const auto field = [&](std::size_t begin, std::size_t length, int& value) {
    const char* from = rfc3339.data() + begin;
    const auto [end, error] = std::from_chars(from, from + length, value);
    return error == std::errc{} && end == from + length;
  };
  std::tm broken{};
  if (!field(0, 4, broken.tm_year) || !field(5, 2, broken.tm_mon) || !field(8, 2, broken.tm_mday) ||
      !field(11, 2, broken.tm_hour) || !field(14, 2, broken.tm_min) ||
      !field(17, 2, broken.tm_sec)) {
    return std::nullopt;
  }
  broken.tm_year -= 1900;
  broken.tm_mon -= 1;
  return ::timegm(&broken);
}

}  // namespace chatd::console
