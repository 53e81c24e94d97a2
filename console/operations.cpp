#include "console/operations.hpp"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "console/help.hpp"
#include "console/wire.hpp"

namespace chatd::console {
namespace {

// How many refusals of one message are listed; if there are more, their number follows.
constexpr std::size_t kListedRefusals = 5;

}  // namespace

Operations::Operations(ControlClient& client, Desk& desk, std::function<void()> answered,
                       std::function<void()> quit)
    : client_{client},
      desk_{desk},
      answered_{std::move(answered)},
      quit_{std::move(quit)},
      replies_{desk, answered_},
      past_{client, desk, replies_} {}

LineFate Operations::execute(const Command& command) {
  const SessionId session = command.session.value_or(0);
  switch (command.verb) {
    case Verb::kNothing:
      return LineFate::kErase;
    case Verb::kSay:
    case Verb::kSend:
      if (command.everyone) {
        say_to_all(command.text);
      } else {
        client_.send(session, command.text, replies_.done(session, "not sent"));
      }
      return LineFate::kErase;
    case Verb::kList:
      client_.sessions(replies_.shown("no list", [this](const nlohmann::json& result) {
        desk_.show_list(decode_sessions(result));
      }));
      break;
    case Verb::kFocus:
      focus(command.session);
      break;
    case Verb::kOnly:
      desk_.toggle_only();
      break;
    case Verb::kMute:
      if (command.session) {
        desk_.toggle_mute(session);
      } else {
        desk_.show_muted();
      }
      break;
    case Verb::kReply:
      desk_.show_replies();
      break;
    case Verb::kWho:
      client_.operators(replies_.shown("no list", [this](const nlohmann::json& result) {
        desk_.print(
            desk_.view().operators(decode_operators(result), desk_.width(), std::time(nullptr)));
      }));
      break;
    case Verb::kBye:
      say_bye(session);
      break;
    case Verb::kKick:
      kick(command);
      break;
    case Verb::kName:
      client_.name(session, command.text, replies_.done(session, "not named"));
      break;
    case Verb::kClaim:
      client_.claim(session, command.force, false, replies_.done(session, "not claimed"));
      break;
    case Verb::kRelease:
      client_.release(session, replies_.done(session, "not released"));
      break;
    case Verb::kGive:
      client_.give(session, command.text, replies_.done(session, "not given"));
      break;
    case Verb::kNote:
      note(session, command.text);
      break;
    case Verb::kOps:
      client_.ops(command.text, replies_.done("not sent"));
      break;
    case Verb::kHistory:
    case Verb::kSearch:
      past_.begin(command);
      break;
    case Verb::kMore:
      past_.more();
      break;
    case Verb::kBan:
      ban(command);
      break;
    case Verb::kUnban:
      client_.unban(command.text, replies_.done("not unbanned"));
      break;
    case Verb::kBans:
      client_.bans(replies_.shown("no list", [this](const nlohmann::json& result) {
        desk_.print(desk_.view().bans(decode_bans(result), desk_.width()));
      }));
      break;
    case Verb::kOrigins:
      client_.origins(command.number,
                      replies_.shown("no list", [this](const nlohmann::json& result) {
                        desk_.print(desk_.view().origins(decode_origins(result), desk_.width()));
                      }));
      break;
    case Verb::kAway:
      client_.away(command.text,
                   replies_.shown("not away", [this, text = command.text](const nlohmann::json&) {
                     desk_.set_away(text);
                     desk_.say("away; /back ends it");
                   }));
      break;
    case Verb::kBack:
      client_.back(replies_.shown("not back", [this](const nlohmann::json&) {
        desk_.set_away({});
        desk_.say("back");
      }));
      break;
    case Verb::kStats:
      client_.stats(replies_.shown("no numbers", [this](const nlohmann::json& result) {
        desk_.print(desk_.view().stats(decode_stats(result)));
      }));
      break;
    case Verb::kReload:
      client_.reload(replies_.shown("", [this](const nlohmann::json& result) {
        desk_.print(desk_.view().reload(decode_reload(result)));
        ask_desk();
      }));
      break;
    case Verb::kHelp:
      desk_.print(command.text.empty() ? short_help_lines(desk_.width())
                                       : help_lines_of(command.text, desk_.width()));
      break;
    case Verb::kQuit:
      quit_();
      break;
    case Verb::kAsk:
    case Verb::kTail:
    case Verb::kTalk:
    case Verb::kStop:
    case Verb::kCompletion:
      break;  // for scripts alone
  }
  return LineFate::kTaken;
}

void Operations::ask_desk() {
  // A daemon that does not know this leaves the desk as it is.
  client_.desk([this](const Reply& reply) {
    if (!reply.error) desk_.configure(decode_desk(*reply.result));
    answered_();
  });
}

void Operations::ask_operators() {
  client_.operators([this](const Reply& reply) {
    if (!reply.error && reply.result->is_array()) {
      desk_.set_operators(decode_operators(*reply.result));
    }
    answered_();
  });
}

void Operations::focus(Target target) {
  if (desk_.knows(target)) return desk_.turn_to(target);
  // The daemon knows whether there ever was such a one, and when it left.
  client_.notes(*target, replies_.done("no focus"));
}

void Operations::note(SessionId session, const std::string& text) {
  if (!text.empty()) {
    return client_.note(session, text, replies_.done(session, "not noted"));
  }
  client_.notes(session, replies_.shown("no notes", [this, session](const nlohmann::json& result) {
    const auto notes = decode_notes(result);
    if (notes.empty()) return desk_.say_about(session, "nothing is noted");
    desk_.show_notes(session, notes);
  }));
}

void Operations::say_bye(SessionId session) {
  const auto done = replies_.done(session, "bye");
  client_.bye(session, [this, session, done](const Reply& reply) {
    // Without this line it would look as if nothing had happened.
    if (desk_.interactive() && !reply.error && decode_parting(*reply.result)) {
      desk_.say_about(session, "is parting: it ends once the client has taken the bye");
    }
    done(reply);
  });
}

void Operations::say_to_all(const std::string& text) {
  client_.send_all(text, [this](const Reply& reply) {
    if (reply.error) {
      desk_.problem(not_done("not sent", *reply.error));
      return answered_();
    }
    const SendOutcome outcome = decode_send(*reply.result);
    if (outcome.delivered.empty() && outcome.held.empty() && outcome.refused.empty()) {
      desk_.problem(outcome.left_out.empty() ? "not sent: nobody is connected"
                                             : "not sent: nobody is there to be told");
    }
    if (const auto count = outcome.left_out.size(); count > 0) {
      desk_.say("not sent to " + std::to_string(count) +
                (count == 1 ? " client that waits" : " clients that wait") + " for one answer");
    }
    show_refused(outcome.refused, "not sent");
    answered_();
  });
}

void Operations::kick(const Command& command) {
  if (command.session) {
    return client_.kick(*command.session, command.text,
                        replies_.done(*command.session, "not ended"));
  }
  auto shown =
      replies_.shown("not ended", [this, where = command.address](const nlohmann::json& result) {
        const KickOutcome outcome = decode_kick(result);
        if (outcome.kicked.empty() && outcome.refused.empty()) {
          desk_.problem("nobody is connected from " + escaped(where));
        }
        desk_.print(desk_.view().kicked(outcome));
        show_refused(outcome.refused, "not ended");
      });
  if (command.address.empty()) {
    client_.kick_all(command.sessions, command.text, std::move(shown));
  } else {
    client_.kick_network(command.address, command.text, std::move(shown));
  }
}

void Operations::ban(const Command& command) {
  client_.ban(command.text, command.number, command.force,
              replies_.shown("not banned", [this](const nlohmann::json& result) {
                const BanOutcome outcome = decode_ban(result);
                desk_.print(desk_.view().banned(outcome));
                show_refused(outcome.ended.refused, "not ended");
              }));
}

void Operations::show_refused(const std::vector<RefusedSession>& refused, std::string_view what) {
  const std::string begin{what};
  for (std::size_t i = 0; i < std::min(kListedRefusals, refused.size()); ++i) {
    desk_.problem_about(refused[i].session, begin + ": " + escaped(refused[i].reason));
  }
  if (refused.size() > kListedRefusals) {
    desk_.problem(begin + ": " + std::to_string(refused.size()) + " clients in all");
  }
}

}  // namespace chatd::console
