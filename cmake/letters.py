#!/usr/bin/env python3
"""Prints daemon/store/letters_table.hpp from the tables of Unicode that Python has: how the
search takes each character, and what it is without case and accents. Run by hand:

    cmake/letters.py | clang-format >daemon/store/letters_table.hpp
"""

import unicodedata

# Marks that a person leaves out: those of Latin, Greek and Cyrillic, the points of Hebrew, the
# vowels of Arabic. Elsewhere a mark is a part of the word as any letter.
DROPPED = [
    *range(0x300, 0x370), *range(0x483, 0x48A), *range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2,
    0x5C4, 0x5C5, 0x5C7, *range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670,
    *range(0x6D6, 0x6DD), *range(0x6DF, 0x6E5), 0x6E7, 0x6E8, *range(0x6EA, 0x6EE),
    *range(0x1AB0, 0x1B00), *range(0x1DC0, 0x1E00), *range(0x20D0, 0x2100),
    *range(0xFE20, 0xFE30),
]  # fmt: skip
# Of no weight at all: soft hyphen, joiners and non-joiners, variation selectors, tones of skin.
IGNORED = [
    0xAD, 0x34F, 0x61C, *range(0x180B, 0x1810), 0x200C, 0x200E, 0x200F, *range(0x202A, 0x202F),
    *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF, *range(0x1F3FB, 0x1F400),
    *range(0xE0100, 0xE01F0),
]  # fmt: skip
# Scripts that are written without blanks, and Hangul, whose particles stand at the words.
SINGLE = [
    (0xE00, 0xEFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x1950, 0x19FF),
    (0x1A20, 0x1AAF), (0x1B00, 0x1B7F), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3035),
    (0x3038, 0x303C), (0x3041, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0xA4CF), (0xA960, 0xA9FF),
    (0xAA60, 0xAADF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x16FE0, 0x18DFF),
    (0x1AFF0, 0x1B2FF), (0x20000, 0x3FFFF),
]  # fmt: skip
# Blocks of symbols, whatever may still be added to them.
SYMBOLS = [(0x2190, 0x2BFF), (0x1F000, 0x1FBFF)]
# What Unicode does not take apart, and a keyboard without the letter does.
PLAIN = {
    "đ": "d", "ð": "d", "ø": "o", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe",
    "þ": "th", "ƶ": "z", "ɖ": "d", "ƀ": "b", "ɨ": "i", "ǥ": "g", "ʉ": "u", "ɵ": "o", "ƚ": "l",
    "ё": "е", "ѐ": "е", "ѝ": "и",
}  # fmt: skip
# Where nothing is taken apart: kana, Hangul and Han.
WHOLE = [(0x1100, 0x11FF), (0x3040, 0x318F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]
# Forms for typesetting, of which there are too many.
FORMS = [(0xFB07, 0xFDFF), (0xFE70, 0xFEFE)]
# Two letters of Cyrillic are letters of their own, kana with their marks too.
COMPOSED = "йўїѓќ" + "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽヴ"


def within(code, ranges):
    return any(first <= code <= last for first, last in ranges)


def folded(char):
    code = ord(char)
    if within(code, WHOLE) or within(code, FORMS):
        return char
    cyrillic = 0x400 <= code <= 0x52F
    category = unicodedata.category(char)
    alike = category[0] == "L" or category == "Nd" or 0xFF00 <= code <= 0xFFEF
    for _ in range(3):
        char = char.casefold()
        if not cyrillic:
            char = unicodedata.normalize("NFKD" if alike else "NFD", char)
        char = "".join(PLAIN.get(each, each) for each in char)
    return "".join(each for each in char if ord(each) not in DROPPED)


def kind(code):
    category = unicodedata.category(chr(code))
    if code == 0x200D:
        return "kJoiner"
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "kFlag"
    if 0xE0020 <= code <= 0xE007F:
        return "kTag"
    if code in (0x3099, 0x309A) or code in DROPPED:
        return "kMark"
    if code in IGNORED:
        return "kIgnored"
    if within(code, SYMBOLS):
        return "kSymbol"
    if code == 0xFFFD:  # some bytes that were no text
        return "kSeparator"
    if category == "Cn":
        return "kSingle" if within(code, SINGLE) else None
    if category[0] in "ZP" or category in ("Cc", "Cf", "Cs", "Sk"):
        return "kSeparator"
    if category[0] == "S":
        return "kSymbol"
    if within(code, SINGLE):
        return "kSingle"
    return "kWord"


def print_kinds():
    runs = []
    for code in range(0x80, 0x110000):
        now = kind(code)
        if now is None:  # nobody has it yet: as its neighbours
            continue
        if runs and runs[-1][2] == now:
            runs[-1][1] = code
        else:
            runs.append([code, code, now])
    print("inline constexpr KindRange kKinds[] = {")
    print(",".join(f"{{0x{a:X}, 0x{b:X}, Kind::{c}}}" for a, b, c in runs if c != "kWord"), "};")


def print_folds():
    one, several = {}, {}
    for code in range(0x80, 0x110000):
        char = chr(code)
        if unicodedata.category(char)[0] not in "LNMS" and not 0xFF00 <= code <= 0xFFEF:
            continue
        to = folded(char)
        if to == char or code in DROPPED or not to:
            continue
        assert len(to) <= 3, (char, to)
        if len(to) == 1:
            one[code] = ord(to) - code
        else:
            several[code] = to
    print("inline constexpr FoldRange kFolds[] = {")
    ranges = []
    for code, delta in sorted(one.items()):
        if ranges and ranges[-1][2] == delta:
            first, last, _, step = ranges[-1]
            gap = code - last
            if gap == step or (first == last and gap <= 2):
                ranges[-1] = (first, code, delta, gap)
                continue
        ranges.append((code, code, delta, 1))
    print(",".join(f"{{0x{a:X}, 0x{b:X}, {s}, {d}}}" for a, b, d, s in ranges), "};")
    print("inline constexpr Several kSeveral[] = {")
    print(
        ",".join(
            f"{{0x{code:X}, {{" + ",".join(f"0x{ord(each):X}" for each in to) + "}}"
            for code, to in sorted(several.items())
        ),
        "};",
    )


def print_composed():
    pairs = [unicodedata.normalize("NFD", each) for each in COMPOSED]
    # Katakana stand 96 behind hiragana.
    both = list(zip(pairs, COMPOSED))
    both += [
        (chr(ord(pair[0]) + 96) + pair[1], chr(ord(whole) + 96))
        for pair, whole in both
        if 0x3040 <= ord(whole) < 0x30A0
    ]
    print("inline constexpr Composed kComposed[] = {")
    print(
        ",".join(f"{{0x{ord(p[0]):X}, 0x{ord(p[1]):X}, 0x{ord(w):X}}}" for p, w in sorted(both)),
        "};",
    )


print(
    f"""/// Tables of letters.cpp, made by cmake/letters.py from Unicode {unicodedata.unidata_version}.
/// Each is in the order of its characters.
#pragma once

#include "store/letters.hpp"

namespace chatd::store::letters {{

/// What is in none of them is of a word.
struct KindRange {{
  char32_t first;
  char32_t last;
  Kind kind;
}};

/// Each step-th character from `first` to `last` becomes the one `delta` behind it.
struct FoldRange {{
  char32_t first;
  char32_t last;
  std::uint8_t step;
  std::int32_t delta;
}};

/// One that becomes two or three; 0 where there is no third.
struct Several {{
  char32_t from;
  char32_t to[3];
}};

/// A letter and the mark behind it that are another letter.
struct Composed {{
  char32_t letter;
  char32_t mark;
  char32_t both;
}};
"""
)
print_kinds()
print_folds()
print_composed()
print("}  // namespace chatd::store::letters")
