#include "console/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "console/command.hpp"
#include "console/completion.hpp"
#include "console/control_client.hpp"
#include "console/focus.hpp"
#include "console/plain.hpp"
#include "console/roster.hpp"
#include "console/shortcuts.hpp"
#include "console/terminal.hpp"
#include "console/unread.hpp"
#include "console/view.hpp"
#include "console/wire.hpp"
#include "core/text.hpp"

namespace chatd::console {
namespace {

// A script can be faster than the daemon: this many requests wait for their answers
// before the next line is read.
constexpr std::size_t kMaxUnanswered = 64;
// More refusals than this of one message are counted, not listed.
constexpr std::size_t kListedRefusals = 5;
// Messages that /history and /search show at once.
constexpr std::size_t kPage = 20;
constexpr std::size_t kLongestPage = 200;

// As the daemon writes it.
std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm broken{};
  ::gmtime_r(&now, &broken);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &broken)};
}

}  // namespace

class Console::Impl : public ScreenListener {
 public:
  Impl(io::Loop& loop, UniqueFd control, ConsoleOptions options);

  void say(std::string_view line);

 private:
  enum class Phase { kAttaching, kReady, kOver };

  // What came while no operator was there.
  struct Inbox {
    std::uint64_t upto = 0;  // the last event of that time
    std::uint64_t messages = 0;
    std::set<SessionId> clients;
    std::string since;
  };

  // What /more goes on with.
  struct Past {
    Verb verb = Verb::kHistory;
    std::string words;
    std::optional<SessionId> session;
    Page page;
  };

  LineFate on_line(std::string_view line) override;
  void on_long_line() override;
  void on_edited(bool empty) override { guard_.edited(empty); }
  void on_shown(bool prompt) override;
  void on_input_end() override { leave(!options_.interactive); }
  void on_output_gone(int error) override;
  void on_jump(int key) override;
  Completion on_complete(std::string_view before) override { return complete(before, roster_); }

  void attach(UniqueFd control);
  void greeted(const Reply& reply);
  void subscribed(const Reply& reply);
  void listed(const Reply& reply);
  void begin_when_caught_up();
  void note_in_inbox(const Event& event);
  void end_inbox();
  void take_event(const Event& event);
  void lost(const Error& error);
  void give_up(const Error& error);
  void leave(bool at_end);
  void leave_when_done();
  void end();

  LineFate execute(const Command& command);
  LineFate to_focus(const Command& command);
  void say_to(SessionId session, const std::string& text);
  void say_to_all(const std::string& text);
  void show_list();
  void begin_past(const Command& command);
  void show_past(const Past& past);
  void take_past(Past past, const PastPage& page);
  void set_focus(Target target);
  void show_prompt();
  // What an answer is shown by.
  using Show = std::function<void(const nlohmann::json& result)>;
  // A refusal is told with `what` before it.
  ControlClient::ReplyCallback shown(std::string what, Show show);
  ControlClient::ReplyCallback done(std::string what);
  // What is done about a session: silent when it is done, for an event tells of it.
  ControlClient::ReplyCallback done(SessionId session, std::string what);

  void print(const std::vector<std::string>& lines);
  void problem(std::string_view text);
  void problem_about(SessionId session, std::string_view text);
  void update();

  ConsoleOptions options_;
  View view_;
  Roster roster_;
  Focus focus_;
  Unread unread_;
  bool unread_holds_ = false;  // every event since it was counted has been heard
  Shortcuts shortcuts_;
  LineGuard guard_;
  Phase phase_ = Phase::kAttaching;
  bool attached_before_ = false;
  bool roster_known_;  // before that nobody can be called alone
  bool full_ = false;  // too much waits to be shown
  bool held_ = true;
  std::optional<bool> left_at_end_;  // how the console was left, once it was
  bool all_heard_ = false;           // the last answer before leaving has come
  std::string own_name_;
  std::uint64_t cursor_ = 0;        // of the last event
  std::uint64_t listed_after_ = 0;  // the event after which list_ was made
  std::optional<std::vector<SessionInfo>> list_;
  std::optional<Past> past_;
  std::optional<Inbox> inbox_;  // while it is being shown
  std::string day_;             // of what was shown last
  bool away_ = false;
  ControlClient client_;
  std::unique_ptr<Screen> screen_;
};

