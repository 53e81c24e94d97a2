/// How the daemon's answers come to an operator: what is good is shown by whoever asked,
/// a refusal is told. Holds no state of its own.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "console/control_client.hpp"
#include "console/desk.hpp"

namespace chatd::console {

class Replies {
 public:
  /// What an answer is shown by.
  using Show = std::function<void(const nlohmann::json& result)>;

  /// `answered` is called after every answer.
  Replies(Desk& desk, std::function<void()> answered);

  /// A refusal is told with `what` before it, and as many lines as it has.
  [[nodiscard]] ControlClient::ReplyCallback shown(std::string what, Show show) const;
  /// Silent when it is done.
  [[nodiscard]] ControlClient::ReplyCallback done(std::string what) const;
  /// The same, about a session: an event tells that it is done.
  [[nodiscard]] ControlClient::ReplyCallback done(SessionId session, std::string what) const;

 private:
  Desk& desk_;
  std::function<void()> answered_;
};

}  // namespace chatd::console
