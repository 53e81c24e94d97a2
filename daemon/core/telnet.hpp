/// The commands of the telnet protocol among the bytes of a client: RFC 854, RFC 855. Every
/// option is refused, so a client may begin no subnegotiation; one that does all the same ends
/// at its IAC SE, or at an LF: no line end is ever swallowed. Bytes in, refusals out.
#pragma once

#include <cstdint>
#include <string>

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

/// IAC: the byte before each command. It is never part of UTF-8.
inline constexpr char kIac = static_cast<char>(0xFF);

/// Whether a byte behind IAC makes a command of both: F0 (SE) to FE (DONT).
[[nodiscard]] constexpr bool is_telnet_command(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code >= 0xF0 && code <= 0xFE;
}

class TelnetCommands {
 public:
  /// What a byte amounts to.
  enum class Step : std::uint8_t {
    kInside,          ///< the command has begun, or goes on
    kOver,            ///< with it the command is over
    kEraseCharacter,  ///< and it was EC
    kEraseLine,       ///< and it was EL
    kNotOfIt,         ///< the command is over, and the byte is data
  };

  /// Whether a command has begun and is not over.
  [[nodiscard]] bool inside() const { return state_ != State::kNone; }

  /// IAC came, and then `byte`, of which is_telnet_command() is true.
  Step begin(char byte);
  /// The next byte of a command, while inside(). What is to be answered is appended to
  /// `reply`: one refusal of an option, of three bytes, at most. A refusal is not answered, for
  /// that could go on for ever (RFC 854, page 2).
  Step take(char byte, std::string& reply);

  /// Writes down the state, and reads it back, as Framer's.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);
  /// The same of what chatd 0.1.0 wrote down. Returns whether IAC came last.
  bool restore_version_6(ByteReader& in);

 private:
  enum class State : std::uint8_t { kNone, kOption, kSubnegotiation, kSubnegotiationIac };

  State state_ = State::kNone;
  unsigned char verb_ = 0;  ///< DO, DONT, WILL or WONT, while kOption
};

}  // namespace chatd::core
