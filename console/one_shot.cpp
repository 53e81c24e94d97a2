#include "console/one_shot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "console/control_client.hpp"
#include "console/pages.hpp"
#include "console/pauses.hpp"
#include "console/question.hpp"
#include "console/report.hpp"
#include "console/wire.hpp"
#include "io/descriptor.hpp"
#include "io/timer.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;

constexpr std::uint64_t kDefaultPast = 20;  // messages

// Nobody ever writes to one end: waiting for the other keeps the loop going while there is
// no daemon.
std::array<UniqueFd, 2> quiet_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

// A command that changes nothing says nothing of who asks.
bool only_looks(Verb verb) {
  return verb == Verb::kList || verb == Verb::kHistory || verb == Verb::kSearch ||
         verb == Verb::kBans || verb == Verb::kOrigins || verb == Verb::kStats;
}

bool is_about_the_past(Verb verb) {
  return verb == Verb::kHistory || verb == Verb::kSearch;
}

// Whether `name` is that of a session, however its letters are encoded.
bool is_called(const SessionInfo& session, std::string_view name) {
  if (session.name == name) return true;
  return !session.name.empty() && fault_of_name(name).empty() && is_same_name(session.name, name);
}

class Run {
 public:
  Run(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
      const std::function<Result<UniqueFd>()>& connect)
      : loop_{loop},
        one_shot_{one_shot},
        command_{one_shot.command},
        connect_{connect},
        report_{one_shot},
        pages_{one_shot.command.number.value_or(kDefaultPast)},
        cursor_{one_shot.command.number},
        again_{loop, [this] { reconnect(); }},
        daemon_due_{loop, [this] { daemon_is_late(); }},
        client_due_{loop, [this] { client_is_late(); }},
        quiet_{quiet_pipe()},
        lasting_{loop, quiet_.front().get(), io::kReadable, [] {}},
        // Its one event is that nobody reads any more: a tail of a quiet daemon must not
        // stay for ever behind `| head -1`.
        reader_{loop, STDOUT_FILENO, io::kHangUp, [this] { stop(); }},
        client_{loop,
                {[this](const Event& event, const json& document) { on_event(event, document); },
                 [this](const Error& error) { lost(error); },
                 // The daemon refuses a peer by an error that answers no request.
                 [this](std::string_view sentence) { refusal_ = sentence; }}} {
    lasting_.start();
    if (command_.verb == Verb::kTail && reader_.possible()) {
      reader_.start();  // a file has no reader who could go
    }
    attach(std::move(control));
  }

  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  using Json = const json&;
  /// Shows a result, and says what it means for a script.
  using Judge = ExitCode (Report::*)(Json result);

  void attach(UniqueFd control) {
    if (auto attached = client_.attach(std::move(control)); !attached) {
      Report::complain(attached.error().message);
      return finish(ExitCode::kRefused);
    }
    greeted_ = false;
    if (only_looks(command_.verb)) {
      own_name_ = one_shot_.name;
      return begin();
    }
    greet(command_.verb != Verb::kTail);
  }

  // A command is over before anybody could make something of its coming and going.
  void greet(bool quiet) {
    const std::string& name = attached_before_ ? own_name_ : one_shot_.name;
    auto greeted = answer([this](Json result) {
      const HelloInfo hello = decode_hello(result);
      greeted_ = attached_before_ = true;
      own_name_ = hello.operator_name;
      last_seq_ = hello.seq;
      begin();
    });
    client_.hello(name, quiet, [this, quiet, greeted = std::move(greeted)](const Reply& reply) {
      // A daemon of an earlier version, which has not been restarted yet, does not know `quiet`.
      if (quiet && reply.error && reply.error->code == kInvalidParamsCode) return greet(false);
      greeted(reply);
    });
  }

