#include "console/keys.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "base/text.hpp"

namespace chatd::console {
namespace {

constexpr char kEsc = '\x1b';
constexpr char kBell = '\x07';
constexpr std::size_t kMaxSequence = 64;
constexpr std::size_t kMouseBytes = 3;
constexpr std::string_view kPasteBegin = "\x1b[200~";
constexpr std::string_view kPasteEnd = "\x1b[201~";

bool is_control(char byte) {
  return (byte >= '\0' && byte < ' ') || byte == '\x7f';
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
}

// U+0080 to U+009F: a terminal would take them for commands.
bool is_c1(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' &&
         static_cast<unsigned char>(character[1]) < 0xa0;
}

// A control of 8 bits that begins a sequence, by itself or as a character, is Esc and this one
// (ECMA-48, 5.3); NUL: it is none.
char seven_bit(std::string_view character) {
  constexpr std::string_view kBegin = "\x8f\x90\x98\x9b\x9d\x9e\x9f";
  const char c1 = character.size() == 1 ? character[0] : is_c1(character) ? character[1] : '\0';
  if (kBegin.find(c1) == std::string_view::npos) return '\0';
  return static_cast<char>(static_cast<unsigned char>(c1) - 0x40U);
}

// The first byte of a character of two.
bool is_lead_of_two(char byte) {
  const auto c = static_cast<unsigned char>(byte);
  return c >= 0xc2 && c < 0xe0;
}

// Text as it may stand in a line: line ends are LF, and no NUL ends it for a C library.
std::string cleaned(std::string_view pasted) {
  std::string out;
  out.reserve(pasted.size());
  for (std::size_t i = 0; i < pasted.size(); ++i) {
    if (pasted[i] == '\0') continue;
    if (is_c1(pasted.substr(i, 2))) {
      ++i;
      continue;
    }
    if (pasted[i] == '\r') {
      if (i + 1 < pasted.size() && pasted[i + 1] == '\n') continue;
      out += '\n';
    } else {
      out += pasted[i];
    }
  }
  return out;
}

// Without what may be the beginning of the mark that was to end it.
std::string_view without_half_mark(std::string_view pasted) {
  for (std::size_t length = kPasteEnd.size() - 1; length > 0; --length) {
    if (pasted.ends_with(kPasteEnd.substr(0, length)))
      return pasted.substr(0, pasted.size() - length);
  }
  return pasted;
}

// --- keys that are told by number, as kitty (CSI n ; m u) and xterm (CSI 27 ; m ; n ~) do ---

struct NumberedKey {
  unsigned code = 0;
  unsigned modifiers = 0;  // a set of the bits below
  bool released = false;
};
constexpr unsigned kShift = 1;
constexpr unsigned kAltBit = 2;
constexpr unsigned kCtrl = 4;
constexpr unsigned kLocks = 64 + 128;  // of capitals and digits: they change nothing here

// The parameters of a sequence; a sub-parameter (after a colon) of the second is its event.
std::optional<NumberedKey> numbered(std::string_view parameters, char final) {
  std::array<unsigned, 3> values{};
  std::size_t at = 0;
  bool sub = false;
  unsigned event = 0;
  for (const char c : parameters) {
    if (c == ';') {
      if (++at == values.size()) return std::nullopt;
      sub = false;
    } else if (c == ':') {
      sub = true;
    } else if (c < '0' || c > '9') {
      return std::nullopt;
    } else {
      unsigned& value = sub ? event : values.at(at);
      if (sub && at != 1) continue;
      value = std::min(value * 10 + static_cast<unsigned>(c - '0'), 0x110000U);
    }
  }
  NumberedKey key;
  if (final == 'u') {
    key = {values[0], values[1], event == 3};
  } else if (at == 2 && values[0] == 27) {
    key = {values[2], values[1], false};
  } else {
    return std::nullopt;
  }
  if (key.modifiers > 0) --key.modifiers;
  key.modifiers &= ~kLocks;
  return key;
}

std::string to_utf8(unsigned code) {
  if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {};
  const auto part = [code](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0U | (code >> 6U)), part(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0U | (code >> 12U)), part(6), part(0)};
  return {static_cast<char>(0xf0U | (code >> 18U)), part(12), part(6), part(0)};
}

// What such a key would have been on a plain terminal, if it is any.
std::optional<Key> plain(const NumberedKey& key) {
  using Kind = Key::Kind;
  // Kitty's numbers in Unicode's private area are keys, not characters.
  const bool is_character = key.code > 0 && (key.code < 0xe000 || key.code > 0xf8ff);
  if (key.released || !is_character || key.modifiers > 7) return std::nullopt;
  if (key.code == '\r') {
    return key.modifiers == 0 ? Key{Kind::kControl, "\r"} : Key{Kind::kAlt, "\r"};
  }
  if (key.code == static_cast<unsigned>(kEsc)) {
    return key.modifiers == 0 ? std::optional{Key{Kind::kEscape, {}}} : std::nullopt;
  }
  const std::string character = to_utf8(key.code);
  if (character.empty() || is_c1(character)) return std::nullopt;
  if (character.size() == 1 && is_control(character[0])) {
    if (key.modifiers == 0) return Key{Kind::kControl, character};
    const bool erases = character[0] == '\x7f' || character[0] == '\b';
    if (!erases) return std::nullopt;
    return (key.modifiers & ~kShift) == 0 ? Key{Kind::kControl, character}
                                          : Key{Kind::kAlt, character};
  }
  if ((key.modifiers & ~kShift) == 0) {
    // Without a word of what Shift makes of it, only a space is sure to be one.
    if (key.modifiers == 0 || key.code == ' ' || key.code > 'z' ||
        (key.code >= 'A' && key.code <= 'Z')) {
      return Key{Kind::kText, character};
    }
    if (key.code >= 'a') return Key{Kind::kText, to_utf8(key.code - 'a' + 'A')};
    return std::nullopt;
  }
  if (key.modifiers == kAltBit) return Key{Kind::kAlt, character};
  const bool is_letter = key.code >= 'a' && key.code <= 'z';
  if (key.modifiers == kCtrl && is_letter) {
    return Key{Kind::kControl, std::string(1, static_cast<char>(key.code & 0x1fU))};
  }
  return std::nullopt;
}

}  // namespace

