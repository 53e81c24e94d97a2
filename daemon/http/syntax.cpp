#include "http/syntax.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace chatd::http {
namespace {

constexpr auto kTokenCharacters = [] {
  std::array<bool, 256> good{};
  for (std::size_t c = '0'; c <= '9'; ++c) good[c] = true;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) good[c] = true;
  for (std::size_t c = 'a'; c <= 'z'; ++c) good[c] = true;
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    good[static_cast<std::uint8_t>(c)] = true;
  return good;
}();

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

bool is_token_character(char c) {
  return kTokenCharacters[static_cast<std::uint8_t>(c)];
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

bool is_same_word(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view take_element(std::string_view& list) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto element = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!element.empty()) return element;
  }
  return {};
}

bool list_has(std::string_view list, std::string_view word) {
  for (auto each = take_element(list); !each.empty(); each = take_element(list)) {
    if (is_same_word(each, word)) return true;
  }
  return false;
}

}  // namespace chatd::http
