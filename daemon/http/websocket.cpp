#include "http/websocket.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/memory.hpp"
#include "base/text.hpp"

namespace chatd::http {
namespace {

constexpr std::uint8_t kFinalBit = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kOpcodeBits = 0x0F;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kLengthBits = 0x7F;
/// Said by the seven bits of the length: two bytes follow, or eight (section 5.2).
constexpr std::uint8_t kTwoFollow = 126;
constexpr std::uint8_t kEightFollow = 127;

bool is_opcode(std::uint8_t value) {
  return value <= static_cast<std::uint8_t>(Opcode::kBinary) ||
         (value >= static_cast<std::uint8_t>(Opcode::kClose) &&
          value <= static_cast<std::uint8_t>(Opcode::kPong));
}

/// Section 5.3. `mask` begins with the byte for the first of `bytes`.
void unmask(std::string& bytes, std::array<std::uint8_t, 4> mask) {
  std::uint64_t mask_word = 0;
  std::memcpy(&mask_word, mask.data(), mask.size());
  std::memcpy(reinterpret_cast<char*>(&mask_word) + mask.size(), mask.data(), mask.size());
  std::size_t at = 0;
  for (; at + sizeof mask_word <= bytes.size(); at += sizeof mask_word) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    word ^= mask_word;
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  for (; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(static_cast<std::uint8_t>(bytes[at]) ^ mask[at % mask.size()]);
  }
}

}  // namespace

CloseCode close_code_of(FrameFault fault) {
  switch (fault) {
    case FrameFault::kNone:
      return kNormalClosure;
    case FrameFault::kTooBig:
      return kMessageTooBig;
    case FrameFault::kBinary:
      return kUnsupportedData;
    case FrameFault::kNotUtf8:
      return kInvalidPayload;
    default:
      return kProtocolError;
  }
}

std::string_view to_string(FrameFault fault) {
  switch (fault) {
    case FrameFault::kNone:
      return "has done nothing wrong";
    case FrameFault::kReserved:
      return "has sent a frame with a reserved bit";
    case FrameFault::kOpcode:
      return "has sent a frame with a reserved opcode";
    case FrameFault::kUnmasked:
      return "has sent a frame without a mask";
    case FrameFault::kLength:
      return "has sent a frame with a length that is none";
    case FrameFault::kFragmented:
      return "has sent a control frame in fragments";
    case FrameFault::kControlTooLong:
      return "has sent a control frame of more than 125 bytes";
    case FrameFault::kNothingBegun:
      return "has continued a message that it had not begun";
    case FrameFault::kNotFinished:
      return "has begun a message inside another one";
    case FrameFault::kCloseLength:
      return "has sent a close with half a code";
    case FrameFault::kCloseCode:
      return "has sent a close with a code that must not be sent";
    case FrameFault::kTooBig:
      return "has sent a message that is too long";
    case FrameFault::kBinary:
      return "has sent a binary message";
    case FrameFault::kNotUtf8:
      return "has sent text that is not UTF-8";
  }
  return "has done something wrong";
}

bool WebSocketReader::next(std::string_view& input, const WebSocketLimits& limits,
                           WebSocketEvent& event) {
  while (step_ != Step::kOver) {
    if (step_ == Step::kPayload) {
      if (read_payload(input, event)) return true;
      if (step_ == Step::kPayload) return false;  // all of the input, and it is not enough
      continue;
    }
    if (input.empty()) return false;
    const auto byte = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    const auto fault = read_head(byte, limits);
    if (fault != FrameFault::kNone) return fail(fault, event);
  }
  input = {};
  return false;
}

bool WebSocketReader::is_inside() const {
  return !is_over() && (step_ != Step::kFirst || kind_ != Opcode::kContinuation);
}

std::size_t WebSocketReader::kept_bytes() const {
  const auto in_place = std::string{}.capacity();
  return (message_.capacity() > in_place ? message_.capacity() : 0) +
         (control_.capacity() > in_place ? control_.capacity() : 0);
}

// ---- the head of a frame ----

FrameFault WebSocketReader::read_head(std::uint8_t byte, const WebSocketLimits& limits) {
  switch (step_) {
    case Step::kFirst:
      return read_first(byte, limits);
    case Step::kSecond:
      return read_second(byte, limits);
    case Step::kLength:
      return read_length(byte, limits);
    default:
      mask_[mask_.size() - due_] = byte;
      return --due_ > 0 ? FrameFault::kNone : begin_payload();
  }
}

FrameFault WebSocketReader::read_first(std::uint8_t byte, const WebSocketLimits& limits) {
  if ((byte & kReservedBits) != 0) return FrameFault::kReserved;
  if (!is_opcode(byte & kOpcodeBits)) return FrameFault::kOpcode;
  opcode_ = static_cast<Opcode>(byte & kOpcodeBits);
  final_ = (byte & kFinalBit) != 0;
  step_ = Step::kSecond;
  if (is_control()) return final_ ? FrameFault::kNone : FrameFault::kFragmented;
  const bool begun = kind_ != Opcode::kContinuation;
  if (opcode_ == Opcode::kContinuation) {
    return begun ? FrameFault::kNone : FrameFault::kNothingBegun;
  }
  if (begun) return FrameFault::kNotFinished;
  if (opcode_ == Opcode::kBinary && !limits.takes_binary) return FrameFault::kBinary;
  kind_ = opcode_;
  return FrameFault::kNone;
}

FrameFault WebSocketReader::read_second(std::uint8_t byte, const WebSocketLimits& limits) {
  if ((byte & kMaskBit) == 0) return FrameFault::kUnmasked;
  const auto length = static_cast<std::uint8_t>(byte & kLengthBits);
  if (is_control() && length > kMostControl) return FrameFault::kControlTooLong;
  left_ = 0;
  step_ = Step::kLength;
  if (length == kTwoFollow || length == kEightFollow) {
    due_ = long_length_ = length == kTwoFollow ? 2 : 8;
    return FrameFault::kNone;
  }
  left_ = length;
  return begin_mask(limits);
}

FrameFault WebSocketReader::read_length(std::uint8_t byte, const WebSocketLimits& limits) {
  left_ = left_ << 8U | byte;
  if (--due_ > 0) return FrameFault::kNone;
  constexpr std::uint64_t kFirstOfEight = 65'536;
  constexpr std::uint64_t kTooMuch = std::uint64_t{1} << 63U;
  const auto least = long_length_ == 2 ? std::uint64_t{kTwoFollow} : kFirstOfEight;
  if (left_ < least || left_ >= kTooMuch) return FrameFault::kLength;
  return begin_mask(limits);
}

/// The length of the payload is known.
FrameFault WebSocketReader::begin_mask(const WebSocketLimits& limits) {
  if (!is_control() && (size_ > limits.max_message || left_ > limits.max_message - size_)) {
    return FrameFault::kTooBig;
  }
  step_ = Step::kMask;
  due_ = static_cast<std::uint8_t>(mask_.size());
  return FrameFault::kNone;
}

FrameFault WebSocketReader::begin_payload() {
  step_ = Step::kPayload;
  masked_ = 0;
  return FrameFault::kNone;
}

// ---- what it carries ----

/// True if an event has come. False if the frame was one of several, or is not over.
bool WebSocketReader::read_payload(std::string_view& input, WebSocketEvent& event) {
  const auto size = std::min<std::uint64_t>(left_, input.size());
  const auto part = input.substr(0, static_cast<std::size_t>(size));
  input.remove_prefix(part.size());
  left_ -= part.size();
  auto mask = mask_;
  std::rotate(mask.begin(), mask.begin() + masked_, mask.end());
  masked_ = static_cast<std::uint8_t>((masked_ + part.size()) % mask.size());
  event.memory.assign(part);
  unmask(event.memory, mask);
  return is_control() ? take_control(event) : take_data(event);
}

/// event.memory has what has come of the frame.
bool WebSocketReader::take_data(WebSocketEvent& event) {
  size_ += event.memory.size();
  if (kind_ == Opcode::kText && !utf8_.take(event.memory)) {
    return fail(FrameFault::kNotUtf8, event);
  }
  if (left_ > 0) {
    keep(event.memory);
    return false;
  }
  step_ = Step::kFirst;
  if (final_) return end_message(event);
  keep(event.memory);
  return false;
}

/// event.memory has what has come since message_ was kept. The memory of that goes with it: a
/// quiet client keeps none.
bool WebSocketReader::end_message(WebSocketEvent& event) {
  if (!utf8_.is_whole()) return fail(FrameFault::kNotUtf8, event);
  if (!message_.empty() || cut_) {
    keep(event.memory);
    event.memory = std::exchange(message_, {});
  }
  event.kind = kind_ == Opcode::kText ? WebSocketEvent::Kind::kText : WebSocketEvent::Kind::kBinary;
  event.bytes = event.memory;
  event.cut = std::exchange(cut_, false);
  event.code = kNoCode;
  event.fault = FrameFault::kNone;
  kind_ = Opcode::kContinuation;
  size_ = 0;
  return true;
}

void WebSocketReader::keep(std::string_view bytes) {
  if (!cut_) message_ += bytes;
}

bool WebSocketReader::take_control(WebSocketEvent& event) {
  if (left_ > 0 || !control_.empty()) control_ += event.memory;
  if (left_ > 0) return false;
  if (!control_.empty()) event.memory = std::exchange(control_, {});
  step_ = Step::kFirst;
  event.bytes = event.memory;
  event.cut = false;
  event.code = kNoCode;
  event.fault = FrameFault::kNone;
  if (opcode_ == Opcode::kClose) return end_close(event);
  event.kind = opcode_ == Opcode::kPing ? WebSocketEvent::Kind::kPing : WebSocketEvent::Kind::kPong;
  return true;
}

/// Section 5.5.1. event.bytes is the whole payload.
bool WebSocketReader::end_close(WebSocketEvent& event) {
  if (event.bytes.size() == 1) return fail(FrameFault::kCloseLength, event);
  if (!event.bytes.empty()) {
    const auto high = static_cast<std::uint8_t>(event.bytes[0]);
    const auto low = static_cast<std::uint8_t>(event.bytes[1]);
    event.code = static_cast<std::uint16_t>(high << 8U | low);
    event.bytes.remove_prefix(2);
    if (!is_close_code(event.code)) return fail(FrameFault::kCloseCode, event);
  }
  if (!is_utf8(event.bytes)) return fail(FrameFault::kNotUtf8, event);
  event.kind = WebSocketEvent::Kind::kClose;
  end();
  return true;
}

bool WebSocketReader::fail(FrameFault fault, WebSocketEvent& event) {
  event.kind = WebSocketEvent::Kind::kFault;
  event.bytes = {};
  event.code = close_code_of(fault);
  event.fault = fault;
  event.cut = false;
  end();
  return true;
}

/// Nothing more comes of what follows.
void WebSocketReader::end() {
  give_back(message_);
  give_back(control_);
  *this = {};
  step_ = Step::kOver;
}

}  // namespace chatd::http
