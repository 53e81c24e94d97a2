#include "console/fold.hpp"

#include <clocale>
#include <cwctype>

#include "base/characters.hpp"
#include "base/decomposition.hpp"
#include "base/text.hpp"

namespace chatd::console {
namespace {

// Letters are those of Unicode whatever the locale of the user is. It is made once and never freed.
locale_t utf8_locale() {
  static const locale_t kLocale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLocale;
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c - U'A' + U'a' : c;
  const locale_t locale = utf8_locale();
  if (locale == nullptr) return c;
  return static_cast<char32_t>(::towlower_l(static_cast<wint_t>(c), locale));
}

void append_folded(std::u32string& out, char32_t c) {
  if (c < 0x80) {
    out += lower(c);
    return;
  }
  const Decomposition parts = decompose(c);
  if (parts.mark == 0 && parts.letter == c) {
    out += lower(c);
    return;
  }
  append_folded(out, parts.letter);
  if (parts.mark != 0) append_folded(out, parts.mark);
}

// Part of the same word as what stands beside it. Of scripts without blanks a word may stand
// anywhere, so that their characters end no word.
bool joins(char32_t c) {
  if (is_mark(c)) return true;
  if (c < 0x80) return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9') || c == U'_';
  if (c >= 0x2E80) return false;
  const locale_t locale = utf8_locale();
  return locale != nullptr && ::iswalnum_l(static_cast<wint_t>(c), locale) != 0;
}

}  // namespace

std::u32string folded(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) append_folded(out, take_character(text));
  return out;
}

bool has_word(std::u32string_view text, std::u32string_view word) {
  if (word.empty()) return false;
  for (std::size_t at = text.find(word); at != std::u32string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !joins(text[at - 1]) || !joins(word.front());
    const bool ends = end == text.size() || !joins(text[end]) || !joins(word.back());
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace chatd::console
