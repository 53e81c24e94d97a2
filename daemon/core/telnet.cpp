#include "core/telnet.hpp"

#include <cassert>

#include "base/bytes.hpp"

namespace chatd::core {

namespace {

// RFC 854.
constexpr unsigned char kDont = 254;
constexpr unsigned char kDo = 253;
constexpr unsigned char kWont = 252;
constexpr unsigned char kWill = 251;
constexpr unsigned char kSb = 250;
constexpr unsigned char kEl = 248;
constexpr unsigned char kEc = 247;
constexpr unsigned char kSe = 240;

}  // namespace

TelnetCommands::Step TelnetCommands::begin(char byte) {
  assert(!inside() && is_telnet_command(byte));
  const auto code = static_cast<unsigned char>(byte);
  if (code >= kWill) {
    verb_ = code;
    state_ = State::kOption;
    return Step::kInside;
  }
  if (code == kSb) {
    state_ = State::kSubnegotiation;
    return Step::kInside;
  }
  return code == kEc ? Step::kEraseCharacter : code == kEl ? Step::kEraseLine : Step::kOver;
}

TelnetCommands::Step TelnetCommands::take(char byte, std::string& reply) {
  assert(inside());
  const bool escaped = state_ == State::kSubnegotiationIac;
  if (state_ == State::kOption) {
    if (verb_ == kDo || verb_ == kWill) {
      reply += kIac;
      reply += static_cast<char>(verb_ == kDo ? kWont : kDont);
      reply += byte;
    }
    state_ = State::kNone;
    return Step::kOver;
  }
  if (byte == '\n') {
    state_ = State::kNone;
    return Step::kNotOfIt;
  }
  if (escaped && static_cast<unsigned char>(byte) == kSe) {
    state_ = State::kNone;
    return Step::kOver;
  }
  state_ = byte == kIac && !escaped ? State::kSubnegotiationIac : State::kSubnegotiation;
  return Step::kInside;
}

void TelnetCommands::save(ByteWriter& out) const {
  out.enumerator(state_);
  out.number(verb_);
}

void TelnetCommands::restore(ByteReader& in) {
  state_ = in.enumerator(State::kSubnegotiationIac);
  verb_ = in.number<unsigned char>();
  in.require(state_ != State::kOption || verb_ >= kWill);
}

bool TelnetCommands::restore_version_6(ByteReader& in) {
  enum class Old : std::uint8_t { kNone, kCommand, kOption, kSubnegotiation, kSubnegotiationIac };
  const auto old = in.enumerator(Old::kSubnegotiationIac);
  verb_ = in.number<unsigned char>();
  state_ = old == Old::kOption              ? State::kOption
           : old == Old::kSubnegotiation    ? State::kSubnegotiation
           : old == Old::kSubnegotiationIac ? State::kSubnegotiationIac
                                            : State::kNone;
  in.require(state_ != State::kOption || verb_ >= kWill);
  return old == Old::kCommand;
}

}  // namespace chatd::core
