/// What single characters do to whoever looks at a text: nothing, stack onto the one before
/// them, or deceive. By the properties of Unicode 15; characters.cpp says of each range where
/// it comes from. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chatd {

enum class CharacterKind : std::uint8_t {
  kVisible,
  /// Takes no room of its own and is drawn onto the character before it: the general
  /// categories Mn and Me.
  kMark,
  /// Must not reach a terminal as it is: C0 except tab (LF included), DEL, C1; what is drawn as
  /// nothing or as a blank that is none (Default_Ignorable_Code_Point, with the variation
  /// selectors, the joiners of emoji and the tags; fillers, the empty Braille pattern); what
  /// turns the direction, breaks a line or hides text; noncharacters; and what is no character
  /// at all (surrogates, over U+10FFFF).
  kHidden,
};

/// How many marks in a row are text. Living languages stack up to five (Hebrew with its
/// accents); more than eight is a tower that covers the rows above and below.
constexpr std::size_t kMostMarks = 8;

/// From U+0300 on, where the ranges stand in tables.
[[nodiscard]] CharacterKind kind_by_table(char32_t c);

[[nodiscard]] inline CharacterKind kind_of(char32_t c) {
  if (c >= 0x300) return kind_by_table(c);
  const bool hidden = c < 0x7F ? c < 0x20 && c != '\t' : c <= 0x9F || c == 0xAD;  // soft hyphen
  return hidden ? CharacterKind::kHidden : CharacterKind::kVisible;
}

[[nodiscard]] inline bool is_deceptive(char32_t c) {
  return kind_of(c) == CharacterKind::kHidden;
}

[[nodiscard]] inline bool is_mark(char32_t c) {
  return kind_of(c) == CharacterKind::kMark;
}

/// Whether this is a blank that looks like U+0020 and is another character: the rest of the
/// general category Zs. Such blanks are text (French and Chinese are written with them), but a
/// name that differs in them alone looks the same.
[[nodiscard]] bool is_other_blank(char32_t c);

}  // namespace chatd
