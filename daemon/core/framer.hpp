/// Turns the bytes of one client into messages, and finds out which dialect it speaks.
/// It knows no session and no clock.
///
/// A client is undecided until its bytes decide. LF makes it `line`, IAC makes it `telnet`, both
/// for good; other bytes followed by quiet make it `original`, until it sends an LF.
///
/// Invariants: of an unfinished message at most max_message + 1 bytes are kept; for line and telnet
/// clients any way of cutting the bytes into reads gives the same messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/settings.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

enum class Dialect : std::uint8_t { kUndecided, kOriginal, kLine, kTelnet };

/// "undecided", "original", "line" or "telnet".
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
  /// brought, or the rest of it: for the original dialect the end of a read means something.
  bool next(std::string_view& input, Time now, const Settings& settings, Reading& reading);

  /// It must be called when deadline() has come. True if the quiet has made a message.
  bool expire(Time now, const Settings& settings, Reading& reading);

  /// The client will send no more: true if what was pending is a message.
  bool finish(const Settings& settings, Reading& reading);

  /// Writes down the state, and reads it back into a framer that was just made. The reader
  /// refuses an impossible state; then this framer must not be used. Of a message that has
  /// begun at most `most` bytes are written down; what is beyond is dropped, as if too long.
  void save(ByteWriter& out, Time now, std::size_t most) const;
  void restore(ByteReader& in, Time now);

  /// When expire() is to be called; kNever while nothing waits for quiet.
  [[nodiscard]] Time deadline() const { return deadline_; }
  [[nodiscard]] Dialect dialect() const { return dialect_; }

 private:
  /// Where in an IAC sequence a telnet client is.
  enum class Telnet : std::uint8_t { kData, kCommand, kOption, kSubnegotiation, kSubcommand };

  bool next_line(std::string_view& input, const Settings& settings, Reading& reading);
  bool next_telnet(std::string_view& input, const Settings& settings, Reading& reading);
  bool next_original(std::string_view& input, Time now, const Settings& settings, Reading& reading);
  bool telnet_byte(char byte, const Settings& settings, Reading& reading);
  void keep(std::string_view bytes, const Settings& settings);
  [[nodiscard]] bool overlong(const Settings& settings) const;
  bool give_line(const Settings& settings, Reading& reading);
  void wait_for_quiet(Time now, const Settings& settings);
  bool give_all(const Settings& settings, Reading& reading);

  std::string partial_;     ///< the unfinished message
  Time deadline_ = kNever;  ///< of the quiet that is waited for
  Time last_byte_{};        ///< when it began
  Dialect dialect_;
  bool fixed_;             ///< by the listener: LF does not change it
  bool dropped_ = false;   ///< bytes after partial_ were not kept
  bool skipping_ = false;  ///< the message was given out cut; up to its end all is dropped
  bool after_cr_ = false;  ///< telnet: the last byte of data was CR
  Telnet telnet_ = Telnet::kData;
  unsigned char verb_ = 0;  ///< telnet: DO, DONT, WILL or WONT, while kOption
};

}  // namespace chatd::core
