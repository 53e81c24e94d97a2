#include "console/console.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "console/catch_up.hpp"
#include "console/command.hpp"
#include "console/completion.hpp"
#include "console/control_client.hpp"
#include "console/desk.hpp"
#include "console/focus.hpp"
#include "console/leave_guard.hpp"
#include "console/operations.hpp"
#include "console/pauses.hpp"
#include "console/plain.hpp"
#include "console/terminal.hpp"
#include "console/view.hpp"
#include "console/wire.hpp"
#include "io/timer.hpp"

namespace chatd::console {
namespace {

// A script can be faster than the daemon: this many requests wait for their answers
// before the next line is read.
constexpr std::size_t kMaxUnanswered = 64;
// Attempts to attach again, after which it gives up.
constexpr int kAttempts = 10;
// An operator who turns to a client is not kept waiting longer for what was said before.
constexpr Duration kPastWait{2000};
// How often others are told that this operator is writing, and how often it is looked who is.
constexpr Duration kWritingTold{3000};
constexpr Duration kWritersLook{2000};

// Whoever serves the socket now is somebody else, or lets this user in no more.
bool is_refusal(const Error& error) {
  return error.code == EPERM || error.code == EACCES;
}

}  // namespace

class Console::Impl : public ScreenListener {
 public:
  Impl(io::Loop& loop, UniqueFd control, ConsoleOptions options);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() override { desk_.keep_drafts(); }

  void say(std::string_view line);
  void take_key(int signal);

 private:
  /// kAway: the daemon has gone, and an operator in a terminal waits for it.
  enum class Phase { kAttaching, kReady, kAway, kOver };

  LineFate on_line(std::string_view line) override;
  void on_long_line() override;
  void on_edited(bool empty) override;
  void on_shown(bool prompt) override;
  void on_input_end() override { leave(!options_.interactive || options_.ends_service); }
  void on_leave(char key) override;
  void on_quit_key() override;
  void on_stop_key() override;
  void on_key() override { leave_guard_.other_key(); }
  void on_output_gone(int error) override;
  void on_jump(int key) override { desk_.jump(key); }
  void on_only() override { desk_.toggle_only(); }
  void on_resized() override { desk_.resized(); }
  Completion on_complete(std::string_view before) override {
    return complete(before, desk_.roster(), desk_.replies());
  }

  void attach(UniqueFd control);
  void greeted(const Reply& reply);
  void subscribed(const Reply& reply);
  void listed(const Reply& reply);
  void begin_when_caught_up();
  void on_event(const Event& event);
  void lost(const Error& error);
  [[nodiscard]] bool waits_for_daemon() const;
  void wait_for_daemon();
  void look_for_daemon();
  void refused(const Error& error);
  void give_up(const Error& error);
  void wish_to_leave(bool by_line);
  void leave(bool at_end);
  void leave_when_done();
  void end();

  LineFate obey(const Command& command, std::string_view line);
  [[nodiscard]] bool may_go(const Command& command, std::string_view line);
  [[nodiscard]] std::string names_of(const std::vector<SessionId>& sessions) const;
  [[nodiscard]] std::vector<SessionId> meant(const Address& address) const;
  LineFate to_focus(const Command& command);
  void ask_past(SessionId session, std::size_t limit, bool notes);
  void update();

