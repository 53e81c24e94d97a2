// The answer that is given for the operators while all of them are away.
#include <algorithm>
#include <utility>

#include "core/router.hpp"

namespace chatd::core {

void Router::set_away(Away away) {
  if (away_ == away) return;
  // The same words in a new process: the operators have been away all the time.
  if (std::exchange(away_before_, std::nullopt) != away) ++away_period_;
  away_ = std::move(away);
}

/// Answers the session if it has said something in the events from `first_event` on, or
/// before, and no end of file came with that.
void Router::answer_for_the_away(Session& session, std::size_t first_event, Context& context) {
  if (session.ended() || session.told_away() == away_period_) return session.forgive_away();
  const auto& events = context.outbox.events();
  const auto first = events.begin() + static_cast<std::ptrdiff_t>(first_event);
  const bool has_spoken = std::any_of(
      first, events.end(), [](const Event& event) { return event.kind == EventKind::kMessage; });
  if (!session.is_due_away()) {
    if (has_spoken) session.owe_away(context.now);
    return;
  }
  session.forgive_away();
  const auto disposition = session.disposition(away_->text.size(), settings_);
  const bool now = disposition == Session::Disposition::kNow;
  if (!now && disposition != Session::Disposition::kHold) return;
  session.set_told_away(away_period_);
  Outgoing message{away_->text};
  const auto text = context.outbox.keep(away_->text);
  const auto name = context.outbox.keep(away_->operator_name);
  const bool lost = now && !has_room(session, message, context);
  const auto place = context.outbox.events().size();
  Event& event = context.outbox.add(EventKind::kSent, session.id());
  event.text = text;
  event.operator_name = name;
  event.state = lost ? SendState::kLost : now ? SendState::kSent : SendState::kHeld;
  event.automatic = true;
  if (lost) {
    Session::lose(context);
    give_up(session, context);
  } else if (now) {
    session.send(message, context, Session::Writer::kAutomatic);
  } else {
    const auto number = session.hold(message, context, Session::Writer::kAutomatic);
    context.outbox.events()[place].message = number;
  }
}

}  // namespace chatd::core
