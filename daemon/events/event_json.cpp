#include "events/event_json.hpp"

#include <array>
#include <cassert>
#include <charconv>

#include "base/json.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::string_view kBeforeName = R"({"jsonrpc":"2.0","method":")";
constexpr std::string_view kAfterName = R"(","params":{"seq":)";
constexpr std::string_view kEnd = "}}\n";
/// What begin() appends for the time, from its name's quotation mark on.
constexpr std::size_t kTimeSize = std::string_view{R"("time":"2026-11-23T06:50:00.123Z")"}.size();

/// A few short parts as one: appending each by itself costs more than copying them.
class Parts {
 public:
  void put(std::string_view part) {
    assert(part.size() <= text_.size() - size_);
    part.copy(&text_[size_], part.size());
    size_ += part.size();
  }
  void put(std::uint64_t number) {
    const auto end = std::to_chars(&text_[size_], text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  [[nodiscard]] std::string_view all() const { return {text_.data(), size_}; }

 private:
  std::array<char, 160> text_;
  std::size_t size_ = 0;
};

void begin(std::string& out, std::string_view method, core::Seq seq, WallTime time) {
  Parts parts;
  parts.put(kBeforeName);
  parts.put(method);
  parts.put(kAfterName);
  parts.put(seq);
  parts.put(R"(,"time":")");
  const auto text = rfc3339(time);
  parts.put({text.data(), text.size()});
  parts.put("\"");
  out += parts.all();
}

void member(std::string& out, std::string_view name, std::string_view text) {
  Parts parts;
  parts.put(",\"");
  parts.put(name);
  parts.put("\":\"");
  out += parts.all();
  append_json(out, text);
  out += '"';
}

void member(std::string& out, std::string_view name, std::uint64_t number) {
  Parts parts;
  parts.put(",\"");
  parts.put(name);
  parts.put("\":");
  parts.put(number);
  out += parts.all();
}

std::string_view word(core::EventType type) {
  switch (type) {
    case core::EventType::kConnected:
      return "connected";
    case core::EventType::kMessage:
      return "message";
    case core::EventType::kSent:
      return "sent";
    case core::EventType::kDelivered:
      return "delivered";
    case core::EventType::kDisconnected:
      return "disconnected";
    case core::EventType::kNamed:
      return "named";
    case core::EventType::kClaimed:
      return "claimed";
    case core::EventType::kReleased:
      return "released";
    case core::EventType::kBanned:
      return "banned";
    case core::EventType::kUnbanned:
      return "unbanned";
    case core::EventType::kOperator:
      return "operator";
    case core::EventType::kWarning:
      return "warning";
  }
  return "";
}

std::string_view word(core::SendState state) {
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

}  // namespace

void append_event(std::string& out, const core::Event& event, const core::Outbox& outbox,
                  WallTime time, const EventPlace& place) {
  begin(out, word(event.type), event.seq, time);
  const auto text = outbox.text(event.text);
  if (event.session != 0) {
    member(out, "session", event.session);
  } else if (event.sessions.size > 0) {
    out += ",\"session\":";
    append_json_ids(out, outbox.ids(event.sessions));
  }
  switch (event.type) {
    case core::EventType::kConnected:
      member(out, "address", place.address);
      member(out, "listener", place.listener);
      break;
    case core::EventType::kMessage:
      member(out, "text", text);
      if (event.cut) out += R"(,"cut":true)";
      break;
    case core::EventType::kSent:
      member(out, "operator", outbox.text(event.operator_name));
      member(out, "text", text);
      member(out, "state", word(event.state));
      if (event.automatic) out += R"(,"automatic":true)";
      break;
    case core::EventType::kDelivered:
      member(out, "ref", event.ref);
      break;
    case core::EventType::kDisconnected:
      member(out, "reason", text);
      if (event.lost > 0) member(out, "lost", event.lost);
      break;
    case core::EventType::kNamed:
      member(out, "name", text);
      member(out, "operator", outbox.text(event.operator_name));
      break;
    case core::EventType::kClaimed:
      member(out, "operator", outbox.text(event.operator_name));
      if (event.text.size > 0) member(out, "from", text);
      break;
    case core::EventType::kReleased:
      member(out, "operator", outbox.text(event.operator_name));
      break;
    case core::EventType::kBanned:
      member(out, "address", text);
      if (event.detail.size > 0) member(out, "until", outbox.text(event.detail));
      member(out, "operator", outbox.text(event.operator_name));
      break;
    case core::EventType::kUnbanned:
      member(out, "address", text);
      if (event.operator_name.size > 0) member(out, "operator", outbox.text(event.operator_name));
      break;
    case core::EventType::kOperator:
      member(out, "name", outbox.text(event.operator_name));
      member(out, "state", text);
      if (event.detail.size > 0) member(out, "text", outbox.text(event.detail));
      break;
    case core::EventType::kWarning:
      member(out, "text", text);
      break;
  }
  out += kEnd;
}

void append_event_rest(std::string& out, std::string_view line) {
  line.remove_prefix(kBeforeName.size());
  const auto name = line.substr(0, line.find('"'));
  out += name;
  line.remove_prefix(name.size() + kAfterName.size());
  line.remove_prefix(line.find('"') + kTimeSize);  // behind the number
  out += line.substr(0, line.size() - kEnd.size());
}

void append_event_line(std::string& out, core::Seq seq, WallTime time, std::string_view rest) {
  const auto name = rest.substr(0, rest.find(','));
  begin(out, name, seq, time);
  out += rest.substr(name.size());
  out += kEnd;
}

void append_lagged(std::string& out, core::Seq seq, core::Seq lost, WallTime time) {
  begin(out, "lagged", seq, time);
  member(out, "lost", lost);
  out += kEnd;
}

}  // namespace chatd
