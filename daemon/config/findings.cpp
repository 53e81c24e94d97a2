#include "config/findings.hpp"

#include <algorithm>
#include <utility>

#include "base/nearest.hpp"
#include "base/text.hpp"
#include "config/keys.hpp"

namespace chatd {

void Findings::add(Position where, std::string key, std::string what) {
  faults.push_back({file, where, std::move(key), std::move(what)});
}

void Findings::add(const Place& place, std::string what) {
  faults.push_back({place.source, place.where, place.name, std::move(what)});
}

Place Findings::in_file(Position where, std::string name) const {
  return {escaped(file) + ':' + std::to_string(where.line), file, where, std::move(name)};
}

void Findings::unknown_key(std::string_view section, const TomlNode& member,
                           std::span<const std::string_view> siblings) {
  std::string what = "unknown key";
  if (const auto near = nearest(member.name, siblings); !near.empty()) {
    what += "; did you mean " + std::string{near} + "?";
  } else if (const std::string home = home_of(member.name); !home.empty()) {
    what += "; " + home + " would be right";
  }
  add(member.key, std::string{section} + '.' + shown_name(member.name), std::move(what));
}

std::string shown_name(std::string_view name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare && name.size() <= 60 ? std::string{name} : in_quotes(name);
}

std::string home_of(std::string_view name) {
  std::string home;
  const auto look_at = [&](const KeyRule& rule) {
    if (rule.name != name) return;
    home = home.empty() ? rule.path() : "several";
  };
  for (const auto& key : config_keys()) look_at(key);
  for (const auto& key : listener_keys()) look_at(key);
  return home == "several" ? std::string{} : home;
}

}  // namespace chatd