// --- the clock ---

Time KeyDecoder::deadline() const {
  if (state_ == State::kGround) return kNever;
  return since_ + (state_ == State::kPaste ? kPastePatience : kPatience);
}

void KeyDecoder::lapse(Time now) {
  if (now < deadline()) return;
  if (state_ == State::kPaste) return end_paste(true);
  if (state_ == State::kEscape) {
    give(Key::Kind::kEscape, {});
  } else if (pending_.size() == 2) {
    // Not the beginning of a sequence, but Alt with the character that begins one.
    give(Key::Kind::kAlt, pending_.substr(1));
  }
  end();
}

// --- bytes ---

void KeyDecoder::push(std::string_view bytes, Time now) {
  lapse(now);
  now_ = now;
  // A long answer comes in several reads; a person types one byte at a time.
  const bool in_string = state_ == State::kString || state_ == State::kStringEscape;
  if (in_string && bytes.size() > 1) since_ = now;
  if (goes_on_after_break(bytes)) return;
  while (!bytes.empty()) {
    if (state_ == State::kPaste) {
      paste(bytes);
    } else {
      const char byte = bytes.front();
      bytes.remove_prefix(1);
      step(byte);
    }
  }
}

void KeyDecoder::step(char byte) {
  if (state_ != State::kGround && pending_.size() < kMaxSequence) pending_ += byte;
  switch (state_) {
    case State::kGround:
      return ground(byte);
    case State::kEscape:
      return escape(byte);
    case State::kCsi:
      return csi(byte);
    case State::kSs3:
      if ((byte >= '0' && byte <= '9') || byte == ';') return;
      if (byte < '@' || byte > '~') return restart(byte);
      give(Key::Kind::kSequence, pending_);
      return end();
    case State::kString:
      if (byte == kEsc) return begin(State::kStringEscape);
      if (byte == kBell || byte == '\x18' || byte == '\x1a') end();
      return;
    case State::kStringEscape:
      if (byte == '\\') return end();
      end();
      ground(kEsc);
      return step(byte);
    case State::kMouse:
      return mouse(byte);
    case State::kLinux:
      if (is_control(byte)) return restart(byte);
      give(Key::Kind::kSequence, pending_);
      return end();
    case State::kPaste:
      break;
  }
  assert(false);
}

