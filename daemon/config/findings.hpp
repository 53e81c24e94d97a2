/// What is found while a configuration is read: its faults, and where each value was set. Knows
/// the names of all keys, so that it can say which one was meant.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "config/fault.hpp"
#include "config/toml_document.hpp"

namespace chatd {

/// Where a value was set, for its origin and for faults that concern several.
struct Place {
  std::string origin;
  std::string source;
  Position where;
  std::string name;  ///< as Fault::key
};

struct Findings {
  std::string file;  ///< the one that is read
  Faults faults;
  std::map<std::string, Place> places;  ///< of each key that was set, by the names of Origins
  std::set<std::string> faulty;         ///< keys whose values could not be read

  void add(Position where, std::string key, std::string what);
  void add(const Place& place, std::string what);
  [[nodiscard]] Place in_file(Position where, std::string name) const;

  /// `member` is no key of that section, which has these.
  void unknown_key(std::string_view section, const TomlNode& member,
                   std::span<const std::string_view> siblings);
};

/// The name of a key as it is shown: in quotation marks if TOML wants them.
[[nodiscard]] std::string shown_name(std::string_view name);

/// "session.settle" for "settle"; empty if no section has such a key, or several.
[[nodiscard]] std::string home_of(std::string_view name);

}  // namespace chatd
