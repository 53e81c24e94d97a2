// What the server says of an event in the log.
#include <initializer_list>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "clients/clients.hpp"
#include "events/event_json.hpp"
#include "log/log.hpp"

namespace chatd {

/// One line an event. What people said is logged at trace alone. `address` is that of a
/// client that has connected.
void Clients::log_event(const core::Event& event, std::string_view address) {
  // Two lines a visit: written to the same string, not added up from strings.
  auto& line = log_line_;
  const auto say = [&](std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) line += part;
  };
  const auto quote = [&](core::Event::Range range) { append_escaped(line, outbox_.text(range)); };
  const auto begin = [&](LogLevel level) {
    if (!Log::keeps(level)) return false;
    line.clear();
    if (event.session != 0) {
      line += '[';
      append_number(line, event.session);
      line += "] ";
    }
    return true;
  };
  const auto end = [&](LogLevel level, std::string_view name, std::string_view peer = {}) {
    Log::line(level, {event.session, peer, name}, line);
  };
  constexpr auto kInfo = LogLevel::kInfo;
  switch (event.type) {
    case core::EventType::kConnected:
      if (!begin(kInfo)) return;
      say({"connected from ", address, " on ", listener_names_[clients_[event.slot].listener]});
      return end(kInfo, "connected", address);
    case core::EventType::kDisconnected: {
      if (!begin(kInfo)) return;
      const auto peer = clients_[event.slot].peer.to_string();
      say({"disconnected from ", peer, ": "});
      quote(event.text);
      return end(kInfo, "disconnected", peer);
    }
    case core::EventType::kNamed:
      if (!begin(kInfo)) return;
      say({"named "});
      quote(event.text);
      return end(kInfo, "named");
    case core::EventType::kClaimed:
      if (!begin(kInfo)) return;
      say({"claimed by "});
      quote(event.operator_name);
      if (event.text.size > 0) say({", taken from "});
      quote(event.text);
      return end(kInfo, "claimed");
    case core::EventType::kReleased:
      if (!begin(kInfo)) return;
      say({"released by "});
      quote(event.operator_name);
      return end(kInfo, "released");
    case core::EventType::kBanned:
      if (!begin(kInfo)) return;
      quote(event.text);
      say({" banned by "});
      quote(event.operator_name);
      if (event.detail.size > 0) say({" until ", outbox_.text(event.detail)});
      return end(kInfo, "banned");
    case core::EventType::kUnbanned:
      if (!begin(kInfo)) return;
      quote(event.text);
      say({" banned no more"});
      if (event.operator_name.size > 0) say({", says "});
      quote(event.operator_name);
      return end(kInfo, "unbanned");
    case core::EventType::kOperator:
      if (!begin(kInfo)) return;
      say({"operator "});
      quote(event.operator_name);
      say({" "});
      quote(event.text);
      return end(kInfo, "operator");
    case core::EventType::kWarning:
      if (!begin(LogLevel::kWarn)) return;
      quote(event.text);
      return end(LogLevel::kWarn, "warning");
    case core::EventType::kMessage:
      if (!begin(LogLevel::kTrace)) return;
      say({"says: "});
      quote(event.text);
      return end(LogLevel::kTrace, "message");
    case core::EventType::kSent:
      if (!begin(LogLevel::kTrace)) return;
      say({"is sent: "});
      quote(event.text);
      return end(LogLevel::kTrace, "sent");
    case core::EventType::kDelivered:
      return;
  }
}

}  // namespace chatd
