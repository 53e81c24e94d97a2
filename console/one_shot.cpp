#include "console/one_shot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "console/control_client.hpp"
#include "console/line.hpp"
#include "console/pages.hpp"
#include "console/roster.hpp"
#include "console/view.hpp"
#include "console/wire.hpp"
#include "io/descriptor.hpp"
#include "io/timer.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;

void complain(std::string_view text) {
  put_line(stderr, "chatctl: " + std::string{text});
}

constexpr std::uint64_t kDefaultPast = 20;  // messages

// A tail whose daemon has gone looks for it again after the first pause; each further one
// is twice as long, up to the longest.
constexpr Duration kFirstPause{100};
constexpr Duration kLongestPause{2000};
// Nobody ever writes to one end: waiting for the other keeps the loop going while there is
// no daemon.
std::array<UniqueFd, 2> quiet_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

// A command that changes nothing is announced to nobody: a health check every half a minute
// must not be told to every operator, logged and recorded.
bool only_looks(Verb verb) {
  return verb == Verb::kList || verb == Verb::kHistory || verb == Verb::kSearch ||
         verb == Verb::kBans || verb == Verb::kOrigins || verb == Verb::kStats;
}

class Run {
 public:
  Run(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
      const std::function<Result<UniqueFd>()>& connect)
      : loop_{loop},
        one_shot_{one_shot},
        command_{one_shot.command},
        connect_{connect},
        view_{one_shot.color, one_shot.timestamps},
        pages_{one_shot.command.number.value_or(kDefaultPast)},
        cursor_{one_shot.command.number},
        again_{loop, [this] { reconnect(); }},
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
    attach(std::move(control));
    if (command_.verb == Verb::kTail) {
      lasting_.start();
      if (reader_.possible()) reader_.start();  // a file has no reader who could go
    }
  }

  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  using Show = void (Run::*)(const json& result);
  /// Shows a result, and says what it means for a script.
  using Judge = ExitCode (Run::*)(const json& result);

  void attach(UniqueFd control) {
    if (auto attached = client_.attach(std::move(control)); !attached) {
      complain(attached.error().message);
      return finish(ExitCode::kRefused);
    }
    greeted_ = false;
    if (only_looks(command_.verb)) {
      own_name_ = one_shot_.name;
      return ask();
    }
    client_.hello(attached_before_ ? own_name_ : one_shot_.name, false,
                  answer([this](const json& result) {
                    const HelloInfo hello = decode_hello(result);
                    greeted_ = attached_before_ = true;
                    own_name_ = hello.operator_name;
                    last_seq_ = hello.seq;
                    ask();
                  }));
  }

  // A result goes to `show`; an error ends the program.
  ControlClient::ReplyCallback answer(std::function<void(const json&)> show) {
    return [this, show = std::move(show)](const Reply& reply) {
      if (!reply.error) return show(*reply.result);
      if (reply.error->code == kLostCode) return;  // lost() deals with that
      complain_lines(reply.error->message);
      // 3 means "not allowed" as well as "the new configuration is bad" and "nothing is
      // recorded", and those are not about who asks.
      const bool impossible = command_.verb == Verb::kReload || command_.verb == Verb::kHistory ||
                              command_.verb == Verb::kSearch;
      finish(reply.error->code == kNoSuchSessionCode               ? ExitCode::kNoSession
             : reply.error->code == kNotAllowedCode && !impossible ? ExitCode::kNotAllowed
                                                                   : ExitCode::kRefused);
    };
  }
  ControlClient::ReplyCallback answer_as_judged(Judge judge) {
    return answer([this, judge](const json& result) { finish((this->*judge)(result)); });
  }
  ControlClient::ReplyCallback answer_by(Show show) {
    return answer([this, show](const json& result) {
      (this->*show)(result);
      finish(ExitCode::kDone);
    });
  }

  void ask() {
    const SessionId session = command_.session.value_or(0);
    switch (command_.verb) {
      case Verb::kList:
        return client_.sessions(answer_by(&Run::show_list));
      case Verb::kSend:
        if (command_.everyone) {
          return client_.send_all(command_.text, answer_as_judged(&Run::show_sent));
        }
        return client_.send(session, command_.text, answer_as_judged(&Run::show_sent));
      case Verb::kBye:
        return client_.bye(session, answer_by(&Run::show_nothing));
      case Verb::kKick:
        return kick();
      case Verb::kName:
        return client_.name(session, command_.text, answer_by(&Run::show_nothing));
      case Verb::kClaim:
        // It stays: without that the claim would end with this connection, that is at once.
        return client_.claim(session, command_.force, true, answer_by(&Run::show_nothing));
      case Verb::kRelease:
        return client_.release(session, answer_by(&Run::show_nothing));
      case Verb::kGive:
        return client_.give(session, command_.text, answer_by(&Run::show_nothing));
      case Verb::kNote:
        return client_.note(session, command_.text, answer_by(&Run::show_nothing));
      case Verb::kOps:
        return client_.ops(command_.text, answer_by(&Run::show_nothing));
      case Verb::kHistory:
      case Verb::kSearch:
        return ask_past();
      case Verb::kBan:
        return client_.ban(command_.text, command_.number, command_.force,
                           answer_as_judged(&Run::show_banned));
      case Verb::kUnban:
        return client_.unban(command_.text, answer_by(&Run::show_nothing));
      case Verb::kBans:
        return client_.bans(answer_by(&Run::show_bans));
      case Verb::kOrigins:
        return client_.origins(command_.number, answer_by(&Run::show_origins));
      case Verb::kStats:
        return client_.stats(answer_by(&Run::show_stats));
      case Verb::kReload:
        return client_.reload(answer_by(&Run::show_reload));
      case Verb::kStop:
        return client_.stop(answer_by(&Run::show_nothing));
      case Verb::kTail:
        return follow();
      default:
        assert(false && "the table has no such command for scripts");
        return finish(ExitCode::kUsage);
    }
  }

  void kick() {
    if (command_.session) {
      return client_.kick(*command_.session, command_.text, answer_by(&Run::show_nothing));
    }
    auto shown = answer_as_judged(&Run::show_kicked);
    if (command_.address.empty()) {
      return client_.kick_all(command_.sessions, command_.text, std::move(shown));
    }
    client_.kick_network(command_.address, command_.text, std::move(shown));
  }

  // --- tail ---

  void follow() {
    if (cursor_ && last_seq_ < *cursor_) {
      // Another daemon, which counts from its own beginning.
      complain("the events of this daemon count from 1 again");
      cursor_ = 0;
    }
    // A tail without --since begins when others were told that it is attached, and not at
    // some later moment.
    if (!cursor_) cursor_ = last_seq_;
    // Names first: events carry ids alone.
    client_.sessions(answer([this](const json& result) {
      roster_.replace(decode_sessions(result));
      client_.subscribe(cursor_, true, answer([](const json&) {}));
    }));
  }

  void on_event(const Event& event, const json& document) {
    if (finished_) return;
    cursor_ = std::max(cursor_.value_or(0), event.seq);
    if (event.kind != EventKind::kDisconnected) roster_.apply(event);
    if (one_shot_.json) {
      print(to_plain_json(document));
    } else {
      print_all(view_.event(event, roster_, own_name_));
    }
    if (event.kind == EventKind::kDisconnected) roster_.apply(event);
    flush();
  }

  void lost(const Error& error) {
    if (finished_) return;
    if (command_.verb == Verb::kTail && attached_before_ && refusal_.empty()) {
      pause_ = kFirstPause;
      return reconnect();
    }
    if (!greeted_ || !refusal_.empty()) {
      complain(refusal_.empty() ? error.message : refusal_);
      return finish(refusal_.empty() ? ExitCode::kNoDaemon : ExitCode::kNotAllowed);
    }
    complain(error.message);
    finish(ExitCode::kNoDaemon);
  }

  void reconnect() {
    auto again = connect_();
    if (again) return attach(std::move(*again));
    if (again.error().code == EPERM) {  // somebody else serves the socket now
      complain(again.error().message);
      return finish(ExitCode::kNotAllowed);
    }
    if (pause_ == kFirstPause) complain("the daemon has gone; waiting for it");
    again_.start(pause_);
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  // --- history and search ---

  void ask_past() {
    auto add = answer([this](const json& result) {
      if (pages_.add(result)) return ask_past();
      show_past();
      finish(ExitCode::kDone);
    });
    if (command_.verb == Verb::kSearch) {
      return client_.search(command_.text, pages_.next(), std::move(add));
    }
    client_.history(command_.session, pages_.next(), std::move(add));
  }

  void show_past() {
    if (one_shot_.json) {
      for (const json& each : pages_.documents()) print(to_plain_json(each));
      return;
    }
    const View dated{one_shot_.color, one_shot_.timestamps == Timestamps::kTime
                                          ? Timestamps::kDateTime
                                          : one_shot_.timestamps};
    for (const PastMessage& each : pages_.messages()) {
      print_all(dated.past(each, roster_, own_name_));
    }
  }

  // --- what is printed ---

  void show_list(const json& result) {
    if (one_shot_.json) {
      for (const json& session : result) print(to_plain_json(session));
      return;
    }
    print_all(view_.sessions(decode_sessions(result), io::terminal_columns(STDOUT_FILENO),
                             std::time(nullptr)));
  }

  void show_bans(const json& result) {
    if (one_shot_.json) {
      for (const json& ban : result) print(to_plain_json(ban));
      return;
    }
    print_all(view_.bans(decode_bans(result), io::terminal_columns(STDOUT_FILENO)));
  }

  void show_origins(const json& result) {
    if (one_shot_.json) {
      for (const json& origin : result) print(to_plain_json(origin));
      return;
    }
    print_all(view_.origins(decode_origins(result), io::terminal_columns(STDOUT_FILENO)));
  }

  ExitCode show_banned(const json& result) {
    const BanOutcome outcome = decode_ban(result);
    if (one_shot_.json) {
      print(to_plain_json(result));
    } else {
      print_all(view_.banned(outcome));
      complain_about(outcome.ended.refused, "not ended");
    }
    return code_of(true, outcome.ended.refused);  // the ban itself is done
  }

  ExitCode show_kicked(const json& result) {
    const KickOutcome outcome = decode_kick(result);
    const bool nobody = outcome.kicked.empty() && outcome.refused.empty();
    if (one_shot_.json) {
      print(to_plain_json(result));
    } else {
      print_all(view_.kicked(outcome));
      complain_about(outcome.refused, "not ended");
      if (nobody) complain("nobody is connected from " + escaped(command_.address));
    }
    return nobody ? ExitCode::kNoSession : code_of(!outcome.kicked.empty(), outcome.refused);
  }

  ExitCode show_sent(const json& result) {
    const SendOutcome outcome = decode_send(result);
    const bool sent = !outcome.delivered.empty() || !outcome.held.empty();
    if (one_shot_.json) {
      print(to_plain_json(result));
      return code_of(sent, outcome.refused);
    }
    for (const SessionId id : outcome.held) {
      print(view_.about(id, roster_, "held until it has spoken"));
    }
    complain_about(outcome.refused, "not sent");
    for (const SessionId id : outcome.left_out) {
      print(view_.about(id, roster_, "left out: it waits for one answer"));
    }
    // To say something to nobody is no failure, but whoever types it should know.
    if (!sent && outcome.refused.empty() && outcome.left_out.empty()) {
      complain("nobody is connected");
    }
    return code_of(sent, outcome.refused);
  }

  static ExitCode code_of(bool some_done, const std::vector<RefusedSession>& refused) {
    if (refused.empty()) return ExitCode::kDone;
    return some_done ? ExitCode::kPartly : ExitCode::kRefused;
  }

  static void complain_about(const std::vector<RefusedSession>& refused, std::string_view what) {
    for (const auto& [id, reason] : refused) {
      complain(bracket(id, {}) + "* " + std::string{what} + ": " + escaped(reason));
    }
  }

  void show_stats(const json& result) {
    if (one_shot_.json) return print(to_plain_json(result));
    print_all(view_.stats(decode_stats(result)));
  }

  void show_reload(const json& result) {
    if (one_shot_.json) return print(to_plain_json(result));
    print_all(view_.reload(decode_reload(result)));
  }

  void show_nothing(const json& result) {
    if (one_shot_.json) print(to_plain_json(result));
  }

  void complain_lines(std::string_view text) const {
    const View plain{false, one_shot_.timestamps};
    for (const std::string& line : plain.problem(text)) complain(line);
  }

  void print(std::string_view line) { put_line(stdout, line); }
  void print_all(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) print(line);
  }
  void print_all(const std::vector<Line>& lines) {
    for (const Line& line : lines) put_line(stdout, line.text, line.hang);
  }

  void flush() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    // A reader that has seen enough (EPIPE) is no fault.
    if (errno != EPIPE && !finished_) {
      complain(Error::from_errno("writing to standard output", errno).message);
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
    client_.close();
    loop_.stop();
  }

  io::Loop& loop_;
  const OneShot& one_shot_;
  const Command& command_;
  const std::function<Result<UniqueFd>()>& connect_;
  View view_;
  Roster roster_;
  Pages pages_;  // history, search
  std::string own_name_;
  std::string refusal_;
  std::optional<std::uint64_t> cursor_;  // tail: the last event, or where to begin
  std::uint64_t last_seq_ = 0;           // the daemon's last event when it was greeted
  bool greeted_ = false;
  bool attached_before_ = false;
  bool finished_ = false;
  ExitCode code_ = ExitCode::kDone;
  Duration pause_ = kFirstPause;
  io::Timer again_;
  std::array<UniqueFd, 2> quiet_;
  io::Readiness lasting_;
  io::Readiness reader_;
  ControlClient client_;
};

}  // namespace

ExitCode run_one_shot(io::Loop& loop, const OneShot& one_shot, UniqueFd control,
                      const std::function<Result<UniqueFd>()>& connect) {
  const Run run{loop, one_shot, std::move(control), connect};
  loop.run();
  return run.code();
}

}  // namespace chatd::console
