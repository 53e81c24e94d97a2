/// Bytes of one client to messages, in whichever dialect it speaks, which is found out.
/// Bytes in, messages out: it knows no session and no clock.
///
/// A client of an `auto` listener is undecided until its bytes decide:
///
/// | what comes                                      | makes it                         |
/// | ----------------------------------------------- | -------------------------------- |
/// | LF, or CR NUL, or CR and then quiet, or BS, DEL | `line`, for good                 |
/// | IAC and a command                               | `telnet`, for good, at any time  |
/// | other bytes, and then quiet                     | `original`, until one of those   |
/// | a byte order mark at the start, or padding (NUL) | nothing                         |
///
/// Invariants: of an unfinished message at most max_message + 1 bytes are kept; for line and telnet
/// clients any way of cutting the bytes into reads gives the same messages, but for a CR that is
/// the last byte before quiet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/settings.hpp"
#include "core/telnet.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

enum class Dialect : std::uint8_t { kUndecided, kOriginal, kLine, kTelnet, kRaw };

/// "undecided", "original", "line", "telnet" or "raw".
std::string_view to_string(Dialect dialect);

/// What a framer works with besides its own state; one for all framers of a
/// thread. `text` is the message found last: well-formed UTF-8, valid until the
/// next call of any framer that shares this, or until its input goes.
struct Reading {
  std::string_view text;
  bool cut = false;   ///< it was longer than max_message
  std::string reply;  ///< telnet refusals to be sent to the client; the caller clears it

  std::string assembled;  ///< memory behind `text`
  std::string repaired;   ///< memory behind `text`
};

class Framer {
 public:
  explicit Framer(DialectSetting setting);

  /// Reads `input` from its front, at most to the end of one message, and removes what it
  /// has read. True if `reading` holds a message; then there may be more in `input`. False
  /// if all was read and no message is complete. `input` is what one read of the connection
  /// brought, or the rest of it: for the dialects without line ends the end of a read means
  /// something.
  bool next(std::string_view& input, Time now, const Settings& settings, Reading& reading);

  /// It must be called when deadline() has come. True if the quiet has made a message.
  bool expire(Time now, const Settings& settings, Reading& reading);

  /// The client will send no more: true if what was pending is a message.
  bool finish(const Settings& settings, Reading& reading);

  /// Somebody who has said nothing for a while is a person, who types lines: an undecided
  /// client of an `auto` listener is `line` from now on.
  void expect_lines();

  /// Whether a byte came that counts: not of a byte order mark, and no padding.
  [[nodiscard]] bool has_begun() const { return begun_; }

  /// Writes down the state, and reads it back into a framer that was just made. What
  /// cannot be is refused by the reader; then this is good for nothing. Of a message that
  /// has begun at most `most` bytes are written down; the rest is as if it were too long.
  void save(ByteWriter& out, Time now, std::size_t most) const;
  void restore(ByteReader& in, Time now);

  /// Memory for the unfinished message.
  [[nodiscard]] std::size_t kept_bytes() const { return partial_.capacity(); }

  /// When expire() is to be called; kNever while nothing waits for quiet.
  [[nodiscard]] Time deadline() const { return deadline_; }
  [[nodiscard]] Dialect dialect() const { return dialect_; }

 private:
  static constexpr std::uint8_t kMarkOver = 4;

  /// What belongs to the message before, should it come next: a line end that comes by itself,
  /// or the rest of one.
  enum class Owed : std::uint8_t { kNothing, kLineEnd, kRestOfLineEnd };

  bool reads_lines() const { return dialect_ == Dialect::kLine || dialect_ == Dialect::kTelnet; }
  /// A command of telnet may stand between a text and its line end.
  bool is_owed() const { return owed_ != Owed::kNothing && !after_iac_ && !commands_.inside(); }
  bool may_be_telnet() const { return !fixed_ || dialect_ == Dialect::kTelnet; }

  void restore_version_6(ByteReader& in);
  void skip_mark(std::string_view& input, const Settings& settings);
  void take_owed(std::string_view& input, const Settings& settings);
  void decide(std::string_view& input, const Settings& settings);
  void become(Dialect dialect, const Settings& settings);
  bool next_line(std::string_view& input, Time now, const Settings& settings, Reading& reading);
  [[nodiscard]] bool is_between_lines() const;
  bool give_plain_line(std::string_view& input, const Settings& settings, Reading& reading);
  bool next_part(std::string_view& input, const Settings& settings, Reading& reading);
  bool is_line_end(char byte);
  void read_special(char byte, const Settings& settings);
  void read_after_iac(std::string_view& input, const Settings& settings);
  bool end_line(const Settings& settings, Reading& reading);
  void keep_of_line(std::string_view bytes, const Settings& settings);
  void erase_character();
  [[nodiscard]] bool overlong(const Settings& settings) const;

  bool next_whole(std::string_view& input, Time now, const Settings& settings, Reading& reading);

  [[nodiscard]] bool is_whole(std::string_view bytes) const;
  void keep_open_iac(const Settings& settings);
  bool end_by_quiet(const Settings& settings, Reading& reading);

  void keep(std::string_view bytes, const Settings& settings);
  void wait_for_quiet(Time now, const Settings& settings);
  bool give_all(const Settings& settings, Reading& reading);
  bool give_text(std::string_view bytes, bool cut, const Settings& settings, Reading& reading);

  std::string partial_;     ///< the unfinished message
  Time deadline_ = kNever;  ///< of the quiet that is waited for
  Time last_byte_{};        ///< when it began
  TelnetCommands commands_;
  Dialect dialect_;
  Owed owed_ = Owed::kNothing;
  std::uint8_t mark_ = 0;       ///< bytes of a byte order mark at the start; then kMarkOver
  bool fixed_ : 1;              ///< by the listener: nothing changes the dialect
  bool begun_ : 1 = false;      ///< see has_begun()
  bool dropped_ : 1 = false;    ///< bytes after partial_ were not kept
  bool skipping_ : 1 = false;   ///< the message was given out cut; up to its end all is dropped
  bool after_cr_ : 1 = false;   ///< line: the last byte was a CR
  bool after_iac_ : 1 = false;  ///< the last byte was IAC, which the next may make a command
};

}  // namespace chatd::core
