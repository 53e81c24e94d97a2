/// Single values of the configuration: from a TOML file, from the environment, and back to
/// TOML. All that it knows of a key is its KeyRule. Invariant: read_value() reads what
/// to_toml() writes as the same value.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/keys.hpp"
#include "config/toml_document.hpp"

namespace chatd {

/// A value as it stands in a file. The error says what is wrong and what would be
/// right.
Result<ConfigValue, Error> read_value(const KeyRule& rule, const TomlNode& node);

/// The same for a value from the environment: bare, without quotation marks.
Result<ConfigValue, Error> read_value(const KeyRule& rule, std::string_view text);

/// The value as TOML.
[[nodiscard]] std::string to_toml(const KeyRule& rule, const ConfigValue& value);

/// `text` as a TOML string on one line, in quotation marks. Characters that could deceive a
/// terminal are written as escapes.
[[nodiscard]] std::string to_toml(std::string_view text);

}  // namespace chatd