  io::Loop& loop_;
  ConsoleOptions options_;
  Desk desk_;
  LeaveGuard leave_guard_;
  Phase phase_ = Phase::kAttaching;
  bool attached_before_ = false;
  int attempts_ = 0;  // to attach again, since it was attached
  Pauses pauses_;     // between them, while an operator waits
  io::Timer again_;
  bool was_away_ = false;       // since it was attached
  bool was_refused_ = false;    // likewise, and it was said
  std::string refusal_;         // what the daemon said instead of an answer
  std::string lineage_;         // of the sessions that it has
  bool same_sessions_ = false;  // ids mean the same people as before
  bool full_ = false;           // too much waits to be shown
  bool held_ = true;
  std::optional<bool> left_at_end_;  // how the console was left, once it was
  bool all_heard_ = false;           // the last answer before leaving has come
  std::uint64_t cursor_ = 0;         // of the last event
  std::uint64_t listed_after_ = 0;   // the event after which list_ was made
  std::optional<std::vector<SessionInfo>> list_;
  CatchUp catch_up_;
  ControlClient client_;
  Operations operations_;
  std::optional<Time> wrote_;  // when the others were told last that this one writes
  Target writing_to_;
  bool looking_ = false;  // for who writes no more
  io::Timer writers_;
  SessionId asked_ = 0;          // whose past has been asked for
  std::vector<NoteInfo> noted_;  // about that one, as far as the answer has come
  io::Timer past_late_;
  std::unique_ptr<Screen> screen_;
};

Console::Impl::Impl(io::Loop& loop, UniqueFd control, ConsoleOptions options)
    : loop_{loop},
      options_{std::move(options)},
      desk_{options_},
      again_{loop, [this] { look_for_daemon(); }},
      client_{loop,
              {[this](const Event& event, const nlohmann::json&) { on_event(event); },
               [this](const Error& error) { lost(error); },
               [this](std::string_view sentence) {
                 refusal_ = sentence;
                 if (phase_ != Phase::kAttaching || !was_away_) desk_.problem(sentence);
               }}},
      operations_{client_, desk_, [this] { update(); }, [this] { wish_to_leave(true); }},
      writers_{loop,
               [this] {
                 looking_ = desk_.forget_writers();
                 if (looking_) writers_.start(kWritersLook);
               }},
      past_late_{loop, [this] { desk_.recall(asked_, {}, noted_); }} {
  if (options_.interactive) {
    screen_ = std::make_unique<Terminal>(
        loop, *this, options_.input, options_.output,
        TerminalHabits{options_.history, options_.lines_file, !options_.ends_service});
  } else {
    screen_ =
        std::make_unique<Plain>(loop, *this, options_.input, options_.output, options_.errors);
  }
  desk_.use(*screen_, [this](SessionId session, std::size_t limit, bool notes) {
    ask_past(session, limit, notes);
  });
  attach(std::move(control));
}

// --- the connection ---

void Console::Impl::attach(UniqueFd control) {
  phase_ = Phase::kAttaching;
  list_.reset();
  refusal_.clear();
  if (auto attached = client_.attach(std::move(control)); !attached) {
    return give_up(attached.error());
  }
  if (full_) client_.pause();
  // An operator who comes back keeps its name: its claims are kept under that.
  client_.hello(attached_before_ ? desk_.own_name() : options_.name, false,
                [this](const Reply& reply) { greeted(reply); });
}

void Console::Impl::greeted(const Reply& reply) {
  // A connection that is lost is dealt with by lost().
  if (reply.error && reply.error->code == kLostCode) return;
  if (reply.error) return refused({escaped(reply.error->message)});
  const HelloInfo hello = decode_hello(*reply.result);
  desk_.set_own_name(hello.operator_name);
  same_sessions_ = options_.reattaches_to_same || (!lineage_.empty() && hello.lineage == lineage_);
  lineage_ = hello.lineage;
  if (std::exchange(was_away_, false)) desk_.say("attached again");
  // A new console begins now, which is when the others were told of it; one that comes back
  // goes on from its cursor, unless this is another daemon, whose events count from 1.
  const bool anew = attached_before_ && hello.seq < cursor_;
  if (anew) desk_.forget_unread();
  std::uint64_t since = attached_before_ && !anew ? cursor_ : hello.seq;
  const bool waiting = (hello.unread > 0 || hello.counting) && hello.attended;
  if (!attached_before_ && (options_.from_start || waiting)) {
    // What came while no operator was there. A console that begins with its daemon hears
    // everything that came before it.
    since = hello.attended.value_or(0);
    if (waiting) {
      catch_up_.begin(hello.seq);
      desk_.say((hello.counting ? "at least " : "") + std::to_string(hello.unread) +
                " unread, the oldest first:");
    }
  }
  cursor_ = anew ? since : std::max(cursor_, since);
  // Away is a state of the operator, whose other consoles may have said it; and where it had no
  // connection any more, it has to be said again.
  if (!hello.away.empty()) {
    desk_.set_away(hello.away);
  } else if (!desk_.away().empty()) {
    client_.away(desk_.away(), [this](const Reply& answer) {
      if (!answer.error || answer.error->code == kLostCode) return;
      desk_.set_away({});
      desk_.problem("not away any more: " + answer.error->message);
    });
  }
  // Both in one go, so that nothing happens between them: the list is the state after
  // the event whose number the subscription tells.
  client_.subscribe(since, false, [this](const Reply& answer) { subscribed(answer); });
  client_.sessions([this](const Reply& answer) { listed(answer); });
  if (options_.interactive) {
    operations_.ask_desk();
    operations_.ask_operators();
  }
}

void Console::Impl::subscribed(const Reply& reply) {
  if (reply.error && reply.error->code == kLostCode) return;
  if (reply.error) return refused({escaped(reply.error->message)});
  listed_after_ = decode_subscribe(*reply.result);
}

void Console::Impl::listed(const Reply& reply) {
  if (phase_ == Phase::kOver || (reply.error && reply.error->code == kLostCode)) return;
  if (reply.error) return refused({escaped(reply.error->message)});
  list_ = decode_sessions(*reply.result);
  begin_when_caught_up();
}

// The list is valid as soon as every event before it has been heard.
void Console::Impl::begin_when_caught_up() {
  if (phase_ != Phase::kAttaching || !list_ || cursor_ < listed_after_) return;
  desk_.replace(*list_, attached_before_ && !same_sessions_);
  list_.reset();
  phase_ = Phase::kReady;
  if (const std::string told = catch_up_.end(); !told.empty()) desk_.say(told);
  if (options_.interactive && !attached_before_) {
    const std::size_t count = desk_.roster().size();
    desk_.say("operator " + escaped(desk_.own_name()) + "; " +
              (count == 0   ? "nobody is connected"
               : count == 1 ? "1 client, /list shows it"
                            : std::to_string(count) + " clients, /list shows them") +
              "; /help shows what can be typed");
  }
  attached_before_ = true;
  was_refused_ = false;
  attempts_ = 0;
  pauses_.begin_again();
  update();
}

void Console::Impl::on_event(const Event& event) {
  if (phase_ == Phase::kOver) return;
  cursor_ = std::max(cursor_, event.seq);
  catch_up_.note(event);
  if (event.kind == EventKind::kOperator && event.name == desk_.own_name()) {
    desk_.set_away(event.state == "away" ? event.text : "");
  }
  desk_.show_event(event);
  if (event.kind == EventKind::kWriting && !std::exchange(looking_, true)) {
    writers_.start(kWritersLook);
  }
  begin_when_caught_up();
  update();
}

void Console::Impl::lost(const Error& error) {
  if (phase_ == Phase::kOver) return;
  if (!attached_before_ || !options_.reattach || left_at_end_) return give_up(error);
  if (phase_ == Phase::kAttaching) {
    if (waits_for_daemon()) return refusal_.empty() ? wait_for_daemon() : refused({refusal_});
    // One that takes nobody is not asked for ever.
    if (++attempts_ > kAttempts) return give_up(error);
  }
  auto control = options_.reattach();
  if (!control) {
    if (is_refusal(control.error())) return refused(control.error());
    return waits_for_daemon() ? wait_for_daemon() : give_up(error);
  }
  desk_.say("the connection to the daemon had ended; attached again");
  attach(std::move(*control));
  update();
}

// An operator in a terminal has a line in hand, which must not go to the shell; who reads a
// pipe can begin anew.
bool Console::Impl::waits_for_daemon() const {
  return options_.interactive && !options_.reattaches_to_same;
}

void Console::Impl::wait_for_daemon() {
  if (!std::exchange(was_away_, true)) {
    desk_.say("the daemon has gone; waiting for it (Ctrl-C on an empty line leaves)");
  }
  phase_ = Phase::kAway;
  again_.start(pauses_.next());
  update();
}

void Console::Impl::look_for_daemon() {
  if (phase_ != Phase::kAway) return;
  auto control = options_.reattach();
  if (control) {
    attach(std::move(*control));
  } else if (is_refusal(control.error())) {
    refused(control.error());
  } else {
    wait_for_daemon();
  }
  update();
}

// Who has a line in hand waits here, too: it may be let in again.
void Console::Impl::refused(const Error& error) {
  if (!attached_before_ || !options_.reattach || left_at_end_ || !waits_for_daemon()) {
    return give_up(error);
  }
  phase_ = Phase::kAway;
  client_.close();
  was_away_ = true;
  if (!std::exchange(was_refused_, true)) {
    desk_.say("not attached again: " + error.message +
              "; it is tried until it works (Ctrl-C on an empty line leaves)");
  }
  again_.start(Pauses::kLongest);
  update();
}

void Console::Impl::give_up(const Error& error) {
  phase_ = Phase::kOver;
  again_.stop();
  client_.close();
  screen_->close();
  if (options_.on_lost) options_.on_lost(error);
}

// --- leaving ---

void Console::Impl::on_leave(char) {
  wish_to_leave(false);
  update();
}

void Console::Impl::wish_to_leave(bool by_line) {
  if (phase_ == Phase::kOver) return;
  if (left_at_end_) return end();  // without waiting for answers any more
  const std::size_t clients = desk_.roster().size();
  const bool asks = options_.ends_service && options_.interactive && clients > 0;
  const auto answer = asks ? leave_guard_.wished(by_line, loop_.now()) : LeaveGuard::Answer::kLeave;
  if (answer == LeaveGuard::Answer::kLeave) return leave(false);
  if (answer == LeaveGuard::Answer::kTooSoon) return;
  desk_.say((clients == 1 ? "1 client is" : std::to_string(clients) + " clients are") +
            " connected, and this stops the daemon: Ctrl-C again (or /quit) ends it; chatctl can "
            "look on without");
}

void Console::Impl::on_quit_key() {
  if (phase_ == Phase::kOver) return;
  if (options_.ends_service) return desk_.say("Ctrl-\\ ends nothing here; /quit does");
  left_at_end_ = false;
  if (options_.on_abort) options_.on_quit = options_.on_abort;
  end();
}

void Console::Impl::take_key(int signal) {
  if (signal == SIGINT) screen_->interrupt();
  if (signal == SIGQUIT) on_quit_key();
  if (signal == SIGTSTP) on_stop_key();
}

void Console::Impl::on_stop_key() {
  desk_.say("Ctrl-Z would stop every client; use another terminal, or chatctl");
}

void Console::Impl::leave(bool at_end) {
  if (left_at_end_) return;
  left_at_end_ = at_end;
  update();
}

void Console::Impl::leave_when_done() {
  if (!left_at_end_) return;
  // There is nobody whose answers could come.
  const bool alone = phase_ == Phase::kAway || (attached_before_ && waits_for_daemon());
  if (alone && phase_ != Phase::kReady) return end();
  if (phase_ != Phase::kReady || client_.unanswered() > 0) return;
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
  again_.stop();
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
  // Keys that were typed ahead have come upon a line that could not be read yet.
  if (options_.interactive && desk_.guard().is_unseen()) return LineFate::kKept;
  const Parsed parsed = parse(line, [this](std::string_view word, bool whole) {
    return desk_.roster().meant_by(word, whole);
  });
  LineFate fate = LineFate::kTaken;
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    desk_.problem(refusal->message);
  } else {
    const auto& command = std::get<Command>(parsed);
    fate = obey(command, line);
  }
  update();
  return fate;
}