// Of a report of a mouse a byte, or where the columns are many (xterm's mode 1005) a character.
void KeyDecoder::mouse(char byte) {
  if (byte >= '\0' && byte < ' ') return restart(byte);
  assert(pending_.size() >= 2);
  if (is_lead_of_two(pending_[pending_.size() - 2]) && is_continuation(byte)) {
    if (left_ == 0) end();
    return;
  }
  if (left_ == 0) return restart(byte);
  if (--left_ == 0 && !is_lead_of_two(byte)) end();
}

void KeyDecoder::ground(char byte) {
  if (byte == kEsc) {
    drop_partial();
    pending_ = byte;
    since_ = now_;
    return begin(State::kEscape);
  }
  if (!is_control(byte)) return text(byte);
  drop_partial();
  give(Key::Kind::kControl, {byte});
}

// A byte that cannot stand in the sequence: it ends that, and is a key by itself.
void KeyDecoder::restart(char byte) {
  end();
  ground(byte);
}

void KeyDecoder::escape(char byte) {
  const bool twice = pending_.size() > 2;  // Esc Esc, as rxvt sends Alt with a sequence
  switch (byte) {
    case kEsc:
      pending_ = "\x1b\x1b";
      return;
    case '[':
      return begin(State::kCsi);
    case 'O':
      return begin(State::kSs3);
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      return begin(State::kString);
    default:
      break;
  }
  end();
  if (twice) return give(Key::Kind::kEscape, {});
  if (static_cast<unsigned char>(byte) < 0x80) return give(Key::Kind::kAlt, {byte});
  // Alt with a letter that is not ASCII.
  partial_alt_ = true;
  text(byte);
}

void KeyDecoder::csi(char byte) {
  const std::string_view inside =
      std::string_view{pending_}.substr(pending_.find('[') + 1);  // with `byte`
  if (inside.size() == 1 && byte == '[') return begin(State::kLinux);
  if (inside.size() == 1 && byte == 'M') {
    left_ = kMouseBytes;
    return begin(State::kMouse);
  }
  const auto digits = inside.substr(0, inside.size() - 1);
  const bool rxvt_shift = byte == '$' && !digits.empty() &&
                          digits.find_first_not_of("0123456789") == std::string_view::npos;
  if ((byte >= '@' && byte <= '~') || rxvt_shift) return end_csi(byte);
  if (byte < ' ' || byte > '~') restart(byte);
}

void KeyDecoder::end_csi(char final) {
  end();
  if (pending_.size() == kMaxSequence) return;  // or more
  if (pending_ == kPasteBegin) {
    pasted_.clear();
    paste_too_long_ = false;
    since_ = now_;
    return begin(State::kPaste);
  }
  if (pending_ == kPasteEnd) return;
  const std::size_t from = pending_.find('[') + 1;
  const std::string_view parameters =
      std::string_view{pending_}.substr(from, pending_.size() - from - 1);
  if (const auto key = numbered(parameters, final)) {
    if (auto known = plain(*key)) give(known->kind, std::move(known->bytes));
    return;
  }
  if (final != 'u') give(Key::Kind::kSequence, pending_);
}

// --- characters ---

// Bytes that are no UTF-8 are nobody's: the chat has no other letters, and a lone byte above 0x7f
// may be a control character to an old terminal.
void KeyDecoder::text(char byte) {
  if (!partial_.empty() && !is_continuation(byte)) drop_partial();
  partial_ += byte;
  if (partial_.size() < 4 && incomplete_tail(partial_) == partial_.size()) return;
  const auto kind = std::exchange(partial_alt_, false) ? Key::Kind::kAlt : Key::Kind::kText;
  std::string character = std::exchange(partial_, {});
  if (const char begin = seven_bit(character); begin != '\0') {
    if (kind == Key::Kind::kAlt) return;
    ground(kEsc);
    return step(begin);
  }
  if (is_utf8(character) && !is_c1(character)) give(kind, std::move(character));
}

void KeyDecoder::drop_partial() {
  partial_.clear();
  partial_alt_ = false;
}

// --- pastes ---

void KeyDecoder::paste(std::string_view& bytes) {
  since_ = now_;
  const std::size_t searched = pasted_.size() - std::min(pasted_.size(), kPasteEnd.size() - 1);
  pasted_.append(bytes);
  const std::size_t mark = pasted_.find(kPasteEnd, searched);
  if (mark == std::string::npos) {
    bytes = {};
    if (pasted_.size() <= kMaxPaste) return;
    paste_too_long_ = true;
    pasted_.erase(0, pasted_.size() - kPasteEnd.size());
    return;
  }
  bytes.remove_prefix(bytes.size() - (pasted_.size() - mark - kPasteEnd.size()));
  pasted_.resize(mark);
  end_paste(false);
}

