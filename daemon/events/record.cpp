#include "events/record.hpp"

#include <chrono>

#include "base/names.hpp"
#include "events/event_json.hpp"

namespace chatd {

namespace {

store::State recorded(core::SendState state) {
  switch (state) {
    case core::SendState::kSent:
      return store::State::kSent;
    case core::SendState::kHeld:
      return store::State::kHeld;
    case core::SendState::kLost:
      return store::State::kLost;
  }
  return store::State::kSent;
}

/// The state that the event had; what became of the message later is another event.
core::SendState sent_state(store::State state) {
  switch (state) {
    case store::State::kHeld:
      return core::SendState::kHeld;
    case store::State::kLost:
      return core::SendState::kLost;
    case store::State::kSent:
    case store::State::kDelivered:
      break;
  }
  return core::SendState::kSent;
}

/// The event of a record that is kept in columns.
Event event_of(const store::Record& record) {
  Event event;
  event.session = record.session;
  switch (record.kind) {
    case store::Kind::kMessage:
      event.kind = EventKind::kMessage;
      event.text = record.text;
      event.cut = record.cut;
      break;
    case store::Kind::kSent:
      event.kind = EventKind::kSent;
      event.sessions = record.sessions;
      event.operator_name = record.operator_name;
      event.text = record.text;
      event.sent_state = sent_state(record.state);
      event.automatic = record.ref != 0;
      break;
    default:
      event.kind = EventKind::kDelivered;
      event.ref = record.ref;
      break;
  }
  return event;
}

/// Whether a client has given itself a name.
bool is_wish(const Event& event) {
  return event.kind == EventKind::kNamed && event.operator_name.empty() && !event.automatic &&
         !event.name.empty();
}

}  // namespace

store::Record record_of(Seq seq, WallTime time, const Event& event, std::string_view body,
                        std::string& text) {
  store::Record record;
  record.seq = seq;
  record.time_ms = time.time_since_epoch().count();
  record.session = event.session;
  switch (event.kind) {
    case EventKind::kMessage:
      record.kind = store::Kind::kMessage;
      record.text = event.text;
      record.cut = event.cut;
      break;
    case EventKind::kSent:
      record.kind = store::Kind::kSent;
      record.text = event.text;
      record.operator_name = event.operator_name;
      record.sessions = event.sessions;
      record.state = recorded(event.sent_state);
      record.ref = event.automatic ? 1 : 0;
      break;
    case EventKind::kDelivered:
      record.kind = store::Kind::kDelivered;
      record.ref = event.ref;
      break;
    case EventKind::kDisconnected:
      record.kind = store::Kind::kDisconnected;
      record.lost = static_cast<std::uint32_t>(event.lost);
      [[fallthrough]];
    default:
      text += to_string(event.kind);
      text += body;
      const auto end = text.size();
      if (is_wish(event)) text += store::kWishedName;
      if (event.kind == EventKind::kNamed) text += look_of(event.name);
      record.text = std::string_view{text}.substr(0, end);
      record.look = std::string_view{text}.substr(end);
      break;
  }
  return record;
}

WallTime time_of(const store::Record& record) {
  return WallTime{std::chrono::milliseconds{record.time_ms}};
}

std::string_view given_name(std::string_view recorded) {
  // The session, a number, stands before it, and what could be mistaken for it behind.
  constexpr std::string_view kBefore = R"(,"name":)";
  const auto begin = recorded.find(kBefore);
  if (begin == std::string_view::npos) return {};
  const auto text = recorded.substr(begin + kBefore.size());
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
  return end < text.size() && end > 1 ? text.substr(0, end + 1) : std::string_view{};
}

void append_event(std::string& out, const store::Record& record) {
  switch (record.kind) {
    case store::Kind::kMessage:
    case store::Kind::kSent:
    case store::Kind::kDelivered:
      append_event(out, record.seq, time_of(record), event_of(record));
      break;
    case store::Kind::kOther:
    case store::Kind::kDisconnected:
    case store::Kind::kAttended: {
      const auto word = record.text.substr(0, record.text.find(','));
      append_recorded(out, record.seq, time_of(record), word, record.text.substr(word.size()));
      break;
    }
  }
}

}  // namespace chatd
