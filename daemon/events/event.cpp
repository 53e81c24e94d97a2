#include "events/event.hpp"

#include <cassert>

namespace chatd {

Event event_of(const core::Event& event, const core::Outbox& outbox) {
  Event all;
  all.kind = event.kind;
  all.session = event.session;
  const auto text = outbox.text(event.text);
  switch (event.kind) {
    case EventKind::kMessage:
      all.text = text;
      all.cut = event.cut;
      break;
    case EventKind::kSent:
      all.text = text;
      all.operator_name = outbox.text(event.operator_name);
      all.sessions = outbox.ids(event.sessions);
      all.message = event.message;
      all.messages = outbox.messages(event.messages);
      all.sent_state = event.state;
      all.automatic = event.automatic;
      break;
    case EventKind::kDelivered:
      all.message = event.message;
      break;
    case EventKind::kDisconnected:
      all.reason = text;
      all.lost = event.lost;
      break;
    case EventKind::kNamed:
      all.name = text;
      all.operator_name = outbox.text(event.operator_name);
      all.automatic = event.automatic;
      break;
    case EventKind::kClaimed:
      all.from = text;
      all.operator_name = outbox.text(event.operator_name);
      all.by = outbox.text(event.by);
      break;
    case EventKind::kNoted:
      all.text = text;
      all.operator_name = outbox.text(event.operator_name);
      break;
    case EventKind::kReleased:
      all.operator_name = outbox.text(event.operator_name);
      break;
    case EventKind::kConnected:
    case EventKind::kAsking:
      break;
    default:
      assert(false && "the core says nothing of that kind");
  }
  return all;
}

std::string_view to_string(core::SendState state) {
  switch (state) {
    case core::SendState::kSent:
      return "sent";
    case core::SendState::kHeld:
      return "held";
    case core::SendState::kLost:
      return "lost";
  }
  return "";
}

}  // namespace chatd
