#include "core/names_in_use.hpp"

#include <cassert>

#include "base/names.hpp"

namespace chatd::core {

namespace {

/// So many numbers are tried: a connect must not become dear where many come from one network.
constexpr unsigned kNumbersTried = 64;

}  // namespace

SessionId NamesInUse::holder(std::string_view name) const {
  if (name.empty() || holders_.empty()) return 0;
  const auto [first, last] = holders_.equal_range(look_of(name));
  SessionId lowest = 0;
  for (auto each = first; each != last; ++each) {
    if (lowest == 0 || each->second < lowest) lowest = each->second;
  }
  return lowest;
}

void NamesInUse::add(std::string_view name, SessionId session) {
  assert(session != 0);
  if (!name.empty()) holders_.emplace(look_of(name), session);
}

void NamesInUse::remove(std::string_view name, SessionId session) {
  if (name.empty()) return;
  const auto [first, last] = holders_.equal_range(look_of(name));
  for (auto each = first; each != last; ++each) {
    if (each->second != session) continue;
    holders_.erase(each);
    return;
  }
}

std::string NamesInUse::free_name(std::string_view wish, SessionId session) const {
  if (holder(wish) == 0) return std::string{wish};
  const auto numbered = [wish](std::uint64_t number) {
    return std::string{wish} + '-' + std::to_string(number);
  };
  for (unsigned number = 2; number < 2 + kNumbersTried; ++number) {
    if (auto name = numbered(number); holder(name) == 0) return name;
  }
  auto name = numbered(session);
  return holder(name) == 0 ? name : std::string{};
}

}  // namespace chatd::core
