// A message of an operator: who gets it, who has it held, and who refuses it.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/router.hpp"

namespace chatd::core {

namespace {

/// Why a session does not take a message; empty if it does.
std::string_view reason_against(Session::Disposition disposition) {
  switch (disposition) {
    case Session::Disposition::kParting:
      return "bye was already said to it";
    case Session::Disposition::kFull:
      return "it does not listen, and the messages held for it reach limits.output_hard";
    case Session::Disposition::kTooLong:
      return "the message is longer than limits.output_hard, which is all that may wait for it";
    case Session::Disposition::kClosing:
      return "its session has ended";
    case Session::Disposition::kEmpty:
      return "a client without line ends cannot get an empty message";
    case Session::Disposition::kNow:
    case Session::Disposition::kHold:
      break;
  }
  return {};
}

/// Sessions that fare alike, and the one event that tells of them.
struct Group {
  SendState state;
  std::vector<SessionId>& ids;
  std::size_t event = kNone;  ///< its place in the outbox

  static constexpr std::size_t kNone = SIZE_MAX;
};

/// The events of one message. Each is made when the first session joins its group, so that
/// what follows from it, such as a delivery, stands behind it.
class Saying {
 public:
  /// `everyone`: it is said to all, be that one.
  Saying(Outbox& outbox, std::string_view text, std::string_view operator_name, bool everyone)
      : outbox_{outbox},
        text_{outbox.keep(text)},
        name_{outbox.keep(operator_name)},
        everyone_{everyone} {}

  void join(Group& group, SessionId id) {
    group.ids.push_back(id);
    if (group.event != Group::kNone) return;
    group.event = outbox_.events().size();
    Event& event = outbox_.add(EventKind::kSent, id);
    event.text = text_;
    event.operator_name = name_;
    event.state = group.state;
  }

  /// All have joined. `messages`: of those for whom it is held, in their order.
  void complete(const Group& group, std::span<const MessageNumber> messages = {}) {
    if (group.event == Group::kNone) return;
    Event& event = outbox_.events()[group.event];
    if (everyone_ || group.ids.size() > 1) {
      event.session = 0;
      event.sessions = outbox_.keep_ids(group.ids);
      event.messages = outbox_.keep_messages(messages);
    } else if (!messages.empty()) {
      event.message = messages.front();
    }
  }

 private:
  Outbox& outbox_;
  Event::Range text_;
  Event::Range name_;
  bool everyone_;
};

}  // namespace

Receipt Router::send(const Recipients& to, std::string_view text, std::string_view operator_name,
                     Time now, Outbox& outbox) {
  Receipt receipt;
  const auto writer = to.everyone ? Session::Writer::kAnnouncer : Session::Writer::kOperator;
  Outgoing message{text, 1, operator_name};
  Saying saying{outbox, text, operator_name, to.everyone};
  std::vector<MessageNumber> held_messages;
  std::vector<SessionId> deaf;
  std::vector<SessionId> lost_ids;
  Group sent{SendState::kSent, receipt.delivered};
  Group held{SendState::kHeld, receipt.held};
  Group lost{SendState::kLost, lost_ids};

  const auto offer = [&](Session& session, Context& work) {
    const SessionId id = session.id();
    if (!to.everyone && session.is_anothers(operator_name)) {
      receipt.refused.push_back({id, Refusal::kClaimed, "claimed by " + session.claim()->holder});
      return;
    }
    if (to.everyone && session.is_left_out()) {
      receipt.left_out.push_back(id);
      return;
    }
    const auto disposition = session.disposition(text.size(), settings_);
    if (disposition == Session::Disposition::kHold) {
      if (!to.everyone) session.answered(text, operator_name);
      saying.join(held, id);
      held_messages.push_back(session.hold(message, work, writer));
    } else if (disposition != Session::Disposition::kNow) {
      receipt.refused.push_back({id, Refusal::kLimit, std::string{reason_against(disposition)}});
    } else if (has_room(session, message, work)) {
      if (!to.everyone) session.answered(text, operator_name);
      saying.join(sent, id);
      session.send(message, work, writer);
    } else {
      Session::lose(work);
      deaf.push_back(id);
      receipt.refused.push_back({id, Refusal::kLimit, does_not_read(settings_)});
    }
  };
  if (to.everyone) {
    for (Slot slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot]) with(slot, now, outbox, offer);
    }
  } else {
    auto ids = to.sessions;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (const SessionId id : ids) {
      if (!with_id(id, now, outbox, offer)) {
        receipt.refused.push_back({id, Refusal::kNoSession, "no such session"});
      }
    }
  }
  // After everything that was sent: the event of the loss, and then the ends of these sessions.
  for (const SessionId id : deaf) saying.join(lost, id);
  for (const SessionId id : deaf) {
    with_id(id, now, outbox, [this](Session& session, Context& work) { give_up(session, work); });
  }
  saying.complete(sent);
  saying.complete(held, held_messages);
  saying.complete(lost);
  return receipt;
}

}  // namespace chatd::core