LineFate Console::Impl::obey(const Command& command, std::string_view line) {
  if (command.verb != Verb::kQuit) leave_guard_.other_line();
  const bool is_local = command.verb == Verb::kQuit || command.verb == Verb::kHelp;
  if (phase_ != Phase::kReady && !is_local) {
    desk_.problem("not sent: the daemon is not there. The line is kept");
    return LineFate::kKept;
  }
  if (!may_go(command, line)) return LineFate::kKept;
  return command.needs_focus() ? to_focus(command) : operations_.execute(command);
}

std::vector<SessionId> Console::Impl::meant(const Address& address) const {
  return meant_by(address, [this](std::string_view word, bool whole) {
    return desk_.roster().meant_by(word, whole);
  });
}

std::string Console::Impl::names_of(const std::vector<SessionId>& sessions) const {
  if (sessions.empty()) return "nobody";
  std::string all;
  for (const SessionId each : sessions) {
    all.append(all.empty() ? "" : " ").append(bracket(each, desk_.roster().name_of(each)));
  }
  return all;
}

// Whether those whom the line names are those whom its writer meant. Plain lines do not tell when
// they were begun.
bool Console::Impl::may_go(const Command& command, std::string_view line) {
  if (!options_.interactive || !command.is_for_somebody()) return true;
  LineGuard& guard = desk_.guard();
  const std::vector<SessionId> before = guard.named().sessions;
  const std::vector<SessionId> now = meant(address_of(line));
  // Of all others the focus decides.
  if (command.needs_focus() && before.empty() && now.empty()) return true;
  const auto verdict = guard.entered_by_name(now);
  if (verdict == LineGuard::Verdict::kRenamed) {
    desk_.problem("not done yet: this line meant " + names_of(before) +
                  " when it was typed, and means " + names_of(now) +
                  " now. Enter again does it all the same");
  } else if (verdict == LineGuard::Verdict::kDoubted) {
    desk_.problem("not done yet: this line was begun before the daemon was attached again, where " +
                  (now.empty() ? "all may be others by now"
                               : names_of(now) + " may be somebody else by now") +
                  ". Enter again does it all the same");
  }
  return verdict == LineGuard::Verdict::kSend;
}