  // A result goes to `show`; an error, or none within the time, ends the program.
  ControlClient::ReplyCallback answer(std::function<void(Json)> show) {
    daemon_due_.start(one_shot_.daemon_patience());
    return [this, show = std::move(show)](const Reply& reply) {
      if (client_.unanswered() == 0) daemon_due_.stop();
      if (finished_) return;
      if (!reply.error) return show(*reply.result);
      if (reply.error->code == kLostCode) return;  // lost() deals with that
      report_.complain_lines(reply.error->message);
      finish(code_of(reply.error->code));
    };
  }
  ControlClient::ReplyCallback answer_by(Judge judge) {
    return answer([this, judge](Json result) { finish((report_.*judge)(result)); });
  }

  [[nodiscard]] ExitCode code_of(int error) const {
    // 3 means "not allowed" as well as "the new configuration is bad" and "nothing is
    // recorded", and those are not about who asks.
    const bool impossible = command_.verb == Verb::kReload || is_about_the_past(command_.verb);
    if (error == kNoSuchSessionCode) return ExitCode::kNoSession;
    return error == kNotAllowedCode && !impossible ? ExitCode::kNotAllowed : ExitCode::kRefused;
  }

  void begin() {
    if (command_.called.empty() || is_about_the_past(command_.verb)) return perform();
    client_.sessions(answer([this](Json result) { resolve(decode_sessions(result)); }));
  }

  // The session that was meant by its name.
  void resolve(const std::vector<SessionInfo>& sessions) {
    std::vector<std::string> ids;
    for (const SessionInfo& each : sessions) {
      if (!is_called(each, command_.called)) continue;
      command_.session = each.session;
      ids.push_back(std::to_string(each.session));
    }
    if (ids.size() == 1) {
      command_.called.clear();
      return perform();
    }
    const std::string called = "called '" + escaped(command_.called) + "'";
    if (ids.empty()) {
      Report::complain("no session is " + called + "; chatctl list shows them all");
    } else {
      const std::vector<std::string_view> views{ids.begin(), ids.end()};
      Report::complain("several sessions are " + called + "; say which id: " + listed(views));
    }
    finish(ExitCode::kNoSession);
  }

  void perform() {
    const SessionId session = command_.session.value_or(0);
    const std::string& text = command_.text;
    switch (command_.verb) {
      case Verb::kList:
        return client_.sessions(answer_by(&Report::list));
      case Verb::kSend:
        if (command_.everyone) return client_.send_all(text, answer_by(&Report::sent));
        return client_.send(session, text, answer_by(&Report::sent));
      case Verb::kAsk:
        return question_ ? ask_on() : ask();
      case Verb::kBye:
        return client_.bye(session, answer_by(&Report::nothing));
      case Verb::kKick:
        return kick();
      case Verb::kName:
        return client_.name(session, text, answer_by(&Report::nothing));
      case Verb::kClaim:
        // It stays: without that the claim would end with this connection, that is at once.
        return client_.claim(session, command_.force, true, answer_by(&Report::nothing));
      case Verb::kRelease:
        return client_.release(session, answer_by(&Report::nothing));
      case Verb::kGive:
        return client_.give(session, text, answer_by(&Report::nothing));
      case Verb::kNote:
        if (!text.empty()) return client_.note(session, text, answer_by(&Report::nothing));
        return client_.notes(session, answer([this, session](Json result) {
                               finish(report_.notes(session, result));
                             }));
      case Verb::kOps:
        return client_.ops(text, answer_by(&Report::nothing));
      case Verb::kHistory:
      case Verb::kSearch:
        return ask_past();
      case Verb::kBan:
        return client_.ban(text, command_.number, command_.force, answer_by(&Report::banned));
      case Verb::kUnban:
        return client_.unban(text, answer_by(&Report::nothing));
      case Verb::kBans:
        return client_.bans(answer_by(&Report::bans));
      case Verb::kOrigins:
        return client_.origins(command_.number, answer_by(&Report::origins));
      case Verb::kStats:
        return client_.stats(answer_by(&Report::stats));
      case Verb::kReload:
        return client_.reload(answer_by(&Report::reload));
      case Verb::kStop:
        return client_.stop(answer_by(&Report::nothing));
      case Verb::kTail:
        return follow();
      default:
        assert(false && "the table has no such command for scripts");
        return finish(ExitCode::kUsage);
    }
  }