Console::Impl::Impl(io::Loop& loop, UniqueFd control, ConsoleOptions options)
    : options_{std::move(options)},
      view_{options_.color, options_.timestamps},
      roster_known_{options_.from_start},
      client_{loop,
              {[this](const Event& event, const nlohmann::json&) { take_event(event); },
               [this](const Error& error) { lost(error); },
               [this](std::string_view sentence) { problem(sentence); }}} {
  if (options_.interactive) {
    screen_ =
        std::make_unique<Terminal>(loop, *this, options_.input, options_.output, options_.history);
  } else {
    screen_ =
        std::make_unique<Plain>(loop, *this, options_.input, options_.output, options_.errors);
  }
  (void)view_.day(utc_now(), day_);
  show_prompt();
  attach(std::move(control));
}

// --- the connection ---

void Console::Impl::attach(UniqueFd control) {
  phase_ = Phase::kAttaching;
  list_.reset();
  if (auto attached = client_.attach(std::move(control)); !attached) {
    return give_up(attached.error());
  }
  if (full_) client_.pause();
  // Whoever comes back is who it was: its claims are kept for it.
  client_.hello(attached_before_ ? own_name_ : options_.name,
                [this](const Reply& reply) { greeted(reply); });
}

void Console::Impl::greeted(const Reply& reply) {
  // A connection that is lost is dealt with by lost().
  if (reply.error && reply.error->code == kLostCode) return;
  if (reply.error) return give_up({core::escaped(reply.error->message)});
  const HelloInfo hello = decode_hello(*reply.result);
  own_name_ = hello.operator_name;
  // From now on, which is from when others were told of this operator; where it was; or
  // another daemon, which counts from its own beginning.
  const bool anew = attached_before_ && hello.seq < cursor_;
  if (anew) unread_holds_ = false;
  std::uint64_t since = attached_before_ && !anew ? cursor_ : hello.seq;
  const bool waiting = hello.unread > 0 && hello.attended;
  if (!attached_before_ && (options_.from_start || waiting)) {
    // What nobody was there for; beginning with the daemon itself, everything that was
    // faster than this console.
    since = hello.attended.value_or(0);
    if (waiting) {
      inbox_.emplace();
      inbox_->upto = hello.seq;
      say(std::to_string(hello.unread) + " unread, the oldest first:");
    }
  }
  cursor_ = anew ? since : std::max(cursor_, since);
  // Away is a state of the connection, and this is another one.
  away_ = false;
  // Both in one go, so that nothing happens between them: the list is how things
  // stand after the event whose number the subscription tells.
  client_.subscribe(since, [this](const Reply& answer) { subscribed(answer); });
  client_.sessions([this](const Reply& answer) { listed(answer); });
}

void Console::Impl::subscribed(const Reply& reply) {
  if (reply.error && reply.error->code == kLostCode) return;
  if (reply.error) return give_up({core::escaped(reply.error->message)});
  listed_after_ = decode_subscribe(*reply.result);
}

void Console::Impl::listed(const Reply& reply) {
  if (phase_ == Phase::kOver || (reply.error && reply.error->code == kLostCode)) return;
  if (reply.error) return give_up({core::escaped(reply.error->message)});
  list_ = decode_sessions(*reply.result);
  begin_when_caught_up();
}

