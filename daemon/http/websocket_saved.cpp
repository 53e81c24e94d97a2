// A WebSocketReader as a plain value: written down by one process, read back by the next. What is
// read is checked for what the rest relies on.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "http/websocket.hpp"

namespace chatd::http {

void WebSocketReader::save(ByteWriter& out, std::size_t most) const {
  auto message = std::string_view{message_};
  const bool cut = cut_ || message.size() > most;
  // What is missing begins with the character that is not whole, or before.
  if (cut) message = kind_ == Opcode::kText ? prefix_of(message, most) : message.substr(0, most);
  out.text(message);
  out.text(control_);
  out.number(left_);
  out.number(size_);
  for (const auto byte : mask_) out.number(byte);
  utf8_.save(out);
  out.enumerator(step_);
  out.enumerator(opcode_);
  out.enumerator(kind_);
  out.number(due_);
  out.number(long_length_);
  out.number(masked_);
  out.flag(final_);
  out.flag(cut);
}

void WebSocketReader::restore(ByteReader& in) {
  message_ = in.text();
  control_ = in.text();
  left_ = in.number<std::uint64_t>();
  size_ = in.number<std::uint64_t>();
  for (auto& byte : mask_) byte = in.number<std::uint8_t>();
  utf8_.restore(in);
  step_ = in.enumerator(Step::kOver);
  opcode_ = in.enumerator(Opcode::kPong);
  kind_ = in.enumerator(Opcode::kBinary);
  due_ = in.number<std::uint8_t>();
  long_length_ = in.number<std::uint8_t>();
  masked_ = in.number<std::uint8_t>();
  final_ = in.flag();
  cut_ = in.flag();
  in.require(could_be());
}

/// Whether these are values that reading could have left.
bool WebSocketReader::could_be() const {
  const bool inside = step_ != Step::kFirst && step_ != Step::kOver;
  const bool control = inside && is_control();
  // Of the frame.
  if (opcode_ > Opcode::kBinary && opcode_ < Opcode::kClose) return false;
  if (control && !final_) return false;
  if (inside && !control && kind_ == Opcode::kContinuation) return false;
  if (inside && !control && opcode_ != Opcode::kContinuation && opcode_ != kind_) return false;
  if (step_ == Step::kLength) {
    if (control || (long_length_ != 2 && long_length_ != 8)) return false;
    if (due_ == 0 || due_ > long_length_) return false;
    const auto come = 8U * static_cast<unsigned>(long_length_ - due_);
    if (left_ >> come != 0) return false;
  }
  if (step_ == Step::kMask && (due_ == 0 || due_ > mask_.size())) return false;
  if (step_ == Step::kPayload && left_ == 0) return false;
  if (left_ >> 63U != 0 || masked_ >= mask_.size()) return false;
  if (control && left_ + control_.size() > kMostControl) return false;
  if ((!control || step_ != Step::kPayload) && !control_.empty()) return false;
  // Of the message.
  const bool begun = kind_ != Opcode::kContinuation;
  if (!begun && (size_ != 0 || !message_.empty() || cut_)) return false;
  if (cut_ ? size_ <= message_.size() : size_ != message_.size()) return false;
  if (kind_ != Opcode::kText) return utf8_.is_whole();
  Utf8Check text;
  if (!text.take(message_)) return false;
  return cut_ ? text.is_whole() : text == utf8_;
}

}  // namespace chatd::http
