// What the server says of an event in the log.
#include <string>
#include <utility>

#include "core/text.hpp"
#include "log.hpp"
#include "server.hpp"

namespace chatd {

/// One line an event. What people said is logged at trace alone.
void Server::log_event(const core::Event& event) const {
  const auto text = [&] { return core::escaped(outbox_.text(event.text)); };
  const auto who = [&] { return core::escaped(outbox_.text(event.operator_name)); };
  const auto log = [&](LogLevel level, std::string_view name, const std::string& said,
                       std::string peer = {}) {
    const std::string session =
        event.session == 0 ? "" : '[' + std::to_string(event.session) + "] ";
    Log::line(level, {event.session, std::move(peer), name}, session + said);
  };
  switch (event.type) {
    case core::EventType::kConnected: {
      if (!Log::keeps(LogLevel::kInfo)) return;
      const auto& client = clients_[event.slot];
      const auto peer = client.peer.to_string();
      log(LogLevel::kInfo, "connected",
          "connected from " + peer + " on " + listener_names_[client.listener], peer);
      return;
    }
    case core::EventType::kDisconnected: {
      if (!Log::keeps(LogLevel::kInfo)) return;
      const auto peer = clients_[event.slot].peer.to_string();
      log(LogLevel::kInfo, "disconnected", "disconnected from " + peer + ": " + text(), peer);
      return;
    }
    case core::EventType::kNamed:
      log(LogLevel::kInfo, "named", "named " + text());
      return;
    case core::EventType::kClaimed:
      log(LogLevel::kInfo, "claimed",
          "claimed by " + who() + (event.text.size == 0 ? "" : ", taken from " + text()));
      return;
    case core::EventType::kReleased:
      log(LogLevel::kInfo, "released", "released by " + who());
      return;
    case core::EventType::kBanned:
      log(LogLevel::kInfo, "banned",
          text() + " banned by " + who() +
              (event.detail.size == 0 ? "" : " until " + std::string{outbox_.text(event.detail)}));
      return;
    case core::EventType::kUnbanned:
      log(LogLevel::kInfo, "unbanned",
          text() + " banned no more" + (event.operator_name.size == 0 ? "" : ", says " + who()));
      return;
    case core::EventType::kOperator:
      log(LogLevel::kInfo, "operator", "operator " + who() + ' ' + text());
      return;
    case core::EventType::kWarning:
      log(LogLevel::kWarn, "warning", text());
      return;
    case core::EventType::kMessage:
      if (Log::keeps(LogLevel::kTrace)) log(LogLevel::kTrace, "message", "says: " + text());
      return;
    case core::EventType::kSent:
      if (Log::keeps(LogLevel::kTrace)) log(LogLevel::kTrace, "sent", "is sent: " + text());
      return;
    case core::EventType::kDelivered:
      return;
  }
}

}  // namespace chatd
