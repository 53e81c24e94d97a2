#include "events/journal.hpp"

#include <cassert>
#include <span>

#include "base/memory.hpp"
#include "events/event_json.hpp"
#include "events/event_line.hpp"

namespace chatd {

Journal::Journal(std::size_t max_bytes, Transcript* transcript)
    : log_{transcript == nullptr ? 0 : transcript->opened().last_seq, max_bytes},
      transcript_{transcript} {}

void Journal::add(const Event& event, WallTime time) {
  if (event.kind == EventKind::kDelivered) {
    Event known = event;
    known.ref = held_.remove(event.session, event.message);
    write_down(known, time);
    return;
  }
  if (event.kind == EventKind::kSent && event.sent_state == core::SendState::kHeld) {
    const Seq seq = log_.last_seq() + 1;
    if (event.session != 0) {
      held_.add(seq, {&event.session, 1}, {&event.message, 1});
    } else {
      held_.add(seq, event.sessions, event.messages);
    }
  } else if (event.kind == EventKind::kDisconnected) {
    held_.remove_all(event.session);
  }
  write_down(event, time);
}

void Journal::write_down(const Event& event, WallTime time) {
  assert(row_of(event.kind).audience == Audience::kEverybody);
  const Seq seq = log_.last_seq() + 1;
  std::string_view body;
  log_.append([&](std::string& lines) { body = append_event(lines, seq, time, event); });
  assert(log_.last_seq() == seq);
  if (transcript_ != nullptr) transcript_->record(seq, time, event, body, event.origin);
  log_event(event, line_);
}

void Journal::warn(std::string_view text) {
  Event event;
  event.kind = EventKind::kWarning;
  event.text = text;
  add(event);
}

void Journal::adopt(const core::Session& session) {
  for (const core::MessageNumber number : session.held_messages()) {
    const auto id = session.id();
    held_.add(number, {&id, 1}, {&number, 1});
  }
}

void Journal::release_memory() {
  log_.release_memory();
  if (transcript_ != nullptr) transcript_->release_memory();
  give_back(line_);
}

std::size_t Journal::retained_bytes() const {
  return log_.retained_bytes() + chatd::retained_bytes(line_) +
         (transcript_ == nullptr ? 0 : transcript_->retained_bytes());
}

}  // namespace chatd
