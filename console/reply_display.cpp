#include "console/reply_display.hpp"

#include <utility>

#include "base/text.hpp"

namespace chatd::console {

ReplyDisplay::ReplyDisplay(Desk& desk, std::function<void()> answered)
    : desk_{desk}, answered_{std::move(answered)} {}

ControlClient::ReplyCallback ReplyDisplay::shown(std::string what, Show show) const {
  return [this, what = std::move(what), show = std::move(show)](const Reply& reply) {
    if (!reply.error) {
      show(*reply.result);
    } else {
      // Faults of a configuration are many lines, with a table of their own.
      desk_.problem((what.empty() ? "" : what + ": ") + reply.error->message);
    }
    answered_();
  };
}

ControlClient::ReplyCallback ReplyDisplay::done(std::string what) const {
  return [this, what = std::move(what)](const Reply& reply) {
    if (reply.error) desk_.problem(what + ": " + escaped(reply.error->message));
    answered_();
  };
}

ControlClient::ReplyCallback ReplyDisplay::done(SessionId session, std::string what) const {
  return [this, session, what = std::move(what)](const Reply& reply) {
    if (reply.error) {
      std::string why = what + ": " + escaped(reply.error->message);
      if (reply.error->code == kClaimedCode) {
        why += "; /claim " + std::to_string(session) + " --force takes it";
      }
      desk_.problem_about(session, why);
    }
    answered_();
  };
}

}  // namespace chatd::console
