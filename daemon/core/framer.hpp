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
/// Nobody becomes `websocket` or `web`: these are from their first byte. A WebSocket is RFC 6455,
/// section 5, by http::WebSocketReader: texts are messages, what is wrong ends it; pings are
/// answered, and it is pinged. To a `web` client there are no bytes: what comes is dropped.
///
/// Invariants: of an unfinished message at most max_message + 1 bytes are kept; for line, telnet
/// and websocket clients any way of cutting the bytes into reads gives the same messages, but for a
/// CR that is the last byte before quiet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/settings.hpp"
#include "core/telnet.hpp"
#include "http/frame.hpp"
#include "http/websocket.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

enum class Dialect : std::uint8_t {
  kUndecided,
  kOriginal,
  kLine,
  kTelnet,
  kRaw,
  kWebSocket,
  kWeb,
};

/// "undecided", "original", "line", "telnet", "raw", "websocket" or "web".
std::string_view to_string(Dialect dialect);

/// What a framer works with besides its own state; one for all framers of a
/// thread. `text` is the message found last: well-formed UTF-8, valid until the
/// next call of any framer that shares this, or until its input goes.
struct Reading {
  std::string_view text;
  bool cut = false;   ///< it was longer than max_message
  std::string reply;  ///< to be sent to the client at once; the caller clears it
  /// Answers the last ping, as RFC 6455, section 5.5.3, allows: to be sent when all of what one
  /// read brought is read, unless the client is ended by then. The caller clears it.
  std::string pong;
  /// A WebSocket is to be ended: why, and the close frame for it. Empty: it is not. The caller
  /// clears it.
  std::string ended;
  std::uint16_t close_code = http::kNormalClosure;
  bool is_fault = false;  ///< `ended` is told to the client, too

  std::string assembled;       ///< memory behind `text`
  std::string repaired;        ///< memory behind `text`
  http::WebSocketEvent event;  ///< memory behind `text`
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

  /// It must be called when deadline() has come. True if the quiet has made a message. A WebSocket
  /// is pinged, by `reading.reply`.
  bool expire(Time now, const Settings& settings, Reading& reading);

  /// The client will send no more: true if what was pending is a message.
  bool finish(const Settings& settings, Reading& reading);

  /// Somebody who has said nothing for a while is a person, who types lines: an undecided
  /// client of an `auto` listener is `line` from now on.
  void expect_lines();

  /// Something is written to the client: a WebSocket needs no ping before kPingAfter. For one it
  /// must be called once before all else.
  void written(Time now);

  /// Whether a byte came that counts: not of a byte order mark, and no padding. Of a WebSocket, a
  /// message: pings and pongs come from programs.
  [[nodiscard]] bool has_begun() const { return begun_; }

  /// Writes down the state, and reads it back into a framer that was just made. What
  /// cannot be is refused by the reader; then this is good for nothing. Of a message that
  /// has begun at most `most` bytes are written down; the rest is as if it were too long. A
  /// WebSocket is written down as if it had read `skipped`, of which nothing is heard: whoever
  /// leaves out frames must know where the next one begins.
  void save(ByteWriter& out, Time now, std::size_t most, std::string_view skipped = {}) const;
  void restore(ByteReader& in, Time now);

  /// Memory for the unfinished message, and what a WebSocket takes beside it.
  [[nodiscard]] std::size_t kept_bytes() const {
    return partial_.capacity() + (reader_ ? sizeof *reader_ + reader_->kept_bytes() : 0);
  }

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

  // framer_websocket.cpp
  bool next_frame(std::string_view& input, const Settings& settings, Reading& reading);
  bool take_event(Reading& reading);

  std::string partial_;     ///< the unfinished message
  Time deadline_ = kNever;  ///< of the quiet that is waited for; of the next ping
  Time last_byte_{};        ///< when that quiet began
  std::unique_ptr<http::WebSocketReader> reader_;  ///< of a WebSocket alone
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
