#include "console/one_shot.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "console/control_client.hpp"
#include "console/roster.hpp"
#include "console/view.hpp"
#include "console/wire.hpp"
#include "core/text.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;

void complain(std::string_view text) {
  std::fprintf(stderr, "chatctl: %.*s\n", static_cast<int>(text.size()), text.data());
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

class Run {
 public:
  Run(io::Loop& loop, const OneShot& wish, UniqueFd control,
      const std::function<Result<UniqueFd>()>& connect)
      : loop_{loop},
        wish_{wish},
        connect_{connect},
        view_{wish.color, wish.timestamps},
        client_{loop,
                {[this](const Event& event, const json& document) { take_event(event, document); },
                 [this](const Error& error) { lost(error); },
                 // The daemon refuses a peer by an error that answers no request.
                 [this](std::string_view sentence) { refusal_ = sentence; }}} {
    attach(std::move(control));
  }

  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  using Operation = OneShot::Operation;
  using Take = void (Run::*)(const json& result);

  void attach(UniqueFd control) {
    if (auto attached = client_.attach(std::move(control)); !attached) {
      complain(attached.error().message);
      return finish(ExitCode::kRefused);
    }
    greeted_ = false;
    client_.hello(wish_.name, answer([this](const json& result) {
                    greeted_ = true;
                    own_name_ = decode_hello(result).operator_name;
                    ask();
                  }));
  }

  // An answer that is good goes to `take`; a bad one ends the program.
  ControlClient::ReplyCallback answer(std::function<void(const json&)> take) {
    return [this, take = std::move(take)](const Reply& reply) {
      if (!reply.error) return take(*reply.result);
      if (reply.error->code == kLostCode) return;  // lost() deals with that
      complain_lines(reply.error->message);
      // 3 means "not allowed" as well as "the new configuration is bad".
      const bool reload = wish_.operation == Operation::kReload;
      finish(reply.error->code == kNoSuchSessionCode           ? ExitCode::kNoSession
             : reply.error->code == kNotAllowedCode && !reload ? ExitCode::kNotAllowed
                                                               : ExitCode::kRefused);
    };
  }
  ControlClient::ReplyCallback answer_by(Take take) {
    return answer([this, take](const json& result) {
      (this->*take)(result);
      finish(ExitCode::kDone);
    });
  }

  void ask() {
    const SessionId session = wish_.session.value_or(0);
    switch (wish_.operation) {
      case Operation::kList:
        return client_.sessions(answer_by(&Run::show_list));
      case Operation::kSend:
        if (wish_.session) return client_.send(session, wish_.text, answer_by(&Run::show_sent));
        return client_.send_all(wish_.text, answer_by(&Run::show_sent));
      case Operation::kBye:
        return client_.bye(session, answer_by(&Run::show_nothing));
      case Operation::kKick:
        return client_.kick(session, wish_.text, answer_by(&Run::show_nothing));
      case Operation::kName:
        return client_.name(session, wish_.text, answer_by(&Run::show_nothing));
      case Operation::kStats:
        return client_.stats(answer_by(&Run::show_stats));
      case Operation::kReload:
        return client_.reload(answer_by(&Run::show_reload));
      case Operation::kStop:
        return client_.stop(answer_by(&Run::show_nothing));
      case Operation::kTail:
        // Names first: events carry ids alone.
        return client_.sessions(answer([this](const json& result) {
          roster_.replace(decode_sessions(result));
          client_.subscribe(cursor_ ? cursor_ : wish_.since, answer([](const json&) {}));
        }));
    }
  }

  void show_list(const json& result) {
    if (wish_.json) {
      for (const json& session : result) print(to_plain_json(session));
      return;
    }
    print_all(view_.sessions(decode_sessions(result), terminal_width(), std::time(nullptr)));
  }

  void show_sent(const json& result) {
    if (wish_.json) return print(to_plain_json(result));
    const SendOutcome outcome = decode_send(result);
    for (const SessionId id : outcome.held) {
      print(view_.about(id, roster_, "held until it has spoken"));
    }
    for (const auto& [id, reason] : outcome.refused) {
      complain(bracket(id, {}) + "* not sent: " + core::escaped(reason));
    }
  }

  void show_stats(const json& result) {
    if (wish_.json) return print(to_plain_json(result));
    print_all(view_.stats(decode_stats(result)));
  }

  void show_reload(const json& result) {
    if (wish_.json) return print(to_plain_json(result));
    print_all(view_.reload(decode_reload(result)));
  }

  void show_nothing(const json& result) {
    if (wish_.json) print(to_plain_json(result));
  }

  void take_event(const Event& event, const json& document) {
    if (finished_) return;
    cursor_ = std::max(cursor_.value_or(0), event.seq);
    if (event.kind != Event::Kind::kDisconnected) roster_.apply(event);
    if (wish_.json) {
      print(to_plain_json(document));
    } else {
      print_all(view_.event(event, roster_, own_name_));
    }
    if (event.kind == Event::Kind::kDisconnected) roster_.apply(event);
    flush();
  }

  void lost(const Error& error) {
    if (finished_) return;
    if (!greeted_) {
      complain(refusal_.empty() ? error.message : refusal_);
      return finish(refusal_.empty() ? ExitCode::kNoDaemon : ExitCode::kNotAllowed);
    }
    if (wish_.operation == Operation::kTail) {
      if (auto again = connect_(); again) return attach(std::move(*again));
    }
    complain(error.message);
    finish(ExitCode::kNoDaemon);
  }

  void complain_lines(std::string_view text) const {
    const View plain{false, wish_.timestamps};
    for (const std::string& line : plain.problem(text)) complain(line);
  }

  void print(std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
  }
  void print_all(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) print(line);
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
    client_.close();
    loop_.stop();
  }

  io::Loop& loop_;
  const OneShot& wish_;
  const std::function<Result<UniqueFd>()>& connect_;
  View view_;
  Roster roster_;
  std::string own_name_;
  std::string refusal_;
  std::optional<std::uint64_t> cursor_;
  bool greeted_ = false;
  bool finished_ = false;
  ExitCode code_ = ExitCode::kDone;
  ControlClient client_;
};

}  // namespace

ExitCode run_one_shot(io::Loop& loop, const OneShot& wish, UniqueFd control,
                      const std::function<Result<UniqueFd>()>& connect) {
  const Run run{loop, wish, std::move(control), connect};
  loop.run();
  return run.code();
}

}  // namespace chatd::console
