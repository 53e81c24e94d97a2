#include "store/letters.hpp"

#include <algorithm>
#include <iterator>

#include "store/letters_table.hpp"

namespace chatd::store::letters {

namespace {

/// The range of `ranges` that `c` is in, or null.
template <class Range, std::size_t N>
const Range* find_in(const Range (&ranges)[N], char32_t c) {
  const auto* range =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t at, const Range& each) { return at < each.first; });
  if (range == std::begin(ranges)) return nullptr;
  --range;
  return c <= range->last ? range : nullptr;
}

/// Han, which is most of what is not looked up, and folds to itself.
bool is_han(char32_t c) {
  return c >= 0x4E00 && c <= 0x9FFF;
}

// ---- Hangul: the arithmetic of the Unicode Standard, section 3.12 ----

constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeading = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kBeforeTrailing = 0x11A7;
constexpr char32_t kLeadingCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailingCount = 28;

char32_t compose_hangul(char32_t first, char32_t second) {
  if (first - kLeading < kLeadingCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeading) * kVowelCount + (second - kVowels)) * kTrailingCount;
  }
  const bool has_none = first - kSyllables < kLeadingCount * kVowelCount * kTrailingCount &&
                        (first - kSyllables) % kTrailingCount == 0;
  const char32_t trailing = second - kBeforeTrailing;
  if (has_none && trailing > 0 && trailing < kTrailingCount) return first + trailing;
  return 0;
}

}  // namespace

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    return is_word ? Kind::kWord : Kind::kSeparator;
  }
  if (is_han(c)) return Kind::kSingle;
  const KindRange* range = find_in(kKinds, c);
  return range == nullptr ? Kind::kWord : range->kind;
}

Folded fold(char32_t c) {
  if (c < 0x80) return {{c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c}};
  if (is_han(c)) return {{c}};
  if (const FoldRange* range = find_in(kFolds, c);
      range != nullptr && (c - range->first) % range->step == 0) {
    return {{static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta)}};
  }
  const auto* several =
      std::lower_bound(std::begin(kSeveral), std::end(kSeveral), c,
                       [](const Several& each, char32_t at) { return each.from < at; });
  if (several == std::end(kSeveral) || several->from != c) return {{c}};
  const auto& to = several->to;
  return {{to[0], to[1], to[2]}, static_cast<std::uint8_t>(to[2] == 0 ? 2 : 3)};
}

char32_t compose(char32_t letter, char32_t mark) {
  const bool may_compose = (mark >= 0x300 && mark <= 0x36F) || mark == 0x3099 || mark == 0x309A ||
                           (mark >= kVowels && mark < kBeforeTrailing + kTrailingCount);
  if (!may_compose) return 0;
  for (const Composed& each : kComposed) {
    if (each.letter == letter && each.mark == mark) return each.both;
  }
  return compose_hangul(letter, mark);
}

}  // namespace chatd::store::letters
