#include "core/framer.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace chatd::core {

namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // U+FEFF, the byte order mark
constexpr std::string_view kIacText = "\xFF";
constexpr char kBackspace = '\b';
constexpr char kDelete = '\x7F';

Dialect initial(DialectSetting setting) {
  switch (setting) {
    case DialectSetting::kAuto:
      return Dialect::kUndecided;
    case DialectSetting::kOriginal:
      return Dialect::kOriginal;
    case DialectSetting::kLine:
      return Dialect::kLine;
    case DialectSetting::kTelnet:
      return Dialect::kTelnet;
    case DialectSetting::kRaw:
      return Dialect::kRaw;
    case DialectSetting::kWebSocket:
      return Dialect::kWebSocket;
    case DialectSetting::kWeb:
      return Dialect::kWeb;
  }
  return Dialect::kUndecided;
}

/// Whether a byte of a line may mean something else than itself.
bool is_special(char byte) {
  return byte == '\n' || byte == '\r' || byte == '\0' || byte == kBackspace || byte == kDelete ||
         byte == kIac;
}

/// Where the first special byte of `bytes` is, from `place` on; its size if there is none.
std::size_t find_special(std::string_view bytes, std::size_t place = 0) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::size_t kWord = sizeof kOnes;
  // Eight bytes at a time, as long as none of them is a C0 control, DEL or IAC.
  for (; place + kWord <= bytes.size(); place += kWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + place, kWord);
    const std::uint64_t controls = (word - 0x20U * kOnes) & ~word;
    const std::uint64_t without_delete = word ^ (0x7FU * kOnes);
    const std::uint64_t deletes = (without_delete - kOnes) & ~without_delete;
    const std::uint64_t iacs = (~word - kOnes) & word;
    if (((controls | deletes | iacs) & (0x80U * kOnes)) == 0) continue;
    const auto part = bytes.substr(place, kWord);
    const auto found = std::find_if(part.begin(), part.end(), is_special);
    if (found != part.end()) return place + static_cast<std::size_t>(found - part.begin());
  }
  while (place < bytes.size() && !is_special(bytes[place])) ++place;
  return place;
}

/// Whether `line` is printable ASCII, as most are: no byte of it is special, and it is UTF-8.
/// Looks at eight bytes at a time, for it is asked of each line.
bool is_printable_ascii(std::string_view line) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::size_t kWord = sizeof kOnes;
  if (line.size() < kWord) {
    return std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < kDelete; });
  }
  // The highest bit of a byte is set here if it is 80 or more, less than 20, or 7F. (A carry
  // comes only from such a byte.)
  std::uint64_t seen = 0;
  const auto look_at = [&](std::size_t place) {
    std::uint64_t word = 0;
    std::memcpy(&word, line.data() + place, kWord);
    seen |= word | (word - 0x20U * kOnes) | (word + kOnes);
  };
  const std::size_t last = line.size() - kWord;
  for (std::size_t i = 0; i < last; i += kWord) look_at(i);
  look_at(last);
  return (seen & (0x80U * kOnes)) == 0;
}

/// The first `max_bytes` of raw bytes, without the beginning of a character that
/// does not fit whole.
std::string_view cut_at(std::string_view raw, std::size_t max_bytes) {
  raw = raw.substr(0, max_bytes);
  return raw.substr(0, raw.size() - incomplete_tail(raw));
}

/// Without the NULs at its end: C programs send the one behind a string, too.
std::string_view without_padding(std::string_view raw) {
  while (raw.ends_with('\0')) raw.remove_suffix(1);
  return raw;
}

/// Gives out `raw` as the message. `raw` may live in `reading.assembled`.
bool give(std::string_view raw, bool cut, const Settings& settings, Reading& reading,
          bool known_as_utf8 = false) {
  reading.cut = cut || raw.size() > settings.max_message;
  if (reading.cut) raw = cut_at(raw, settings.max_message);
  if (known_as_utf8 || is_utf8(raw)) {
    reading.text = raw;
  } else {
    reading.repaired.clear();
    append_repaired(reading.repaired, raw);
    reading.text = reading.repaired;
  }
  return true;
}

}  // namespace

std::string_view to_string(Dialect dialect) {
  switch (dialect) {
    case Dialect::kUndecided:
      return "undecided";
    case Dialect::kOriginal:
      return "original";
    case Dialect::kLine:
      return "line";
    case Dialect::kTelnet:
      return "telnet";
    case Dialect::kRaw:
      return "raw";
    case Dialect::kWebSocket:
      return "websocket";
    case Dialect::kWeb:
      return "web";
  }
  return "undecided";
}