// The others are told to whom this operator is writing, but of no command.
void Console::Impl::on_edited(bool empty) {
  desk_.guard().edited(empty);
  if (empty) return;
  const std::string line = screen_->line();
  const Address address = address_of(line);
  desk_.guard().names(address.upto, [&] { return meant(address); });
  const Target focus = desk_.focus();
  if (!focus || phase_ != Phase::kReady || desk_.guard().begun_under() != focus) return;
  const bool command = line.starts_with('@') || (line.starts_with('/') && !line.starts_with("//"));
  if (command || line.empty()) return;
  if (writing_to_ == focus && wrote_ && loop_.now() - *wrote_ < kWritingTold) return;
  writing_to_ = focus;
  wrote_ = loop_.now();
  client_.writing(*focus, [this](const Reply&) { update(); });
}

void Console::Impl::on_long_line() {
  desk_.problem("not sent: longer than 1 MiB");
}

LineFate Console::Impl::to_focus(const Command& command) {
  std::string reply;
  if (command.verb == Verb::kReply) {
    auto found = desk_.replies().find(command.text);
    if (const auto* refusal = std::get_if<Refusal>(&found)) {
      desk_.problem(refusal->message);
      return LineFate::kTaken;
    }
    reply = std::get<std::string>(found);
  }
  const Target now = desk_.focus();
  // Plain lines do not tell when they were begun.
  const Target begun = options_.interactive ? desk_.guard().begun_under() : now;
  const auto verdict = options_.interactive ? desk_.guard().entered(now)
                       : now                ? LineGuard::Verdict::kSend
                                            : LineGuard::Verdict::kNoFocus;
  switch (verdict) {
    case LineGuard::Verdict::kSend: {
      Command addressed = command;
      addressed.session = now;
      if (addressed.verb == Verb::kReply) addressed.text = desk_.filled_for(*now, reply);
      const bool text = addressed.verb == Verb::kSay || addressed.verb == Verb::kReply;
      if (text) addressed.verb = Verb::kSend;
      return operations_.execute(addressed);
    }
    case LineGuard::Verdict::kNoFocus: {
      const bool text = command.verb == Verb::kSay || command.verb == Verb::kReply;
      const std::string what = text ? "not sent: " : "not done: ";
      desk_.problem(what +
                    (desk_.roster().size() == 0
                         ? "nobody is connected"
                         : "no client is in focus; /focus ID chooses one, /list shows them"));
      return LineFate::kTaken;
    }
    case LineGuard::Verdict::kLeft:
      desk_.problem(
          "not sent: " + (begun ? bracket(*begun, {}) : "whoever it was begun for") +
          " has left, and no client is in focus. The line is kept: write @ID before it, or "
          "choose a client by Alt-1 to Alt-9 and press Enter again");
      return LineFate::kKept;
    case LineGuard::Verdict::kMoved:
      desk_.problem(
          "not sent yet: this line was begun " +
          (begun ? "for " + bracket(*begun, desk_.roster().name_of(*begun)) : "without a focus") +
          ", and the focus is " + bracket(*now, desk_.roster().name_of(*now)) +
          " now. Enter again sends it there");
      return LineFate::kKept;
    case LineGuard::Verdict::kUnseen:
    case LineGuard::Verdict::kRenamed:  // may_go() has told of these
    case LineGuard::Verdict::kDoubted:
      break;
  }
  return LineFate::kKept;
}

