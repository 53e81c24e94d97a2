/// How the daemon's answers reach an operator: the requester shows a result; a refusal is
/// shown here, as a problem. Holds no state of its own.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "console/control_client.hpp"
#include "console/desk.hpp"

namespace chatd::console {

/// `what` ("not sent") and why, escaped. Of what was on its way when the connection ended nobody
/// knows whether it was done.
[[nodiscard]] std::string not_done(std::string_view what, const RpcError& error);

class ReplyDisplay {
 public:
  /// Shows a result.
  using Show = std::function<void(const nlohmann::json& result)>;

  /// `answered` is called after every answer.
  ReplyDisplay(Desk& desk, std::function<void()> answered);

  /// For a request whose result is shown. A refusal is shown with `what` before it, in as
  /// many lines as it has.
  [[nodiscard]] ControlClient::ReplyCallback shown(std::string what, Show show) const;
  /// For a request whose result shows nothing.
  [[nodiscard]] ControlClient::ReplyCallback done(std::string what) const;
  /// The same, about a session: an event tells that it was done.
  [[nodiscard]] ControlClient::ReplyCallback done(SessionId session, std::string what) const;

 private:
  Desk& desk_;
  std::function<void()> answered_;
};

}  // namespace chatd::console
