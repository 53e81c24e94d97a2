#include "console/question.hpp"

namespace chatd::console {

void Question::apply(const Event& event) {
  if (!is_open() || !event.kind || event.session() != session_) return;
  switch (*event.kind) {
    case EventKind::kSent:
      apply_sent(event);
      break;
    case EventKind::kDelivered:
      if (state_ == State::kHeld && event.ref == sent_) state_ = State::kAsked;
      break;
    case EventKind::kMessage:
      if (state_ == State::kAsked) state_ = State::kAnswered;
      break;
    case EventKind::kDisconnected:
      state_ = State::kLeft;
      break;
    default:
      break;
  }
}

// The daemon's answer to `send` does not say which number its event has.
void Question::apply_sent(const Event& event) {
  const bool is_ours =
      !event.announced && event.operator_name == asker_ && event.text == text_ && !event.automatic;
  if (state_ != State::kSending || !is_ours || event.state == "lost") return;
  sent_ = event.seq;
  state_ = event.state == "held" ? State::kHeld : State::kAsked;
}

}  // namespace chatd::console