Framer::Framer(DialectSetting setting)
    : dialect_{initial(setting)}, fixed_{setting != DialectSetting::kAuto} {
  if (dialect_ == Dialect::kWebSocket) reader_ = std::make_unique<http::WebSocketReader>();
}

bool Framer::next(std::string_view& input, Time now, const Settings& settings, Reading& reading) {
  if (reader_) return next_frame(input, settings, reading);
  if (dialect_ == Dialect::kWeb) {
    input = {};
    return false;
  }
  if (mark_ < kMarkOver) skip_mark(input, settings);
  if (input.empty()) return false;
  begun_ = begun_ || input.find_first_not_of('\0') != std::string_view::npos;
  if (is_owed()) take_owed(input, settings);
  if (!fixed_ && !reads_lines()) decide(input, settings);
  return reads_lines() ? next_line(input, now, settings, reading)
                       : next_whole(input, now, settings, reading);
}

/// A byte order mark at the start is no text and decides nothing.
void Framer::skip_mark(std::string_view& input, const Settings& settings) {
  const auto read = input;
  const auto before = mark_;
  while (!input.empty() && mark_ < kMark.size() && input.front() == kMark[mark_]) {
    input.remove_prefix(1);
    ++mark_;
  }
  if (input.empty() && mark_ < kMark.size()) return;
  if (mark_ < kMark.size()) {  // it was none
    keep(kMark.substr(0, before), settings);
    dropped_ = overlong(settings);
    input = read;
  }
  mark_ = kMarkOver;
}

/// A line end that comes by itself behind a text that quiet has ended belongs to that text.
void Framer::take_owed(std::string_view& input, const Settings& settings) {
  const char first = input.front();
  if (first == kIac && may_be_telnet()) return;  // a command may stand between
  const bool rest = owed_ == Owed::kRestOfLineEnd;
  const bool ends = rest ? first == '\n' || first == '\0' : first == '\n' || first == '\r';
  owed_ = ends && first == '\r' ? Owed::kRestOfLineEnd : Owed::kNothing;
  if (!ends) return;
  input.remove_prefix(1);
  if (!rest) become(Dialect::kLine, settings);
}

/// Looks for the first byte that says what an undecided or original client is.
void Framer::decide(std::string_view& input, const Settings& settings) {
  bool after_cr = after_cr_ && !after_iac_;
  bool after_iac = after_iac_;
  after_iac_ = false;
  for (std::size_t i = 0; i < input.size(); ++i) {
    // Up to the next byte that may decide; most reads have none.
    if (!after_cr && !after_iac) {
      i = find_special(input, i);
      if (i == input.size()) break;
    }
    const char byte = input[i];
    if (after_iac && is_telnet_command(byte)) {
      // What came before IAC is kept as it is, however it was cut.
      keep(input.substr(0, i == 0 ? 0 : i - 1), settings);
      input.remove_prefix(i);
      become(Dialect::kTelnet, settings);
      after_iac_ = true;
      return;
    }
    if (after_iac && i == 0) keep(kIacText, settings);  // of the read before: it was none
    const bool erases = byte == kBackspace || byte == kDelete;
    if (byte == '\n' || (byte == '\0' && after_cr) || erases) {
      become(Dialect::kLine, settings);
      return;
    }
    after_cr = byte == '\r';
    after_iac = byte == kIac;
  }
  if (after_iac) {
    after_iac_ = true;
    if (!input.empty()) input.remove_suffix(1);
  }
  // An original client never ends what it says with CR.
  if (after_cr && dialect_ == Dialect::kOriginal) become(Dialect::kLine, settings);
}

/// From now on it reads lines. What it has kept is the beginning of one.
void Framer::become(Dialect dialect, const Settings& settings) {
  dialect_ = dialect;
  deadline_ = kNever;
  const std::string kept = std::exchange(partial_, {});
  keep_of_line(kept, settings);
  dropped_ = overlong(settings);
}

void Framer::expect_lines() {
  if (!fixed_ && dialect_ == Dialect::kUndecided) dialect_ = Dialect::kLine;
}

// ---- lines ----

bool Framer::next_line(std::string_view& input, Time now, const Settings& settings,
                       Reading& reading) {
  deadline_ = kNever;
  if (is_between_lines() && give_plain_line(input, settings, reading)) return true;
  while (!input.empty()) {
    if (is_owed()) {
      take_owed(input, settings);
      if (input.empty()) break;
    }
    if (next_part(input, settings, reading)) return true;
  }
  if (after_cr_) wait_for_quiet(now, settings);
  return false;
}

bool Framer::is_between_lines() const {
  const bool waits = is_owed() || after_cr_ || after_iac_ || commands_.inside();
  return partial_.empty() && !skipping_ && !waits;
}

