#include "console/desk.hpp"

#include <array>
#include <ctime>
#include <utility>

namespace chatd::console {
namespace {

// As the daemon writes it.
std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm broken{};
  ::gmtime_r(&now, &broken);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &broken)};
}

}  // namespace

Desk::Desk(const ConsoleOptions& options)
    : interactive_{options.interactive},
      view_{options.color, options.timestamps},
      roster_known_{options.from_start} {
  (void)view_.day(utc_now(), day_);
}

void Desk::use(Screen& screen) {
  screen_ = &screen;
  show_prompt();
}

void Desk::show_event(const Event& event) {
  if (const std::string day = view_.day(event.time, day_); !day.empty()) screen_->print(day);
  // A line about a session carries the name that it has, or had until now.
  if (event.kind == EventKind::kDisconnected) {
    print(view_.event(event, roster_, own_name_));
    roster_.apply(event);
    focus_.disconnected(event.session());
  } else {
    const bool alone = roster_known_ && roster_.size() == 0;
    roster_.apply(event);
    if (event.kind == EventKind::kConnected) focus_.connected(event.session(), alone);
    // Not in plain lines, which scripts read.
    const Target standing_out = interactive_ ? focus_.current() : std::nullopt;
    print(view_.event(event, roster_, own_name_, standing_out));
  }
  unread_.apply(event, focus_.current());
  if (event.kind == EventKind::kLagged) unread_holds_ = false;
  if (event.kind == EventKind::kConnected || event.kind == EventKind::kDisconnected) {
    shortcuts_.update(roster_);
  }
  show_prompt();
}

void Desk::replace(const std::vector<SessionInfo>& sessions, bool another) {
  const Target target = focus_.current();
  const Origin before = target ? roster_.origin_of(*target) : Origin{};
  roster_.replace(sessions);
  roster_known_ = true;
  const auto stays = [&] {
    return another ? roster_.origin_of(*target).is_surely(before) : roster_.contains(*target);
  };
  if (target && !stays()) {
    if (another) say("the focus is cleared");
    focus_.set(std::nullopt);
  }
  if (std::exchange(unread_holds_, true)) {
    unread_.keep(sessions);
  } else {
    unread_.replace(sessions, focus_.current());
  }
  shortcuts_.update(roster_);
  show_prompt();
}

void Desk::set_focus(Target target) {
  focus_.set(target);
  if (target) unread_.seen(*target);
  show_prompt();
}

void Desk::jump(int key) {
  const Target target = key == 0 ? unread_.next() : shortcuts_.at(key);
  if (target) {
    set_focus(target);
  } else if (key == 0) {
    say("nothing is unread");
  } else {
    problem("no client has the key Alt-" + std::to_string(key) + "; /list shows the keys");
  }
}

void Desk::set_away(std::string text) {
  away_ = std::move(text);
  show_prompt();
}

void Desk::print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) screen_->print(line);
}

void Desk::print(const std::vector<Line>& lines) {
  for (const Line& line : lines) screen_->print(line.text, line.hang);
}

void Desk::problem(std::string_view text) {
  for (const std::string& line : view_.problem(text)) screen_->print_problem(line);
}

void Desk::problem_about(SessionId session, std::string_view text) {
  problem(bracket(session, roster_.name_of(session)) + "* " + std::string{text});
}

void Desk::show_list(std::vector<SessionInfo> sessions) {
  if (sessions.empty()) return say("nobody is connected");
  // The daemon counts until somebody answers; the prompt, until this operator has looked.
  for (SessionInfo& each : sessions) each.unread = unread_.of(each.session);
  print(
      view_.sessions(sessions, width(), std::time(nullptr), interactive_ ? &shortcuts_ : nullptr));
}

void Desk::show_prompt() {
  if (!interactive_) return;
  screen_->set_prompt(view_.prompt(focus_.current(), roster_,
                                   {&unread_, own_name_, !away_.empty(), screen_->width()}));
}

}  // namespace chatd::console
