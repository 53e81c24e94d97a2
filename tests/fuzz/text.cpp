// Text: escaped text has no deceptive character, and can be unescaped; as rows of a terminal it
// fits and hangs; another parser reads our JSON as the original text; repaired text is UTF-8, and
// repairing it again changes nothing.
#include "base/text.hpp"

#include "base/rows.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"

namespace {

using chatd::fuzz::must;

/// The code points of well-formed UTF-8, by the simplest decoder possible.
template <class Each>
void each_character(std::string_view text, Each each) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    must(i + size <= text.size(), "the text ends inside a character");
    char32_t c = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    each(c);
    i += size;
  }
}

/// Controls, bidirectional controls, zero-width, selectors, tags, noncharacters: written down once
/// more, because is_deceptive() is what is tested.
bool must_not_be_shown(char32_t c) {
  return (c < 0x20 && c != '\t') || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x34F ||
         c == 0x61C || (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x2800 ||
         (c >= 0xFDD0 && c <= 0xFDEF) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFC) || (c & 0xFFFE) == 0xFFFE || (c >= 0xE0000 && c <= 0xE0FFF);
}

/// Marks that everybody knows; is_mark() has more.
bool is_latin_mark(char32_t c) {
  return c >= 0x300 && c <= 0x36F && c != 0x34F;
}

void check_harmless(std::string_view text) {
  must(chatd::is_utf8(text), "what is shown is not UTF-8");
  std::size_t marks = 8;  // none stands at the beginning
  each_character(text, [&marks](char32_t c) {
    must(!must_not_be_shown(c), "it is shown as it is");
    marks = is_latin_mark(c) ? marks + 1 : 0;
    must(marks <= 8, "a tower of marks, or one on nothing");
  });
}

void check_rows(std::string_view line, std::size_t columns, std::size_t hang) {
  std::string rows;
  chatd::append_rows(rows, line, {columns, hang}, "\n");
  must(rows.ends_with('\n'), "the last row does not end");
  if (columns < 4) return;
  std::size_t width = 0;
  bool first = true;
  bool begun = false;  // something was written into the row
  each_character(rows, [&](char32_t c) {
    if (c == '\n') {
      width = 0;
      first = begun = false;
      return;
    }
    must(first || begun || c == ' ', "a row begins in the first column");
    begun = true;
    width += chatd::most_columns(c, false);
    must(width <= columns, "a row is too wide");
  });
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x800) {
    put(0xC0 | (c >> 6U));
  } else {
    if (c < 0x10000) {
      put(0xE0 | (c >> 12U));
    } else {
      put(0xF0 | (c >> 18U));
      put(0x80 | ((c >> 12U) & 0x3FU));
    }
    put(0x80 | ((c >> 6U) & 0x3FU));
  }
  put(0x80 | (c & 0x3FU));
}

/// The inverse of append_escaped(), except for bytes and C1 controls, which look the same:
/// \x80 to \xff become bytes.
std::string turned_back(std::string_view shown) {
  std::string text;
  for (std::size_t i = 0; i < shown.size();) {
    if (shown[i] != '\\') {
      text += shown[i++];
      continue;
    }
    const char kind = shown.substr(i).size() > 1 ? shown[i + 1] : '\0';
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    must(digits > 0 && i + 2 + digits <= shown.size(), "an escape that is none");
    char32_t c = 0;
    for (const char digit : shown.substr(i + 2, digits)) {
      must((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'), "not hexadecimal");
      c = c * 16 + static_cast<char32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    if (kind == 'x') {
      text += static_cast<char>(c);
    } else {
      must(c >= 0x100, "an escape that is longer than it must be");
      append_utf8(text, c);
    }
    i += 2 + digits;
  }
  return text;
}

/// Well-formed C1 controls and soft hyphens as the bytes that they are shown as.
std::string without_c1(std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (text[i] == '\xC2' && ((next >= 0x80 && next <= 0x9F) || next == 0xAD)) continue;
    all += text[i];
  }
  return all;
}

}  // namespace

namespace chatd::core {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};

  const std::string shown = escaped(text);
  check_harmless(shown);
  must(escaped(shown) == shown, "what is shown would be shown in another way");
  check_rows(shown, size == 0 ? 0 : data[0] % 100, size);
  // A backslash passes as it is, so a text with one cannot be unescaped for certain.
  if (text.find('\\') == std::string_view::npos) {
    must(turned_back(shown) == without_c1(text), "it cannot be turned back");
  }

  std::string repaired;
  append_repaired(repaired, text);
  must(is_utf8(repaired), "repaired, it is not UTF-8");
  must((repaired == text) == is_utf8(text), "it repairs what is whole, or leaves what is not");
  must(incomplete_tail(repaired) == 0, "repaired text has no end");

  std::string json = "\"";
  append_json(json, text);
  json += '"';
  check_harmless(json);
  must(json.find('\t') == std::string::npos, "a tab in JSON");
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  must(parsed.is_string() && parsed.get<std::string>() == repaired, "JSON says something else");

  const std::size_t most = size == 0 ? 0 : data[0];
  const auto prefix = prefix_of(repaired, most);
  must(prefix.size() <= most && is_utf8(prefix), "a prefix ends inside a character");
  must(prefix.size() == repaired.size() || prefix.size() + 4 > most, "a prefix is too short");

  // Cut before an incomplete tail, the parts together are the whole.
  const auto cut = text.substr(0, size / 2);
  const auto head = cut.substr(0, cut.size() - incomplete_tail(cut));
  std::string parts;
  append_repaired(parts, head);
  append_repaired(parts, text.substr(head.size()));
  must(parts == repaired, "repaired in two parts it is different");
  return 0;
}

}  // namespace chatd::core