/// The usual case: a whole line, of which nothing is copied.
bool Framer::give_plain_line(std::string_view& input, const Settings& settings, Reading& reading) {
  // No further than that: where lines end with something else, all would be searched each time.
  const auto end = input.substr(0, settings.max_message + 2).find('\n');
  if (end == std::string_view::npos) return false;
  auto line = input.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool ascii = is_printable_ascii(line);
  if (!ascii && find_special(line) != line.size()) return false;
  input.remove_prefix(end + 1);
  return give(line, false, settings, reading, ascii);
}

/// Reads a run of ordinary bytes, or one other byte.
bool Framer::next_part(std::string_view& input, const Settings& settings, Reading& reading) {
  if (commands_.inside()) {
    const auto step = commands_.take(input.front(), reading.reply);
    if (step != TelnetCommands::Step::kNotOfIt) input.remove_prefix(1);
    return false;
  }
  if (after_iac_) {
    read_after_iac(input, settings);
  } else if (const auto run = input.substr(0, find_special(input)); !run.empty()) {
    input.remove_prefix(run.size());
    after_cr_ = false;
    keep_of_line(run, settings);
  } else {
    const char byte = input.front();
    input.remove_prefix(1);
    if (is_line_end(byte)) return end_line(settings, reading);
    read_special(byte, settings);
  }
  if (skipping_ || !overlong(settings)) return false;
  dropped_ = true;
  (void)give_all(settings, reading);
  return skipping_ = true;
}

/// CR NUL is a line end like CR LF: RFC 1123, section 3.3.1. Whatever a telnet client sends
/// behind its CR, that one has ended the line.
bool Framer::is_line_end(char byte) {
  if (byte == '\r' && dialect_ == Dialect::kTelnet) {
    owed_ = Owed::kRestOfLineEnd;
    return true;
  }
  return byte == '\n' || (byte == '\0' && after_cr_);
}

void Framer::read_special(char byte, const Settings& settings) {
  after_cr_ = byte == '\r';
  if (byte == kIac && may_be_telnet()) {
    after_iac_ = true;
  } else if (byte == kBackspace || byte == kDelete) {
    erase_character();
  } else {
    keep_of_line({&byte, 1}, settings);
  }
}

/// IAC came; without a command behind it, it is ill-formed text like any other.
void Framer::read_after_iac(std::string_view& input, const Settings& settings) {
  after_iac_ = false;
  const char byte = input.front();
  if (is_telnet_command(byte)) {
    input.remove_prefix(1);
    if (dialect_ != Dialect::kTelnet) become(Dialect::kTelnet, settings);
    const auto step = commands_.begin(byte);
    if (step == TelnetCommands::Step::kEraseCharacter) erase_character();
    if (step == TelnetCommands::Step::kEraseLine && !skipping_) {
      partial_.clear();
      dropped_ = false;
    }
    return;
  }
  if (byte == kIac && dialect_ == Dialect::kTelnet) input.remove_prefix(1);  // IAC IAC is a 255
  after_cr_ = false;
  keep_of_line(kIacText, settings);
}

bool Framer::end_line(const Settings& settings, Reading& reading) {
  after_cr_ = false;
  if (skipping_) {
    skipping_ = false;
    return false;
  }
  if (!dropped_ && partial_.ends_with('\r')) partial_.pop_back();
  return give_all(settings, reading);
}

void Framer::keep_of_line(std::string_view bytes, const Settings& settings) {
  if (bytes.empty()) return;
  owed_ = Owed::kNothing;
  if (!skipping_) keep(bytes, settings);
}

/// The client has no line editing of its own, and took back the last character.
void Framer::erase_character() {
  if (skipping_ || dropped_) return;
  while (!partial_.empty() && (static_cast<unsigned char>(partial_.back()) & 0xC0U) == 0x80U) {
    partial_.pop_back();
  }
  if (!partial_.empty()) partial_.pop_back();
}

/// Whether the unfinished line is certainly longer than max_message. It remains so, even if the
/// next byte erases a character: whoever keeps bytes without looking at the next one sets
/// dropped_ to this.
bool Framer::overlong(const Settings& settings) const {
  if (dropped_) return true;
  return partial_.size() > settings.max_message && !partial_.ends_with('\r');
}

// ---- messages without line ends ----

bool Framer::next_whole(std::string_view& input, Time now, const Settings& settings,
                        Reading& reading) {
  auto bytes = std::exchange(input, {});
  if (dialect_ == Dialect::kUndecided) {
    keep(bytes, settings);
    if (!partial_.empty() || after_iac_) wait_for_quiet(now, settings);
    return false;
  }
  if (bytes.empty() && !after_iac_) return false;
  if (partial_.empty() && !after_iac_ && is_whole(bytes)) {
    return give_text(bytes, false, settings, reading);
  }
  keep(bytes, settings);
  if (!after_iac_ && !dropped_ && is_whole(partial_)) return give_all(settings, reading);
  wait_for_quiet(now, settings);
  return false;
}

