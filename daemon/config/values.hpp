/// Single values of the configuration: from a TOML file, from the environment, and
/// back to TOML. Goes by a key's Rule alone. Invariant: what to_toml() writes,
/// read_value() reads as the same value.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/keys.hpp"
#include "config/toml_document.hpp"

namespace chatd {

/// A value as it stands in a file. The error says what is wrong and what would be
/// right.
Result<Value, Error> read_value(const Rule& rule, const Node& node);

/// The same for a value from the environment: bare, without quotation marks.
Result<Value, Error> read_value(const Rule& rule, std::string_view text);

/// The value as TOML.
[[nodiscard]] std::string to_toml(const Rule& rule, const Value& value);

/// `text` as a TOML string on one line, in quotation marks. What could deceive a
/// terminal is written as an escape.
[[nodiscard]] std::string to_toml(std::string_view text);

}  // namespace chatd
