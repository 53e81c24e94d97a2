#include "base/names.hpp"

#include <utf8.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "base/characters.hpp"
#include "base/decomposition.hpp"
#include "base/text.hpp"

namespace chatd {
namespace {

std::u32string characters_of(std::string_view text) {
  std::u32string all;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) all += static_cast<char32_t>(utf8::unchecked::next(at));
  return all;
}

void append_decomposed(std::u32string& out, char32_t c) {
  const Decomposition parts = decompose(c);
  if (parts.letter == c) {
    out += c;
    return;
  }
  append_decomposed(out, parts.letter);
  if (parts.mark != 0) append_decomposed(out, parts.mark);
}

/// What is the same for all names that look the same: letters, each with its marks in the order of
/// their numbers.
std::u32string essence_of(std::string_view name) {
  std::u32string all;
  for (const char32_t c : characters_of(name)) append_decomposed(all, c);
  auto letter = all.begin();
  while (letter != all.end()) {
    const auto marks = std::find_if(letter, all.end(), is_mark);
    letter = std::find_if_not(marks, all.end(), is_mark);
    std::sort(marks, letter);
  }
  return all;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return {};
  if (!is_utf8(name)) return "must not hold bytes that are no text";
  const std::u32string all = characters_of(name);
  const auto has = [&all](auto property) { return std::any_of(all.begin(), all.end(), property); };
  if (has(is_deceptive) || has([](char32_t c) { return c == U'\t'; })) {
    return "must not hold control or invisible characters";
  }
  if (name.find_first_not_of(' ') == std::string_view::npos) return "must not be blank";
  if (has(is_other_blank)) return "must not hold another blank than U+0020";
  if (name.starts_with(' ') || name.ends_with(' ')) return "must not begin or end with a blank";
  if (name.find("  ") != std::string_view::npos) return "must not hold two blanks in a row";
  const auto on_blank = std::adjacent_find(
      all.begin(), all.end(), [](char32_t a, char32_t b) { return a == U' ' && is_mark(b); });
  // What else is escaped is a mark.
  if (on_blank != all.end() || escaped(name) != name) {
    return "must not hold a mark without a letter, nor more than 8 marks on one";
  }
  return {};
}

std::string_view fault_of_client_name(std::string_view name) {
  if (name.empty()) return {};
  if (name.find_first_not_of("0123456789") == std::string_view::npos) {
    return "must not be a number: that is the id of a session";
  }
  if (name == "all") return "must not be \"all\", which means every client";
  return fault_of_name(name);
}

bool is_same_name(std::string_view one, std::string_view other) {
  if (one == other) return true;
  if (is_ascii(one) && is_ascii(other)) return false;
  return essence_of(one) == essence_of(other);
}

std::string look_of(std::string_view name) {
  if (is_ascii(name)) return std::string{name};
  std::string look;
  for (const char32_t c : essence_of(name)) {
    utf8::unchecked::append(c, std::back_inserter(look));
  }
  return look;
}

}  // namespace chatd