// The list holds as soon as every event before it has been heard.
void Console::Impl::begin_when_caught_up() {
  if (phase_ != Phase::kAttaching || !list_ || cursor_ < listed_after_) return;
  roster_.replace(*list_);
  if (focus_.current() && !roster_.contains(*focus_.current())) focus_.set(std::nullopt);
  if (std::exchange(unread_holds_, true)) {
    unread_.keep(*list_);
  } else {
    unread_.replace(*list_, focus_.current());
  }
  shortcuts_.update(roster_);
  list_.reset();
  roster_known_ = true;
  phase_ = Phase::kReady;
  end_inbox();
  show_prompt();
  if (options_.interactive && !attached_before_) {
    const std::size_t count = roster_.size();
    say("operator " + core::escaped(own_name_) + "; " +
        (count == 0   ? "nobody is connected"
         : count == 1 ? "1 client, /list shows it"
                      : std::to_string(count) + " clients, /list shows them") +
        "; /help shows what can be typed");
  }
  attached_before_ = true;
  update();
}

void Console::Impl::note_in_inbox(const Event& event) {
  if (!inbox_ || event.kind != Event::Kind::kMessage || event.seq > inbox_->upto) return;
  ++inbox_->messages;
  inbox_->clients.insert(event.session());
  if (inbox_->since.empty()) inbox_->since = event.time;
}

void Console::Impl::end_inbox() {
  if (!inbox_) return;
  const std::size_t clients = inbox_->clients.size();
  if (inbox_->messages > 0) {
    say(std::to_string(inbox_->messages) + " unread from " + std::to_string(clients) +
        (clients == 1 ? " client" : " clients") + " since " + local_time(inbox_->since, true));
  }
  inbox_.reset();
}

void Console::Impl::take_event(const Event& event) {
  if (phase_ == Phase::kOver) return;
  cursor_ = std::max(cursor_, event.seq);
  if (const std::string day = view_.day(event.time, day_); !day.empty()) screen_->print(day);
  note_in_inbox(event);
  // A line about a session carries the name that it has, or had until now.
  if (event.kind == Event::Kind::kDisconnected) {
    print(view_.event(event, roster_, own_name_));
    roster_.apply(event);
    focus_.disconnected(event.session());
  } else {
    const bool alone = roster_known_ && roster_.size() == 0;
    roster_.apply(event);
    if (event.kind == Event::Kind::kConnected) focus_.connected(event.session(), alone);
    // Not in plain lines, which scripts read.
    print(view_.event(event, roster_, own_name_,
                      options_.interactive ? focus_.current() : std::nullopt));
  }
  unread_.apply(event, focus_.current());
  if (event.kind == Event::Kind::kLagged) unread_holds_ = false;
  if (event.kind == Event::Kind::kConnected || event.kind == Event::Kind::kDisconnected) {
    shortcuts_.update(roster_);
  }
  show_prompt();
  begin_when_caught_up();
  update();
}

void Console::Impl::lost(const Error& error) {
  if (phase_ == Phase::kOver) return;
  const bool hopeless = phase_ == Phase::kAttaching || !options_.reattach || left_at_end_;
  if (hopeless) return give_up(error);
  auto control = options_.reattach();
  if (!control) return give_up(error);
  say("the daemon had detached this console; attached again");
  if (!options_.reattach_keeps_focus && focus_.current()) {
    // It may be another daemon by now, whose ids are other people's.
    say("the focus is cleared");
    set_focus(std::nullopt);
  }
  attach(std::move(*control));
  update();
}

void Console::Impl::give_up(const Error& error) {
  phase_ = Phase::kOver;
  client_.close();
  screen_->close();
  if (options_.on_lost) options_.on_lost(error);
}

// --- leaving ---

void Console::Impl::leave(bool at_end) {
  if (left_at_end_) return;
  left_at_end_ = at_end;
  update();
}

void Console::Impl::leave_when_done() {
  if (!left_at_end_ || phase_ != Phase::kReady || client_.unanswered() > 0) return;
  if (!options_.interactive) {
    // Events of what was asked for last may still be on their way: they come before
    // the answer to one more request.
    if (!std::exchange(all_heard_, true)) {
      client_.stats([this](const Reply&) { update(); });
      return;
    }
    if (screen_->queued_bytes() > 0) return;
  }
  end();
}

void Console::Impl::end() {
  phase_ = Phase::kOver;
  screen_->close();
  client_.close();
  const auto& callback = *left_at_end_ ? options_.on_end : options_.on_quit;
  if (callback) callback();
}