  void kick() {
    if (command_.session) {
      return client_.kick(*command_.session, command_.text, answer_by(&Report::nothing));
    }
    auto shown = answer_by(&Report::kicked);
    if (command_.address.empty()) {
      return client_.kick_all(command_.sessions, command_.text, std::move(shown));
    }
    client_.kick_network(command_.address, command_.text, std::move(shown));
  }

  // --- ask ---

  void ask() {
    client_.sessions(answer([this](Json result) {
      const std::vector<SessionInfo> sessions = decode_sessions(result);
      report_.roster().replace(sessions);
      for (const SessionInfo& each : sessions) {
        if (each.session != command_.session || each.state != "asking") continue;
        // What is sent would be the end of its session.
        report_.complain_about(each.session,
                               "not asked: it waits for one answer, and says no more");
        return finish(ExitCode::kRefused);
      }
      listen_and_send();
    }));
  }

  // Whoever hears of everything before it asks misses no answer, however soon that comes.
  void listen_and_send() {
    client_.subscribe({}, true, answer([this](Json result) {
                        cursor_ = decode_subscribe(result);
                        std::string text;
                        append_repaired(text, command_.text);  // as it will stand in the event
                        question_.emplace(*command_.session, text, own_name_);
                        client_.send(*command_.session, text, answer([this](Json) {
                          sent_ = true;
                          client_due_.start(client_patience());
                          if (question_->state() == Question::State::kLeft) client_left("at once");
                        }));
                      }));
  }

  // After the daemon has been away.
  void ask_on() {
    if (last_seq_ < cursor_) return client_left("the daemon has lost its sessions");
    client_.sessions(answer([this](Json result) {
      const std::vector<SessionInfo> sessions = decode_sessions(result);
      const bool there = std::any_of(sessions.begin(), sessions.end(), [this](const auto& each) {
        return each.session == question_->session();
      });
      // Unless its answer is among the events that were missed.
      if (!there) gone_at_ = last_seq_;
      client_.subscribe(cursor_, true, answer([this](Json) { check_gone(); }));
    }));
  }

  void check_gone() {
    if (!finished_ && gone_at_ && cursor_ >= gone_at_) client_left("it is not connected any more");
  }

  void on_event_of_question(const Event& event, Json document) {
    if (!question_) return;
    if (event.kind == EventKind::kLagged) {
      Report::complain("events are lost; the answer may be among them");
      return finish(ExitCode::kRefused);
    }
    question_->apply(event);
    if (question_->state() == Question::State::kAnswered) {
      finish(report_.answer(event, document));
    } else if (question_->state() == Question::State::kLeft && sent_) {
      client_left(event.reason);
    }
    check_gone();
  }

  void client_left(const std::string& reason) {
    report_.complain_about(question_->session(), "left before it answered: " + reason);
    finish(ExitCode::kNoSession);
  }

  [[nodiscard]] std::chrono::seconds client_patience() const {
    return one_shot_.timeout.value_or(kClientPatience);
  }

  void client_is_late() {
    const bool held = question_->state() == Question::State::kHeld;
    report_.complain_about(question_->session(),
                           (held ? "has not spoken, and so not got the question, within "
                                 : "has not answered within ") +
                               duration_word(client_patience().count()));
    finish(ExitCode::kTimedOut);
  }

  // --- tail ---

  void follow() {
    if (cursor_ && last_seq_ < *cursor_) {
      // Another daemon, which counts from its own beginning.
      Report::complain("the events of this daemon count from 1 again");
      cursor_ = 0;
    }
    // A tail without --since begins when others were told that it is attached, and not at
    // some later moment.
    if (!cursor_) cursor_ = last_seq_;
    // Names first: events carry ids alone.
    client_.sessions(answer([this](Json result) {
      report_.roster().replace(decode_sessions(result));
      client_.subscribe(cursor_, true, answer([](Json) {}));
    }));
  }

  // --- events, and a daemon that goes and comes ---

  void on_event(const Event& event, Json document) {
    if (finished_) return;
    cursor_ = std::max(cursor_.value_or(0), event.seq);
    if (command_.verb == Verb::kAsk) return on_event_of_question(event, document);
    report_.event(event, document, own_name_);
    flush();
  }

