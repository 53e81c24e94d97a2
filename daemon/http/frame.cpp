#include "http/frame.hpp"

#include <cassert>

#include "base/text.hpp"

namespace chatd::http {
namespace {

constexpr std::uint8_t kFinal = 0x80;
/// From here on the length does not fit into its seven bits (section 5.2).
constexpr std::size_t kTwoBytes = 126;
constexpr std::size_t kEightBytes = 65'536;

void append_number(std::string& out, std::uint64_t value, unsigned bytes) {
  while (bytes > 0) {
    --bytes;
    out += static_cast<char>(static_cast<std::uint8_t>(value >> (8 * bytes)));
  }
}

void append_head(std::string& out, Opcode opcode, std::size_t size) {
  out += static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode));
  if (size < kTwoBytes) {
    append_number(out, size, 1);
  } else if (size < kEightBytes) {
    append_number(out, 126, 1);
    append_number(out, size, 2);
  } else {
    append_number(out, 127, 1);
    append_number(out, size, 8);
  }
}

void append_control(std::string& out, Opcode opcode, std::string_view bytes) {
  assert(bytes.size() <= kMostControl);
  append_head(out, opcode, bytes.size());
  out += bytes;
}

}  // namespace

bool is_close_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

void append_text(std::string& out, std::string_view text) {
  append_head(out, Opcode::kText, text.size());
  out += text;
}

void append_ping(std::string& out, std::string_view bytes) {
  append_control(out, Opcode::kPing, bytes);
}

void append_pong(std::string& out, std::string_view bytes) {
  append_control(out, Opcode::kPong, bytes);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == kNoCode) return append_head(out, Opcode::kClose, 0);
  assert(is_close_code(code));
  reason = prefix_of(reason, kMostControl - sizeof code);
  append_head(out, Opcode::kClose, sizeof code + reason.size());
  append_number(out, code, sizeof code);
  out += reason;
}

}  // namespace chatd::http