void Console::Impl::on_output_gone(int) {
  if (phase_ == Phase::kOver) return;
  if (options_.on_output_gone) {
    options_.on_end = options_.on_quit = options_.on_output_gone;
  }
  if (!left_at_end_) left_at_end_ = !options_.interactive;
  end();
}

// --- what is typed ---

LineFate Console::Impl::on_line(std::string_view line) {
  const Parsed parsed = parse(line, [this](std::string_view name) { return roster_.named(name); });
  LineFate fate = LineFate::kTaken;
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    problem(refusal->message);
  } else {
    const auto& command = std::get<Command>(parsed);
    fate = command.needs_focus() ? to_focus(command) : execute(command);
  }
  update();
  return fate;
}

void Console::Impl::on_long_line() {
  problem("not sent: longer than 1 MiB");
}

LineFate Console::Impl::to_focus(const Command& command) {
  const Target now = focus_.current();
  // Plain lines do not tell when they were begun.
  const Target begun = options_.interactive ? guard_.begun_under() : now;
  const auto verdict = options_.interactive ? guard_.entered(now)
                       : now                ? LineGuard::Verdict::kSend
                                            : LineGuard::Verdict::kNoFocus;
  switch (verdict) {
    case LineGuard::Verdict::kSend: {
      Command addressed = command;
      addressed.session = now;
      if (addressed.verb == Verb::kSay) addressed.verb = Verb::kSend;
      return execute(addressed);
    }
    case LineGuard::Verdict::kNoFocus:
      problem(roster_.size() == 0
                  ? "not sent: nobody is connected"
                  : "not sent: no client is in focus; /focus ID chooses one, /list shows them");
      return LineFate::kTaken;
    case LineGuard::Verdict::kLeft:
      problem("not sent: " + bracket(*begun, {}) +
              " has left, and no client is in focus. The line is kept: write @ID before it, or "
              "choose a client and press Enter again");
      return LineFate::kKept;
    case LineGuard::Verdict::kMoved:
      problem("not sent yet: this line was begun " +
              (begun ? "for " + bracket(*begun, roster_.name_of(*begun)) : "without a focus") +
              ", and the focus is " + bracket(*now, roster_.name_of(*now)) +
              " now. Enter again sends it there");
      return LineFate::kKept;
    case LineGuard::Verdict::kUnseen:
      break;
  }
  return LineFate::kKept;
}

LineFate Console::Impl::execute(const Command& command) {
  const SessionId session = command.session.value_or(0);
  switch (command.verb) {
    case Verb::kNothing:
      return LineFate::kErase;
    case Verb::kSay:
    case Verb::kSend:
      if (command.everyone) {
        say_to_all(command.text);
      } else {
        say_to(session, command.text);
      }
      return LineFate::kErase;
    case Verb::kList:
      show_list();
      break;
    case Verb::kFocus:
      if (command.session && !roster_.contains(session)) {
        problem("no such session: " + std::to_string(session) + "; /list shows them all");
      } else {
        set_focus(command.session);
      }
      break;
    case Verb::kBye:
      client_.bye(session, done(session, "bye"));
      break;
    case Verb::kKick:
      client_.kick(session, command.text, done(session, "not ended"));
      break;
    case Verb::kName:
      client_.name(session, command.text, done(session, "not named"));
      break;
    case Verb::kClaim:
      client_.claim(session, command.force, false, done(session, "not claimed"));
      break;
    case Verb::kRelease:
      client_.release(session, done(session, "not released"));
      break;
    case Verb::kHistory:
    case Verb::kSearch:
      begin_past(command);
      break;
    case Verb::kMore:
      if (past_) {
        // Not a second time before the answer has come.
        show_past(*std::exchange(past_, std::nullopt));
      } else {
        problem("there is nothing more to show; /history and /search begin");
      }
      break;
    case Verb::kBan:
      client_.ban(command.text, command.number,
                  shown("not banned", [this](const nlohmann::json& result) {
                    print(view_.banned(decode_ban(result)));
                  }));
      break;
    case Verb::kUnban:
      client_.unban(command.text, done("not unbanned"));
      break;
    case Verb::kBans:
      client_.bans(shown("no list", [this](const nlohmann::json& result) {
        print(view_.bans(decode_bans(result), screen_->width()));
      }));
      break;
    case Verb::kAway:
      client_.away(command.text, shown("not away", [this](const nlohmann::json&) {
                     away_ = true;
                     show_prompt();
                     say("away; /back ends it");
                   }));
      break;
    case Verb::kBack:
      client_.back(shown("not back", [this](const nlohmann::json&) {
        away_ = false;
        show_prompt();
        say("back");
      }));
      break;
    case Verb::kStats:
      client_.stats(shown("no numbers", [this](const nlohmann::json& result) {
        print(view_.stats(decode_stats(result)));
      }));
      break;
    case Verb::kReload:
      client_.reload(shown("", [this](const nlohmann::json& result) {
        print(view_.reload(decode_reload(result)));
      }));
      break;
    case Verb::kHelp:
      print(help_lines(screen_->width()));
      break;
    case Verb::kQuit:
      leave(false);
      break;
    case Verb::kTail:
    case Verb::kStop:
    case Verb::kCompletion:
      break;  // for scripts alone
  }
  return LineFate::kTaken;
}

