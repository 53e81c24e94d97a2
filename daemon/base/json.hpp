/// JSON as it is written by hand where every message passes: values appended to a string,
/// without a tree and without an allocation of their own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace chatd {

/// Appends `text` as a JSON string with its quotes; see append_json() of base/text.hpp for
/// what is escaped.
void append_json_string(std::string& out, std::string_view text);

/// Appends `number` in decimal digits.
void append_number(std::string& out, std::uint64_t number);

/// Appends ids as a JSON array.
void append_json_ids(std::string& out, std::span<const std::uint64_t> ids);

}  // namespace chatd