/// Whether what one read brought needs no waiting: it is no longer than all that the original
/// server could read, and ends with a whole character.
bool Framer::is_whole(std::string_view bytes) const {
  const bool fits = dialect_ == Dialect::kRaw || bytes.size() <= kOriginalRead;
  return fits && incomplete_tail(bytes) == 0;
}

bool Framer::expire(Time now, const Settings& settings, Reading& reading) {
  if (now < deadline_) return false;
  if (reader_) {
    http::append_ping(reading.reply, {});
    written(now);
    return false;
  }
  if (dialect_ == Dialect::kLine) {  // CR, and then quiet
    deadline_ = kNever;
    owed_ = Owed::kRestOfLineEnd;
    return end_line(settings, reading);
  }
  keep_open_iac(settings);
  if (!dropped_ && incomplete_tail(partial_) > 0 && now < last_byte_ + kCharacterWait) {
    deadline_ = last_byte_ + kCharacterWait;
    return false;
  }
  return end_by_quiet(settings, reading);
}

/// IAC came last, and no command behind it.
void Framer::keep_open_iac(const Settings& settings) {
  if (after_iac_) keep(kIacText, settings);
  after_iac_ = false;
}

/// No more came behind what is kept.
bool Framer::end_by_quiet(const Settings& settings, Reading& reading) {
  if (dialect_ == Dialect::kUndecided && after_cr_) {
    become(Dialect::kLine, settings);
    const bool given = end_line(settings, reading);
    owed_ = Owed::kRestOfLineEnd;
    return given;
  }
  if (dialect_ == Dialect::kUndecided) dialect_ = Dialect::kOriginal;
  return give_all(settings, reading);
}

bool Framer::finish(const Settings& settings, Reading& reading) {
  // A message of a WebSocket that was broken off is none, and nobody can tell what was to come.
  if (reader_ || dialect_ == Dialect::kWeb) return false;
  if (mark_ < kMark.size()) keep(kMark.substr(0, std::exchange(mark_, kMarkOver)), settings);
  keep_open_iac(settings);
  if (reads_lines() && after_cr_) return end_line(settings, reading);
  if (partial_.empty()) return false;
  return end_by_quiet(settings, reading);
}

// ---- what is kept, and given ----

/// Keeps one byte more than max_message: it may be the CR of the line's end.
void Framer::keep(std::string_view bytes, const Settings& settings) {
  const bool takes_lines = reads_lines() || dialect_ == Dialect::kUndecided;
  if (takes_lines && partial_.empty()) {  // padding behind the end of what came before
    bytes.remove_prefix(std::min(bytes.find_first_not_of('\0'), bytes.size()));
  }
  if (bytes.empty()) return;
  if (!reads_lines()) after_cr_ = bytes.ends_with('\r');
  const auto most = settings.max_message + 1;
  const auto room = most > partial_.size() ? most - partial_.size() : 0;
  if (bytes.size() > room) dropped_ = true;
  partial_ += bytes.substr(0, room);
}

/// Quiet ends what is pending: soon, or, where only the rest of a character is
/// missing from a message that would be complete, after the wait for that.
void Framer::wait_for_quiet(Time now, const Settings& settings) {
  last_byte_ = now;
  const bool whole = dialect_ == Dialect::kRaw ||
                     (dialect_ == Dialect::kOriginal && partial_.size() <= kOriginalRead);
  deadline_ = settings.settle > Duration{0} ? now + settings.settle
              : whole && !dropped_          ? now + kCharacterWait
                                            : kNever;
}

bool Framer::give_all(const Settings& settings, Reading& reading) {
  // The memory goes with the message: a quiet client keeps none.
  reading.assembled = std::exchange(partial_, {});
  deadline_ = kNever;
  const bool cut = dropped_;
  dropped_ = false;
  return give_text(reading.assembled, cut, settings, reading);
}

/// False if there was nothing but padding in a message without a line end.
bool Framer::give_text(std::string_view bytes, bool cut, const Settings& settings,
                       Reading& reading) {
  if (dialect_ == Dialect::kRaw) return give(bytes, cut, settings, reading);
  const auto text = cut ? bytes : without_padding(bytes);
  if (dialect_ == Dialect::kOriginal) {
    after_cr_ = false;
    if (!fixed_) owed_ = Owed::kLineEnd;
    if (text.empty()) return false;
  }
  return give(text, cut, settings, reading);
}

}  // namespace chatd::core