ControlClient::ReplyCallback Console::Impl::done(std::string what) {
  return [this, what = std::move(what)](const Reply& reply) {
    if (reply.error) problem(what + ": " + core::escaped(reply.error->message));
    update();
  };
}

ControlClient::ReplyCallback Console::Impl::shown(std::string what, Show show) {
  return [this, what = std::move(what), show = std::move(show)](const Reply& reply) {
    if (!reply.error) {
      show(*reply.result);
    } else {
      // Faults of a configuration are many lines, with a table of their own.
      problem((what.empty() ? "" : what + ": ") + reply.error->message);
    }
    update();
  };
}

ControlClient::ReplyCallback Console::Impl::done(SessionId session, std::string what) {
  return [this, session, what = std::move(what)](const Reply& reply) {
    if (reply.error) {
      std::string why = what + ": " + core::escaped(reply.error->message);
      if (reply.error->code == kClaimedCode) {
        why += "; /claim " + std::to_string(session) + " --force takes it";
      }
      problem_about(session, why);
    }
    update();
  };
}

void Console::Impl::say_to(SessionId session, const std::string& text) {
  client_.send(session, text, done(session, "not sent"));
}

void Console::Impl::say_to_all(const std::string& text) {
  client_.send_all(text, [this](const Reply& reply) {
    if (reply.error) {
      problem("not sent: " + core::escaped(reply.error->message));
      return update();
    }
    const SendOutcome outcome = decode_send(*reply.result);
    if (outcome.delivered.empty() && outcome.held.empty() && outcome.refused.empty()) {
      problem("not sent: nobody is connected");
    }
    for (std::size_t i = 0; i < std::min(kListedRefusals, outcome.refused.size()); ++i) {
      problem_about(outcome.refused[i].session,
                    "not sent: " + core::escaped(outcome.refused[i].reason));
    }
    if (outcome.refused.size() > kListedRefusals) {
      problem("not sent to " + std::to_string(outcome.refused.size()) + " clients in all");
    }
    update();
  });
}

void Console::Impl::show_list() {
  client_.sessions([this](const Reply& reply) {
    if (reply.error) {
      problem("no list: " + core::escaped(reply.error->message));
    } else {
      std::vector<SessionInfo> sessions = decode_sessions(*reply.result);
      // Of this operator, as the prompt has it; the daemon counts until an answer.
      for (SessionInfo& each : sessions) each.unread = unread_.of(each.session);
      if (sessions.empty()) {
        print({view_.note("nobody is connected")});
      } else {
        print(view_.sessions(sessions, screen_->width(), std::time(nullptr),
                             options_.interactive ? &shortcuts_ : nullptr));
      }
    }
    update();
  });
}

// --- what was said ---

