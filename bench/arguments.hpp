/// Numbers on the command lines of the loads.
#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace chatd::bench {

/// All of `text` as a number. Calls `usage`, which ends the program, if it is not one or
/// is null.
template <class Number>
Number number(const char* text, void (*usage)()) {
  const std::string_view digits{text == nullptr ? "" : text};
  Number value = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || rest != digits.data() + digits.size()) usage();
  return value;
}

}  // namespace chatd::bench
