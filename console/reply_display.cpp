#include "console/reply_display.hpp"

#include <utility>

#include "base/text.hpp"

namespace chatd::console {

std::string not_done(std::string_view what, const RpcError& error) {
  const std::string perhaps = error.code == kLostCode ? "perhaps " : "";
  return perhaps + std::string{what} + ": " + escaped(error.message);
}

ReplyDisplay::ReplyDisplay(Desk& desk, std::function<void()> answered)
    : desk_{desk}, answered_{std::move(answered)} {}

ControlClient::ReplyCallback ReplyDisplay::shown(std::string what, Show show) const {
  return [this, what = std::move(what), show = std::move(show)](const Reply& reply) {
    if (!reply.error) {
      show(*reply.result);
    } else {
      // Of what was asked for only to be shown there is nothing that may have been done.
      const bool perhaps = reply.error->code == kLostCode && what.starts_with("not ");
      // Faults of a configuration are many lines, with a table of their own.
      desk_.problem((perhaps ? "perhaps " : "") + (what.empty() ? "" : what + ": ") +
                    reply.error->message);
    }
    answered_();
  };
}

ControlClient::ReplyCallback ReplyDisplay::done(std::string what) const {
  return [this, what = std::move(what)](const Reply& reply) {
    if (reply.error) desk_.problem(not_done(what, *reply.error));
    answered_();
  };
}

ControlClient::ReplyCallback ReplyDisplay::done(SessionId session, std::string what) const {
  return [this, session, what = std::move(what)](const Reply& reply) {
    if (reply.error) {
      std::string why = not_done(what, *reply.error);
      if (reply.error->code == kClaimedCode) {
        // Of a holder who is not there the daemon says that it may be taken over.
        const bool unattended = reply.error->message.ends_with("claim it to take over");
        why += "; /claim " + std::to_string(session) +
               (unattended ? " takes it" : " --force takes it");
      }
      desk_.problem_about(session, why);
    }
    answered_();
  };
}

}  // namespace chatd::console