void Console::Impl::begin_past(const Command& command) {
  Past past;
  past.verb = command.verb;
  past.words = command.text;
  past.session = command.session;
  // Without an ID: of whom the operator talks with.
  if (command.verb == Verb::kHistory && !command.session && !command.everyone) {
    past.session = focus_.current();
  }
  past.page.limit = std::clamp<std::size_t>(command.number.value_or(kPage), 1, kLongestPage);
  show_past(past);
}

void Console::Impl::show_past(const Past& past) {
  const auto show = [this, past](const nlohmann::json& result) {
    take_past(past, decode_past(result));
  };
  if (past.verb == Verb::kSearch) {
    client_.search(past.words, past.page, shown("no search", show));
  } else {
    client_.history(past.session, past.page, shown("no history", show));
  }
}

void Console::Impl::take_past(Past past, const PastPage& page) {
  for (const PastMessage& each : page.messages) print(view_.past(each, roster_, own_name_));
  if (page.more && !page.messages.empty()) {
    past.page.before = page.messages.front().seq;
    past_ = std::move(past);
    say("there is more before that; /more shows it");
    return;
  }
  if (page.messages.empty()) say(past.page.before > 0 ? "that was all" : "nothing was found");
  past_.reset();
}

void Console::Impl::set_focus(Target target) {
  focus_.set(target);
  if (target) unread_.seen(*target);
  show_prompt();
}

void Console::Impl::on_jump(int key) {
  const Target target = key == 0 ? unread_.next() : shortcuts_.at(key);
  if (target) {
    set_focus(target);
  } else if (key == 0) {
    say("nothing is unread");
  } else {
    problem("no client has the key Alt-" + std::to_string(key) + "; /list shows the keys");
  }
}

void Console::Impl::show_prompt() {
  if (!options_.interactive) return;
  screen_->set_prompt(
      view_.prompt(focus_.current(), roster_, {&unread_, own_name_, away_, screen_->width()}));
}

// --- the screen ---

void Console::Impl::say(std::string_view line) {
  screen_->print(view_.note(line));
}

void Console::Impl::print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) screen_->print(line);
}

void Console::Impl::problem(std::string_view text) {
  for (const std::string& line : view_.problem(text)) screen_->print_problem(line);
}

void Console::Impl::problem_about(SessionId session, std::string_view text) {
  problem(bracket(session, roster_.name_of(session)) + "* " + std::string{text});
}

void Console::Impl::on_shown(bool prompt) {
  if (prompt) guard_.shown(focus_.current());
  if (phase_ == Phase::kOver) return;
  if (std::exchange(full_, false)) client_.resume();
  update();
}

// Brings what flows in line with what the screen and the daemon can take, and
// leaves when that was asked for and all is done.
void Console::Impl::update() {
  if (phase_ == Phase::kOver) return;
  if (!full_ && screen_->queued_bytes() > Screen::kFullBytes) {
    full_ = true;
    client_.pause();
  }
  const bool held = phase_ != Phase::kReady || full_ || left_at_end_.has_value() ||
                    client_.unanswered() >= kMaxUnanswered;
  if (held != held_) {
    held_ = held;
    screen_->hold_input(held);
  }
  if (phase_ != Phase::kOver) leave_when_done();
}

// --- the public face ---

Console::Console(io::Loop& loop, UniqueFd control, ConsoleOptions options)
    : impl_{std::make_unique<Impl>(loop, std::move(control), std::move(options))} {}

Console::~Console() = default;

void Console::say(std::string_view line) {
  impl_->say(line);
}

bool can_be_interactive(int input, int output) {
  return io::kind_of(input) == io::DescriptorKind::kTerminal &&
         io::kind_of(output) == io::DescriptorKind::kTerminal && !io::in_background(input);
}

bool wants_color(ColorChoice choice, int output) {
  if (choice != ColorChoice::kAuto) return choice == ColorChoice::kAlways;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term == nullptr || std::string_view{term} == "dumb") return false;
  return ::isatty(output) == 1;
}

}  // namespace chatd::console