void Console::Impl::ask_past(SessionId session, std::size_t limit, bool notes) {
  asked_ = session;
  noted_.clear();
  past_late_.start(kPastWait);
  if (notes) {
    // Answers come in the order of what was asked.
    client_.notes(session, [this, session](const Reply& reply) {
      if (asked_ == session && !reply.error) noted_ = decode_notes(*reply.result);
      update();
    });
  }
  client_.history(Whose{session, {}}, Page{0, limit}, [this, session](const Reply& reply) {
    if (asked_ == session) past_late_.stop();
    desk_.recall(session,
                 reply.error ? std::vector<PastMessage>{} : decode_past(*reply.result).messages,
                 asked_ == session ? noted_ : std::vector<NoteInfo>{});
    update();
  });
}

// --- the screen ---

void Console::Impl::say(std::string_view line) {
  desk_.say(line);
}

void Console::Impl::on_shown(bool prompt) {
  if (prompt) desk_.guard().shown(desk_.focus());
  leave_guard_.shown(loop_.now());
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
  // Without a daemon a line can be edited, but not sent.
  const bool can_edit = phase_ == Phase::kReady || (attached_before_ && waits_for_daemon());
  const bool held =
      !can_edit || full_ || left_at_end_.has_value() || client_.unanswered() >= kMaxUnanswered;
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

void Console::take_key(int signal) {
  impl_->take_key(signal);
}

}  // namespace chatd::console
