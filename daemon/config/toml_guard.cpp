#include "config/toml_guard.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace chatd {

namespace {

bool has_at(std::string_view text, std::size_t offset, std::string_view part) {
  return offset <= text.size() && text.substr(offset).starts_with(part);
}

/// The offset of the last byte of the string that begins at `begin`. One that does
/// not end where it must ends there: that is an error of syntax, toml11 goes no
/// further, and what we count behind it does no harm.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  const char c = text[begin];
  const std::string triple(3, c);
  const bool is_multiline = has_at(text, begin, triple);
  const std::string_view mark = std::string_view{triple}.substr(0, is_multiline ? 3 : 1);
  std::size_t i = begin + mark.size();
  while (i < text.size() && !has_at(text, i, mark) && (is_multiline || text[i] != '\n')) {
    i += c == '"' && text[i] == '\\' ? 2 : 1;
  }
  i += mark.size() - 1;
  // Up to two more quotation marks before the closing three belong to the string.
  for (int more = 0; is_multiline && more < 2 && has_at(text, i + 1, mark.substr(2)); ++more) ++i;
  return i;
}

/// The first place that nests deeper than `max_depth`: brackets in strings and
/// comments do not count, dots in keys do.
std::optional<std::size_t> too_deep(std::string_view text, std::size_t max_depth) {
  std::size_t brackets = 0;
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '#':
        i = std::min(text.find('\n', i), text.size()) - 1;
        break;
      case '"':
      case '\'':
        i = end_of_string(text, i);
        break;
      case '[':
      case '{':
        ++brackets;
        dots = 0;
        break;
      case ']':
      case '}':
        if (brackets > 0) --brackets;
        break;
      case '.':
        ++dots;
        break;
      case '=':
      case ',':
      case '\n':
        dots = 0;
        break;
      default:
        break;
    }
    if (brackets + dots > max_depth) return i;
  }
  return std::nullopt;
}

/// The first place that is further than `max_bytes` from the beginning of its line.
std::optional<std::size_t> too_long(std::string_view text, std::size_t max_bytes) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > max_bytes) return begin + max_bytes;
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<std::size_t> control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\r' && has_at(text, i + 1, "\n")) continue;
    if (c == 0x7F || (c < 0x20 && c != '\t' && c != '\n')) return i;
  }
  return std::nullopt;
}

std::size_t first_ill_formed(std::string_view text) {
  std::string repaired;
  append_repaired(repaired, text);
  const auto differ = std::mismatch(text.begin(), text.end(), repaired.begin(), repaired.end());
  auto offset = static_cast<std::size_t>(differ.first - text.begin());
  // They may differ only inside a character: go back to where it begins.
  while (offset > 0 && incomplete_tail(text.substr(0, offset)) > 0) --offset;
  return offset;
}

}  // namespace

std::optional<TomlDanger> find_danger(std::string_view text, const TomlLimits& limits) {
  if (!is_utf8(text)) return TomlDanger{first_ill_formed(text), "this is not UTF-8"};
  if (const auto offset = control_character(text)) {
    return TomlDanger{*offset, "a control character, " + escaped(text.substr(*offset, 1)) +
                                   "; in a string it is written as an escape"};
  }
  if (const auto offset = too_deep(text, limits.depth)) {
    return TomlDanger{*offset, "nested more than " + std::to_string(limits.depth) + " levels deep"};
  }
  if (const auto offset = too_long(text, limits.line_bytes)) {
    return TomlDanger{*offset,
                      "a line of more than " + std::to_string(limits.line_bytes) + " bytes"};
  }
  return std::nullopt;
}

}  // namespace chatd