void KeyDecoder::end_paste(bool broken) {
  end();
  paste_broken_ = broken;
  heard_ = since_;
  key_heard_ = false;
  half_mark_.clear();
  const std::string pasted = std::exchange(pasted_, {});
  std::string_view whole = pasted;
  if (broken) {
    whole = without_half_mark(pasted);
    half_mark_ = pasted.substr(whole.size());
  }
  if (paste_too_long_) return give(Key::Kind::kLongPaste, {});
  give(Key::Kind::kPaste, cleaned(whole));
}

void KeyDecoder::clear() {
  const bool pasting = state_ == State::kPaste || paste_broken_;
  const Time last = std::max(since_, heard_);
  *this = {};
  paste_broken_ = pasting;
  heard_ = last;
}

// Whether `bytes` are the rest of a paste that was given out already, which must not be run line
// by line. A person types one key at a time, and not as fast as a terminal sends; up to the mark
// that ends a paste, all else is text.
bool KeyDecoder::goes_on_after_break(std::string_view& bytes) {
  if (!paste_broken_ || state_ != State::kGround || bytes.empty()) return false;
  const Duration pause = now_ - std::exchange(heard_, now_);
  if (ends_by_split_mark(bytes, pause < kPatience)) return bytes.empty();
  if (key_heard_ && pause >= kPatience) {  // and nothing has come at once behind that key
    paste_broken_ = false;
    return false;
  }
  const std::size_t mark = bytes.find(kPasteEnd);
  const std::size_t another = bytes.find(kPasteBegin);
  if (mark != std::string_view::npos || another != std::string_view::npos) {
    paste_broken_ = false;
    const std::size_t end = std::min(mark, another);
    give(Key::Kind::kPaste, cleaned(bytes.substr(0, end)));
    bytes.remove_prefix(another < mark ? end : end + kPasteEnd.size());
    return false;
  }
  // No key has a line end behind it, but for Alt-Enter.
  const bool has_lines = bytes.size() > 2 && bytes.find_first_of("\r\n") != std::string_view::npos;
  if (bytes.front() == kEsc && !has_lines) {
    paste_broken_ = false;
    return false;
  }
  if (bytes.size() == 1 && pause >= kTypingGap) {
    key_heard_ = true;
    return false;
  }
  const std::string_view whole = without_half_mark(bytes);
  half_mark_ = bytes.substr(whole.size());
  give(Key::Kind::kPaste, cleaned(whole));
  return true;
}

// Whether `bytes` go on with a mark of which the beginning has come: they are taken as far as they
// are its rest. One byte alone may be a key, unless it comes at once.
bool KeyDecoder::ends_by_split_mark(std::string_view& bytes, bool at_once) {
  const std::string half = std::exchange(half_mark_, {});
  if (half.empty()) return false;
  const std::string_view rest = kPasteEnd.substr(half.size());
  if (bytes.size() == 1 && !at_once) return false;
  if (bytes.starts_with(rest)) {
    bytes.remove_prefix(rest.size());
    paste_broken_ = false;
    return true;
  }
  if (!rest.starts_with(bytes)) return false;
  half_mark_ = half;
  half_mark_ += bytes;
  bytes = {};
  return true;
}

// --- keys ---

void KeyDecoder::give(Key::Kind kind, std::string bytes) {
  if (kind == Key::Kind::kPaste && bytes.empty()) return;
  waiting_ += bytes.size();
  const bool joins = kind == Key::Kind::kText && !keys_.empty() && keys_.back().kind == kind;
  if (joins) {
    keys_.back().bytes += bytes;
  } else {
    keys_.push_back({kind, std::move(bytes)});
  }
}

Key KeyDecoder::take() {
  assert(has_keys());
  Key key = std::move(keys_.front());
  keys_.pop_front();
  waiting_ -= key.bytes.size();
  return key;
}

bool KeyDecoder::skip_to(char control) {
  const Key wanted{Key::Kind::kControl, {control}};
  if (std::find(keys_.begin(), keys_.end(), wanted) == keys_.end()) return false;
  for (bool found = false; !found;) found = take() == wanted;
  return true;
}

}  // namespace chatd::console