  // Whether it waits for events, and can go on at a daemon that has come back.
  [[nodiscard]] bool lasts() const {
    return command_.verb == Verb::kAsk ? sent_ : command_.verb == Verb::kTail && attached_before_;
  }

  void lost(const Error& error) {
    if (finished_) return;
    daemon_due_.stop();
    if (lasts() && refusal_.empty()) {
      pauses_.begin_again();
      return reconnect();
    }
    if (!greeted_ || !refusal_.empty()) {
      Report::complain(refusal_.empty() ? error.message : refusal_);
      return finish(refusal_.empty() ? ExitCode::kNoDaemon : ExitCode::kNotAllowed);
    }
    Report::complain(error.message);
    finish(ExitCode::kNoDaemon);
  }

  void reconnect() {
    auto again = connect_();
    if (again) return attach(std::move(*again));
    if (again.error().code == EPERM) {  // somebody else serves the socket now
      Report::complain(again.error().message);
      return finish(ExitCode::kNotAllowed);
    }
    if (pauses_.at_first()) Report::complain("the daemon has gone; waiting for it");
    again_.start(pauses_.next());
  }

  void daemon_is_late() {
    if (lasts()) {  // it may have died behind a socket that somebody still holds
      client_.close();
      return again_.start(pauses_.next());
    }
    Report::complain("the daemon has not answered within " +
                     duration_word(one_shot_.daemon_patience().count()));
    finish(ExitCode::kTimedOut);
  }

  // --- history and search ---

  void ask_past() {
    auto add = answer([this](Json result) {
      if (pages_.add(result)) return ask_past();
      finish(report_.past(pages_, own_name_));
    });
    const Whose whose{command_.session, command_.called};
    if (command_.verb == Verb::kSearch) {
      return client_.search(command_.text, whose, pages_.next(), std::move(add));
    }
    client_.history(whose, pages_.next(), std::move(add));
  }

  // --- the end ---

  void flush() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    // A reader that has seen enough (EPIPE) is no fault.
    if (errno != EPIPE && !finished_) {
      Report::complain(Error::from_errno("writing to standard output", errno).message);
      code_ = ExitCode::kRefused;
    }
    stop();
  }

  void finish(ExitCode code) {
    if (finished_) return;
    code_ = code;
    flush();
    stop();
  }

  void stop() {
    finished_ = true;
    lasting_.stop();
    reader_.stop();
    again_.stop();
    daemon_due_.stop();
    client_due_.stop();
    client_.close();
    loop_.stop();
  }

  io::Loop& loop_;
  const OneShot& one_shot_;
  Command command_;  // with the session of a name, once that is known
  const std::function<Result<UniqueFd>()>& connect_;
  Report report_;
  Pages pages_;  // history, search
  std::optional<Question> question_;
  std::string own_name_;
  std::string refusal_;
  std::optional<std::uint64_t> cursor_;   // the last event, or where a tail begins
  std::optional<std::uint64_t> gone_at_;  // ask: after this event there is no answer any more
  std::uint64_t last_seq_ = 0;            // the daemon's last event when it was greeted
  bool greeted_ = false;
  bool attached_before_ = false;
  bool sent_ = false;  // ask: the daemon has taken the text
  bool finished_ = false;
  ExitCode code_ = ExitCode::kDone;
  Pauses pauses_;  // of a tail whose daemon has gone
  io::Timer again_;
  io::Timer daemon_due_;
  io::Timer client_due_;
  std::array<UniqueFd, 2> quiet_;
  io::Readiness lasting_;
  io::Readiness reader_;
  ControlClient client_;
};

}  // namespace

std::chrono::seconds OneShot::daemon_patience() const {
  const bool for_the_client = command.verb == Verb::kAsk;
  return for_the_client ? kDaemonPatience : timeout.value_or(kDaemonPatience);
}

ExitCode run_one_shot(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
                      const std::function<Result<UniqueFd>()>& connect) {
  const Run run{loop, one_shot, std::move(control), connect};
  loop.run();
  return run.code();
}

}  // namespace chatd::console
