#include "core/framer.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace chatd::core {

namespace {

// RFC 854.
constexpr unsigned char kIac = 255;
constexpr unsigned char kDont = 254;
constexpr unsigned char kDo = 253;
constexpr unsigned char kWont = 252;
constexpr unsigned char kWill = 251;
constexpr unsigned char kSb = 250;
constexpr unsigned char kSe = 240;

constexpr char kIacChar = static_cast<char>(kIac);

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
  }
  return Dialect::kUndecided;
}

/// The first `max_bytes` of raw bytes, without the beginning of a character that
/// does not fit whole.
std::string_view cut_at(std::string_view raw, std::size_t max_bytes) {
  raw = raw.substr(0, max_bytes);
  return raw.substr(0, raw.size() - incomplete_tail(raw));
}

/// Gives out `raw` as the message. `raw` may live in `reading.assembled`.
bool give(std::string_view raw, bool cut, const Settings& settings, Reading& reading) {
  reading.cut = cut || raw.size() > settings.max_message;
  if (reading.cut) raw = cut_at(raw, settings.max_message);
  if (is_utf8(raw)) {
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
  }
  return "undecided";
}

Framer::Framer(DialectSetting setting)
    : dialect_{initial(setting)}, fixed_{setting != DialectSetting::kAuto} {}

bool Framer::next(std::string_view& input, Time now, const Settings& settings, Reading& reading) {
  if (!fixed_ && (dialect_ == Dialect::kUndecided || dialect_ == Dialect::kOriginal)) {
    const auto line_feed = input.find('\n');
    const auto iac = dialect_ == Dialect::kUndecided ? input.substr(0, line_feed).find(kIacChar)
                                                     : std::string_view::npos;
    if (iac != std::string_view::npos) {
      // What came before the first IAC is kept as if a read had ended there: else a CR
      // NUL in it would be the end of a line or not, by how the bytes were cut.
      keep(input.substr(0, iac), settings);
      input.remove_prefix(iac);
      dialect_ = Dialect::kTelnet;
    } else if (line_feed != std::string_view::npos) {
      dialect_ = Dialect::kLine;
    }
    if (dialect_ == Dialect::kTelnet || dialect_ == Dialect::kLine) {
      deadline_ = kNever;
      after_cr_ = !dropped_ && partial_.ends_with('\r');
    }
  }
  switch (dialect_) {
    case Dialect::kUndecided:
      if (!input.empty()) {
        keep(input, settings);
        input = {};
        wait_for_quiet(now, settings);
      }
      return false;
    case Dialect::kOriginal:
      return next_original(input, now, settings, reading);
    case Dialect::kLine:
      return next_line(input, settings, reading);
    case Dialect::kTelnet:
      return next_telnet(input, settings, reading);
  }
  return false;
}

bool Framer::next_line(std::string_view& input, const Settings& settings, Reading& reading) {
  while (!input.empty()) {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (end == std::string_view::npos) {
      if (skipping_) return false;
      keep(line, settings);
      if (!overlong(settings)) return false;
      (void)give_all(settings, reading);
      return skipping_ = true;
    }
    if (std::exchange(skipping_, false)) continue;
    if (partial_.empty()) {  // the usual case: nothing is copied
      return give(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line, false, settings,
                  reading);
    }
    keep(line, settings);
    return give_line(settings, reading);
  }
  return false;
}

bool Framer::next_telnet(std::string_view& input, const Settings& settings, Reading& reading) {
  while (!input.empty()) {
    if (telnet_ == Telnet::kData && !after_cr_) {  // a run of plain data at once
      const auto special = std::find_if(input.begin(), input.end(), [](char c) {
        return c == kIacChar || c == '\n' || c == '\r';
      });
      const auto run = input.substr(0, static_cast<std::size_t>(special - input.begin()));
      input.remove_prefix(run.size());
      if (!skipping_) {
        keep(run, settings);
        if (overlong(settings)) {
          (void)give_all(settings, reading);
          return skipping_ = true;
        }
      }
      if (input.empty()) return false;
    }
    const char byte = input.front();
    input.remove_prefix(1);
    if (telnet_byte(byte, settings, reading)) return true;
  }
  return false;
}

