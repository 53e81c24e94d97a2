// How text.hpp does it. There is one decoder, driven by Unicode's own table of
// well-formed sequences, and every function that judges bytes goes through it, so
// that they cannot disagree. Almost all chat is ASCII: eight bytes are looked at
// together, and what needs no attention is copied in runs.
//
// utfcpp is not used here: its replace_invalid() gives one U+FFFD for C0 AF and for
// E0 80 80, where the recommended count is two and three. With a table for the
// counts, the rest of the decoder is a loop over that table.
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/characters.hpp"

namespace chatd {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

constexpr std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

constexpr bool is_continuation(std::uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

// ---- the decoder -----------------------------------------------------------

/// What a first byte promises: how many bytes in all (0: none begins so), and the
/// range of the second. All after the second are 80..BF.
struct Lead {
  std::uint8_t size = 0;
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xBF;
};

/// The Unicode Standard, table 3-7. The narrow second bytes are what keeps overlong
/// forms (E0, F0), surrogates (ED) and all past U+10FFFF (F4) out.
constexpr auto kLeads = [] {
  std::array<Lead, 256> leads{};
  for (std::size_t byte = 0x00; byte <= 0x7F; ++byte) leads[byte] = {1};
  for (std::size_t byte = 0xC2; byte <= 0xDF; ++byte) leads[byte] = {2};
  for (std::size_t byte = 0xE0; byte <= 0xEF; ++byte) leads[byte] = {3};
  for (std::size_t byte = 0xF0; byte <= 0xF4; ++byte) leads[byte] = {4};
  leads[0xE0].second_min = 0xA0;
  leads[0xED].second_max = 0x9F;
  leads[0xF0].second_min = 0x90;
  leads[0xF4].second_max = 0x8F;
  return leads;
}();

enum class Form : std::uint8_t {
  kWell,
  kIll,        // nothing that follows could make it well-formed
  kTruncated,  // ill-formed only because the bytes end here
};

/// What stands at the front of some bytes: a character, or a maximal ill-formed
/// part (Unicode's D93b), which becomes one U+FFFD.
struct Front {
  Form form;
  std::uint8_t size;         // bytes, at least 1
  char32_t code_point = 0U;  // if kWell
};

/// `bytes` must not be empty.
constexpr Front decode(std::string_view bytes) {
  const std::uint8_t first = byte_at(bytes, 0);
  const Lead lead = kLeads[first];
  if (lead.size == 0) return {Form::kIll, 1};
  if (lead.size == 1) return {Form::kWell, 1, first};

  char32_t code_point = first & (0x7FU >> lead.size);
  std::uint8_t min = lead.second_min;
  std::uint8_t max = lead.second_max;
  for (std::uint8_t at = 1; at < lead.size; ++at) {
    if (at == bytes.size()) return {Form::kTruncated, at};
    const std::uint8_t next = byte_at(bytes, at);
    if (next < min || next > max) return {Form::kIll, at};
    code_point = (code_point << 6U) | (next & 0x3FU);
    min = 0x80;
    max = 0xBF;
  }
  return {Form::kWell, lead.size, code_point};
}

// ---- finding what needs attention --------------------------------------------

using Word = std::uint64_t;

constexpr Word each(std::uint8_t byte) {
  return byte * Word{0x0101010101010101};
}

/// Rules: which bytes need attention. `in_word` answers for eight bytes at once, by
/// the top bit of a byte; a carry or borrow between bytes can only begin at a byte
/// that needs attention itself, so the answer for the word as a whole is exact, but
/// for a tab, which counts there as a control like any other.
struct NotAscii {
  static bool in_byte(std::uint8_t byte) { return byte >= 0x80; }
  static bool in_word(Word word) { return (word & each(0x80)) != 0; }
};

struct NotPlain {
  static bool in_byte(std::uint8_t byte) { return (byte < 0x20 && byte != '\t') || byte >= 0x7F; }
  static Word marks(Word word) { return word | (word + each(1)) | (word - each(0x20)); }
  static bool in_word(Word word) { return (marks(word) & each(0x80)) != 0; }
};

struct NotPlainInJson {
  static bool in_byte(std::uint8_t byte) {
    return byte < 0x20 || byte >= 0x7F || byte == '"' || byte == '\\';
  }
  static bool in_word(Word word) {
    const Word quotes = (word ^ each('"')) - each(1);
    const Word backslashes = (word ^ each('\\')) - each(1);
    return ((NotPlain::marks(word) | quotes | backslashes) & each(0x80)) != 0;
  }
};

Word load(const char* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The first byte of `text` from `at` on that needs attention, or text.size().
template <class Rule>
std::size_t find_next(std::string_view text, std::size_t at) {
  const std::size_t size = text.size();
  // In a script other than Latin the next character needs attention more often
  // than not.
  if (at < size && Rule::in_byte(byte_at(text, at))) return at;
  while (at < size) {
    while (size - at >= sizeof(Word) && !Rule::in_word(load(text.data() + at))) {
      at += sizeof(Word);
    }
    // What is left of the last word is looked at together with bytes before it: if
    // none of them needs attention, neither does any of what is left.
    if (size - at < sizeof(Word) && size >= sizeof(Word) &&
        !Rule::in_word(load(text.data() + size - sizeof(Word)))) {
      return size;
    }
    const std::size_t stop = std::min(at + sizeof(Word), size);
    for (; at < stop; ++at) {
      if (Rule::in_byte(byte_at(text, at))) return at;
    }
  }
  return size;
}

/// Appends `text` to `out` in runs as long as they can be. What is ill-formed, and
/// characters that `passes(code_point, at, size)` refuses, are given to `show(front, part)`
/// to be appended in its own way. `Rule` must mark every byte that can begin either.
template <class Rule, class Passes, class Show>
void copy_runs(std::string& out, std::string_view text, Passes passes, Show show) {
  std::size_t copied = 0;
  std::size_t at = 0;
  while ((at = find_next<Rule>(text, at)) < text.size()) {
    const Front front = decode(text.substr(at));
    if (front.form != Form::kWell || !passes(front.code_point, at, front.size)) {
      out += text.substr(copied, at - copied);
      show(front, text.substr(at, front.size));
      copied = at + front.size;
    }
    at += front.size;
  }
  out += text.substr(copied);
}

// ---- what deceives -------------------------------------------------------------

/// Says of each character of one text that needs attention, in order, whether it passes: what is
/// visible does, and a mark does if it has a base and is one of the first kMostMarks after it.
/// An escape is no base, nor is the beginning of the text: a mark would change the look of what
/// stands before, which is ours.
class Judge {
 public:
  explicit Judge(std::string_view text) : text_{text} {}

  [[nodiscard]] bool passes(char32_t c, std::size_t at, std::size_t size) {
    // What was not asked about is plain ASCII, a tab or ill-formed.
    if (at > next_) marks_ = is_base(byte_at(text_, at - 1)) ? 0 : kMostMarks;
    next_ = at + size;
    switch (kind_of(c)) {
      case CharacterKind::kVisible:
        marks_ = 0;
        return true;
      case CharacterKind::kMark:
        if (marks_ < kMostMarks) {
          ++marks_;
          return true;
        }
        return false;
      case CharacterKind::kHidden:
        break;
    }
    marks_ = kMostMarks;
    return false;
  }

  /// One that is escaped for another reason.
  [[nodiscard]] bool refuse(std::size_t at, std::size_t size) {
    next_ = at + size;
    marks_ = kMostMarks;
    return false;
  }

 private:
  static bool is_base(std::uint8_t byte) { return byte >= 0x20 && byte < 0x7F; }

  std::string_view text_;
  std::size_t next_ = 0;            // behind the last one that was asked about
  std::size_t marks_ = kMostMarks;  // since the last base
};

// ---- showing ---------------------------------------------------------------------

void append_hex(std::string& out, char32_t value, unsigned digits) {
  while (digits > 0) {
    --digits;
    out += "0123456789abcdef"[(value >> (4 * digits)) & 0xFU];
  }
}

void append_visible(std::string& out, char32_t c) {
  if (c < 0x100) {
    out += "\\x";
    append_hex(out, c, 2);
  } else if (c < 0x10000) {
    out += "\\u";
    append_hex(out, c, 4);
  } else {
    out += "\\U";
    append_hex(out, c, 8);
  }
}

void append_json_escape(std::string& out, char32_t c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  if (c >= 0x10000) {  // JSON counts in UTF-16
    c -= 0x10000;
    out += "\\u";
    append_hex(out, 0xD800 + (c >> 10U), 4);
    c = 0xDC00 + (c & 0x3FFU);
  }
  out += "\\u";
  append_hex(out, c, 4);
}

}  // namespace

std::size_t incomplete_tail(std::string_view bytes) {
  const std::size_t most = std::min<std::size_t>(bytes.size(), 3);
  for (std::size_t size = 1; size <= most; ++size) {
    const std::string_view tail = bytes.substr(bytes.size() - size);
    if (is_continuation(byte_at(tail, 0))) continue;
    return decode(tail).form == Form::kTruncated ? size : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while ((at = find_next<NotAscii>(bytes, at)) < bytes.size()) {
    const Front front = decode(bytes.substr(at));
    if (front.form != Form::kWell) return false;
    at += front.size;
  }
  return true;
}

bool is_json_text(std::string_view text) {
  std::size_t at = 0;
  while ((at = find_next<NotPlainInJson>(text, at)) < text.size()) {
    const Front front = decode(text.substr(at));
    const char32_t c = front.code_point;
    if (front.form != Form::kWell || c < 0x20 || c == '"' || c == '\\') return false;
    at += front.size;
  }
  return true;
}

void append_repaired(std::string& out, std::string_view bytes) {
  copy_runs<NotAscii>(
      out, bytes, [](char32_t, std::size_t, std::size_t) { return true; },
      [&out](Front, std::string_view) { out += kReplacement; });
}

std::string_view prefix_of(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && is_continuation(byte_at(text, end))) --end;
  return text.substr(0, end);
}

char32_t take_character(std::string_view& bytes) {
  const Front front = decode(bytes);
  bytes.remove_prefix(front.size);
  return front.form == Form::kWell ? front.code_point : U'\uFFFD';
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const auto continuation = [&out](char32_t bits) {
    out += static_cast<char>(0x80U | (bits & 0x3FU));
  };
  if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xE0U | (c >> 12U));
    } else {
      out += static_cast<char>(0xF0U | (c >> 18U));
      continuation(c >> 12U);
    }
    continuation(c >> 6U);
  }
  continuation(c);
}

void append_escaped(std::string& out, std::string_view text) {
  Judge judge{text};
  copy_runs<NotPlain>(
      out, text,
      [&judge](char32_t c, std::size_t at, std::size_t size) { return judge.passes(c, at, size); },
      [&out](Front front, std::string_view part) {
        if (front.form == Form::kWell) {
          append_visible(out, front.code_point);
        } else {
          for (std::size_t at = 0; at < part.size(); ++at) append_visible(out, byte_at(part, at));
        }
      });
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

void append_json(std::string& out, std::string_view text) {
  Judge judge{text};
  copy_runs<NotPlainInJson>(
      out, text,
      [&judge](char32_t c, std::size_t at, std::size_t size) {
        const bool always = c == '"' || c == '\\' || c == '\t';
        return always ? judge.refuse(at, size) : judge.passes(c, at, size);
      },
      [&out](Front front, std::string_view) {
        if (front.form == Form::kWell) {
          append_json_escape(out, front.code_point);
        } else {
          out += kReplacement;
        }
      });
}

}  // namespace chatd