bool Framer::telnet_byte(char byte, const Settings& settings, Reading& reading) {
  const auto code = static_cast<unsigned char>(byte);
  switch (telnet_) {
    case Telnet::kData:
      if (code == kIac) {
        telnet_ = Telnet::kCommand;
        return false;
      }
      break;
    case Telnet::kCommand:
      if (code == kIac) {  // an escaped 255 is data
        telnet_ = Telnet::kData;
        break;
      }
      if (code >= kWill) {
        verb_ = code;
        telnet_ = Telnet::kOption;
      } else {
        telnet_ = code == kSb ? Telnet::kSubnegotiation : Telnet::kData;
      }
      return false;
    case Telnet::kOption:
      // Every option is refused. A refusal is not answered: that could go on for ever.
      if (verb_ == kDo || verb_ == kWill) {
        reading.reply += kIacChar;
        reading.reply += static_cast<char>(verb_ == kDo ? kWont : kDont);
        reading.reply += byte;
      }
      telnet_ = Telnet::kData;
      return false;
    case Telnet::kSubnegotiation:
      if (code == kIac) telnet_ = Telnet::kSubcommand;
      return false;
    case Telnet::kSubcommand:
      telnet_ = code == kSe ? Telnet::kData : Telnet::kSubnegotiation;
      return false;
  }
  // CR NUL is the other form of the end of a line: RFC 1123, 3.3.1.
  const bool end = byte == '\n' || (byte == '\0' && after_cr_);
  after_cr_ = byte == '\r';
  if (end) {
    if (std::exchange(skipping_, false)) return false;
    return give_line(settings, reading);
  }
  if (skipping_) return false;
  keep({&byte, 1}, settings);
  if (!overlong(settings)) return false;
  (void)give_all(settings, reading);
  return skipping_ = true;
}

bool Framer::next_original(std::string_view& input, Time now, const Settings& settings,
                           Reading& reading) {
  const auto bytes = std::exchange(input, {});
  if (bytes.empty()) return false;
  if (partial_.empty() && bytes.size() <= kOriginalRead && incomplete_tail(bytes) == 0) {
    return give(bytes, false, settings, reading);
  }
  keep(bytes, settings);
  if (!dropped_ && partial_.size() <= kOriginalRead && incomplete_tail(partial_) == 0) {
    return give_all(settings, reading);
  }
  wait_for_quiet(now, settings);
  return false;
}

bool Framer::expire(Time now, const Settings& settings, Reading& reading) {
  if (now < deadline_) return false;
  if (!dropped_ && incomplete_tail(partial_) > 0 && now < last_byte_ + kCharacterWait) {
    deadline_ = last_byte_ + kCharacterWait;
    return false;
  }
  if (dialect_ == Dialect::kUndecided) dialect_ = Dialect::kOriginal;
  return give_all(settings, reading);
}

bool Framer::finish(const Settings& settings, Reading& reading) {
  if (partial_.empty()) return false;
  if (dialect_ == Dialect::kUndecided) dialect_ = Dialect::kOriginal;
  return give_all(settings, reading);
}

/// Keeps one byte more than max_message: it may be the CR of the line's end.
void Framer::keep(std::string_view bytes, const Settings& settings) {
  const auto most = settings.max_message + 1;
  const auto room = most > partial_.size() ? most - partial_.size() : 0;
  if (bytes.size() > room) dropped_ = true;
  partial_ += bytes.substr(0, room);
}

/// Whether the unfinished line is certainly longer than max_message.
bool Framer::overlong(const Settings& settings) const {
  if (dropped_) return true;
  return partial_.size() > settings.max_message && !partial_.ends_with('\r');
}

bool Framer::give_line(const Settings& settings, Reading& reading) {
  if (!dropped_ && partial_.ends_with('\r')) partial_.pop_back();
  return give_all(settings, reading);
}

/// Quiet ends what is pending: soon, or, where only the rest of a character is
/// missing from a message that would be complete, after the wait for that.
void Framer::wait_for_quiet(Time now, const Settings& settings) {
  last_byte_ = now;
  // A short original message waits for nothing but the rest of a character.
  const bool short_original =
      dialect_ == Dialect::kOriginal && !dropped_ && partial_.size() <= kOriginalRead;
  deadline_ = settings.settle > Duration{0} ? now + settings.settle
              : short_original              ? now + kCharacterWait
                                            : kNever;
}

bool Framer::give_all(const Settings& settings, Reading& reading) {
  // The memory goes with the message: a quiet client keeps none.
  reading.assembled = std::exchange(partial_, {});
  deadline_ = kNever;
  return give(reading.assembled, std::exchange(dropped_, false), settings, reading);
}

}  // namespace chatd::core
