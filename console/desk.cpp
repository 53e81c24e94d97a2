#include "console/desk.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "console/interactive.hpp"
#include "console/queue.hpp"
#include "console/table.hpp"

namespace chatd::console {
namespace {

// Messages before the new ones, where the screen has room.
constexpr std::size_t kContext = 10;
constexpr std::size_t kLeastContext = 3;
// The most that is asked for, which is a page of `history`.
constexpr std::size_t kMostRecalled = 200;
// What may come while the past is being asked for.
constexpr std::size_t kMostHeld = 100;
// Who left and is unread.
constexpr std::size_t kMostLeft = 1000;
constexpr std::size_t kListedInPrompt = 3;
// An operator who writes is heard of every three seconds, and looked for every two.
constexpr int kLooksForWriter = 3;

// As the daemon writes it.
std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm broken{};
  ::gmtime_r(&now, &broken);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &broken)};
}

bool is_said(const Event& event) {
  return event.kind == EventKind::kMessage || event.kind == EventKind::kSent;
}

bool concerns(const Event& event, SessionId session) {
  return std::find(event.sessions.begin(), event.sessions.end(), session) != event.sessions.end();
}

}  // namespace

Desk::Desk(const ConsoleOptions& options)
    : interactive_{options.interactive},
      view_{options.color, options.timestamps, has_many_colors()},
      roster_known_{options.from_start},
      rank_{[this](SessionId session) { return rank_of(session); }} {
  (void)view_.day(utc_now(), day_);
}

void Desk::use(Screen& screen, AskPast ask_past) {
  screen_ = &screen;
  ask_past_ = std::move(ask_past);
  show_prompt();
}

// --- events ---

void Desk::show_event(const Event& event) {
  if (event.kind == EventKind::kWriting) return note_writer(event);
  const bool waited = unread_.waits(rank_of(event.session()));
  const bool calls = interactive_ && event.kind == EventKind::kMessage &&
                     !muted_.contains(event.session()) && attention_.calls(event.text);
  conversations_.apply(event);
  if (event.kind == EventKind::kDisconnected) {
    disconnected(event);
  } else {
    const bool alone = roster_known_ && roster_.size() == 0;
    roster_.apply(event);
    if (event.kind == EventKind::kConnected) focus_.connected(event.session(), alone);
    if (waits_for_arrival(event)) {
      held_.push_back(event);
    } else {
      print_event(event, calls);
    }
    const std::uint64_t before = unread_.of(event.session());
    unread_.apply(event, reading(), rank_);
    if (event.kind == EventKind::kMessage && interactive_) {
      const bool unread =
          unread_.of(event.session()) > before && rank_of(event.session()) != Rank::kPassed;
      if (attention_.rings(calls, unread, waited)) {
        screen_->alert(true, attention_.title(unread_.sessions()));
      }
    }
    if (event.kind == EventKind::kSent) writers_.erase(event.session());
  }
  switch (event.kind.value_or(EventKind::kWarning)) {
    case EventKind::kLagged:
      unread_holds_ = false;
      break;
    case EventKind::kConnected:
    case EventKind::kDisconnected:
      shortcuts_.update(roster_);
      break;
    case EventKind::kAsking:
    case EventKind::kClaimed:
    case EventKind::kReleased:
      unread_.rank(event.session(), rank_of(event.session()));
      break;
    case EventKind::kOperator:
      rank_claims();
      break;
    default:
      break;
  }
  if (held_.size() > kMostHeld) show_conversation(*arriving_, {});
  show_prompt();
}

// A line about a session carries the name that it has, or had until now.
void Desk::disconnected(const Event& event) {
  const std::string name{roster_.name_of(event.session())};
  print_event(event);
  // What another operator answers, or nobody wants to hear of, is not for this one to read.
  const bool unread = unread_.of(event.session()) > 0 && rank_of(event.session()) != Rank::kPassed;
  roster_.apply(event);
  focus_.disconnected(event.session());
  muted_.erase(event.session());
  if (unread) {
    has_left(event.session(), name);
  } else {
    unread_.seen(event.session());
    if (arriving_ != event.session()) conversations_.forget(event.session());
  }
  keep_draft_of(event.session(), name);
}

void Desk::has_left(SessionId session, std::string_view name) {
  left_.insert_or_assign(session, std::string{name});
  unread_.rank(session, Rank::kLeft);
  if (left_.size() <= kMostLeft) return;
  const SessionId oldest = left_.begin()->first;
  unread_.seen(oldest);
  conversations_.forget(oldest);
  left_.erase(left_.begin());
}

void Desk::keep_draft_of(SessionId session, std::string_view name) {
  const std::string_view draft = drafts_.of(session);
  if (draft.empty()) return;
  say(bracket(session, name) + " has left; what you had begun for it is kept, /focus " +
      std::to_string(session) + " brings it back:");
  print_draft(draft);
}

void Desk::print_draft(std::string_view draft) {
  constexpr std::size_t kHang = 2;
  screen_->print(std::string(kHang, ' ') + escaped(draft), kHang);
}

bool Desk::waits_for_arrival(const Event& event) const {
  return arriving_ && is_said(event) && event.sessions.size() == 1 && event.session() == *arriving_;
}

bool Desk::is_hidden(const Event& event) const {
  const Target focus = focus_.current();
  if (event.sessions.empty() || (focus && concerns(event, *focus))) return false;
  if (event.sessions.size() == 1 && muted_.contains(event.session())) return true;
  const bool own = event.operator_name == own_name_ && event.kind != EventKind::kMessage;
  return only_ && focus && !own;
}

void Desk::print_event(const Event& event, bool calls) {
  if (is_hidden(event)) {
    if (event.kind == EventKind::kMessage) ++hidden_;
    return;
  }
  print_day(event.time);
  // Not in plain lines, which scripts read.
  const Target standing_out = interactive_ ? focus_.current() : std::nullopt;
  print(view_.event(event, roster_, own_name_, standing_out, calls));
}

Rank Desk::rank_of(SessionId session) const {
  if (muted_.contains(session) || roster_.is_anothers(session, own_name_)) return Rank::kPassed;
  if (left_.contains(session)) return Rank::kLeft;
  return roster_.is_asking(session) ? Rank::kAsks : Rank::kUsual;
}

std::string Desk::name_of(SessionId session) const {
  const auto left = left_.find(session);
  return left == left_.end() ? std::string{roster_.name_of(session)} : left->second;
}

// --- another list of sessions ---

void Desk::forget_unread() {
  unread_holds_ = false;
  unread_.clear();
  conversations_.clear();
  left_.clear();
  leave_arrival();
}

void Desk::replace(const std::vector<SessionInfo>& sessions, bool another) {
  const Roster before = roster_;
  roster_.replace(sessions);
  roster_known_ = true;
  const auto stays = [&](SessionId session) {
    if (!another) return roster_.contains(session);
    return roster_.origin_of(session).is_surely(before.origin_of(session));
  };
  if (another) doubt_lines(stays);
  const Target target = focus_.current();
  if (target && !stays(*target)) {
    if (another) say("the focus is cleared");
    focus_.set(std::nullopt);
  }
  if (const Target begun = guard_.begun_under(); begun && another && !stays(*begun)) {
    guard_.forget_target();
  }
  for (const SessionId session : drafts_.sessions()) {
    if (stays(session)) continue;
    if (!another) {
      // It may have been told already.
      if (before.contains(session)) keep_draft_of(session, before.name_of(session));
      continue;
    }
    // Its id may be somebody else's by now.
    const std::string draft = drafts_.take(session).text;
    say("what you had begun for " + bracket(session, before.name_of(session)) +
        ", who may have left:");
    print_draft(draft);
    screen_->remember(draft);
  }
  std::erase_if(muted_, [&](SessionId session) { return !stays(session); });
  // Whoever is there now is another one than the one who had that id and left.
  std::erase_if(left_, [&](const auto& each) {
    const bool taken = roster_.contains(each.first);
    if (taken) conversations_.forget(each.first);
    return taken;
  });
  if (std::exchange(unread_holds_, true)) {
    unread_.keep(sessions, [&](SessionId session) {
      left_.insert_or_assign(session, std::string{before.name_of(session)});
      return true;
    });
    std::vector<SessionInfo> strangers;
    std::copy_if(sessions.begin(), sessions.end(), std::back_inserter(strangers),
                 [&](const SessionInfo& each) { return !stays(each.session); });
    unread_.renew(strangers, reading(), rank_);
  } else {
    unread_.replace(sessions, reading(), rank_);
  }
  for (const auto& [session, name] : before.all()) {
    if (!stays(session) && (another || unread_.of(session) == 0)) conversations_.forget(session);
  }
  shortcuts_.update(roster_);
  show_prompt();
}

// Of a line that names nobody it is not known whom it will have named at its end.
void Desk::doubt_lines(const std::function<bool(SessionId)>& stays) {
  const auto holds = [&stays](const Named& named) {
    return !named.sessions.empty() &&
           std::all_of(named.sessions.begin(), named.sessions.end(), stays);
  };
  if (!holds(guard_.named())) guard_.doubt();
  drafts_.for_each([&holds](Draft& draft) {
    if (!holds(draft.named)) draft.named.doubtful = true;
  });
}

void Desk::rank_claims() {
  for (const auto& [session, holder] : roster_.claims()) unread_.rank(session, rank_of(session));
}

void Desk::set_operators(const std::vector<OperatorInfo>& operators) {
  roster_.set_operators(operators);
  rank_claims();
  show_prompt();
}

void Desk::keep_drafts() {
  drafts_.for_each([this](const Draft& draft) { screen_->remember(draft.text); });
}

// --- the focus ---

bool Desk::knows(Target target) const {
  return !target || roster_.contains(*target) || left_.contains(*target) ||
         !drafts_.of(target).empty();
}

void Desk::turn_to(Target target) {
  if (!knows(target)) {
    return problem("no such session: " + std::to_string(*target) + "; /list shows them all");
  }
  turn(target, true);
}

void Desk::jump(int key) {
  const Target target = key == 0 ? unread_.next() : shortcuts_.at(key);
  if (target) {
    const bool chosen = key != 0 && guard_.is_to_choose();
    turn(target, false);
    if (chosen) guard_.choose(target);
  } else if (key != 0) {
    problem("no client has the key Alt-" + std::to_string(key) + "; /list shows the keys");
  } else if (unread_.passed() > 0) {
    say("nothing is unread but what others have claimed, or you have muted");
  } else {
    say("nothing is unread");
  }
}

void Desk::turn(Target target, bool in_line) {
  if (!in_line && interactive_) put_line_away(target);
  const bool alive = !target || roster_.contains(*target);
  focus_.set(alive ? target : std::nullopt);
  if (interactive_) {
    bring_draft(target, in_line);
    if (target) {
      arrive(*target);
    } else {
      leave_arrival();
    }
  } else if (target) {
    unread_.seen(*target);
  }
  show_prompt();
}

void Desk::put_line_away(Target target) {
  const std::string line = screen_->line();
  const Target begun = guard_.begun_under();
  if (line.empty() || begun == target || guard_.is_to_choose()) return;
  if (const std::string_view other = drafts_.of(begun); !other.empty()) {
    say("what you had begun before:");
    print_draft(other);
    screen_->remember(other);
  }
  drafts_.put(begun, {line, guard_.named()});
  screen_->set_line({});
  guard_.edited(true);
}

void Desk::bring_draft(Target target, bool in_line) {
  if (!in_line && !screen_->line().empty()) return;  // it is the line of that client already
  Draft draft = drafts_.take(target);
  if (draft.text.empty()) return;
  screen_->set_line(draft.text);
  guard_.restored(target, std::move(draft.named), in_line);
}

// --- conversations ---

std::size_t Desk::context() const {
  const std::size_t rows = screen_->height();
  return rows == 0 ? kContext : std::clamp<std::size_t>(rows / 2, kLeastContext, kContext);
}

void Desk::arrive(SessionId session) {
  if (arriving_ == session) return;
  leave_arrival();
  const std::uint64_t wanted = context() + unread_.of(session);
  const bool here = conversations_.is_whole(session) || conversations_.lines_of(session) >= wanted;
  const bool notes = roster_.has_notes(session);
  if (here && !notes) return show_conversation(session, {});
  arriving_ = session;
  ask_past_(session, static_cast<std::size_t>(std::min<std::uint64_t>(wanted, kMostRecalled)),
            notes);
}

// What was held back for a conversation that is not shown now is shown as it comes usually.
void Desk::leave_arrival() {
  arriving_.reset();
  for (const Event& each : std::exchange(held_, {})) print_event(each);
}

void Desk::recall(SessionId session, const std::vector<PastMessage>& past,
                  const std::vector<NoteInfo>& notes) {
  if (arriving_ != session) return;
  show_conversation(session, past, notes);
  show_prompt();
}

void Desk::show_conversation(SessionId session, const std::vector<PastMessage>& past,
                             const std::vector<NoteInfo>& notes) {
  arriving_.reset();
  held_.clear();
  const std::vector<PastMessage> lines = conversations_.of(session, past);
  const std::uint64_t news = unread_.of(session);
  std::uint64_t shown = 0;
  auto first_new = lines.end();
  while (shown < news && first_new != lines.begin()) {
    --first_new;
    if (first_new->incoming) ++shown;
  }
  const auto before = static_cast<std::size_t>(first_new - lines.begin());
  const auto begin = first_new - static_cast<std::ptrdiff_t>(std::min(before, context()));
  const bool there = roster_.contains(session);
  screen_->print(view_.rule(bracket(session, name_of(session)) + (there ? "" : " has left")));
  show_notes(session, notes);
  print_past({begin, first_new}, session);
  if (news > 0) {
    std::string told =
        view_.news(news, first_new == lines.end() ? "" : first_new->time, std::time(nullptr));
    const std::string ask = "/history " + std::to_string(session);
    if (shown == 0) {
      told += ", which could not be had; " + ask + " asks again";
    } else if (shown < news) {
      told += ", the last " + std::to_string(shown) + " of them here; " + ask + " has more";
    }
    screen_->print(view_.rule(told));
    print_past({first_new, lines.end()}, session);
  }
  unread_.seen(session);
  if (!there) {
    conversations_.forget(session);
    left_.erase(session);
  }
}

void Desk::toggle_only() {
  only_ = !only_;
  if (only_) {
    hidden_ = 0;
    say(focus_.current() ? "the client in focus is shown alone; /only again shows all"
                         : "from the next client in focus on, it is shown alone");
  } else {
    const std::string count = std::to_string(hidden_);
    say(hidden_ == 0   ? "all clients are shown again"
        : hidden_ == 1 ? "all clients are shown again; 1 message was hidden, Alt-a goes to it"
                       : "all clients are shown again; " + count +
                             " messages were hidden, Alt-a goes to those that are unread");
  }
  show_prompt();
}

void Desk::toggle_mute(SessionId session) {
  if (!roster_.contains(session)) {
    return problem("no such session: " + std::to_string(session) + "; /list shows them all");
  }
  const bool muted = muted_.insert(session).second;
  if (!muted) muted_.erase(session);
  unread_.rank(session, rank_of(session));
  say_about(session, muted ? "is muted; /mute " + std::to_string(session) + " ends it"
                           : "is not muted any more");
  show_prompt();
}

void Desk::show_muted() {
  if (muted_.empty()) return say("nobody is muted");
  std::string all;
  for (const SessionId session : muted_) all += " " + bracket(session, roster_.name_of(session));
  say("muted:" + all);
}

void Desk::configure(const DeskInfo& info) {
  attention_.configure(info.bell, info.highlight);
  canned_.configure(info.replies);
  show_prompt();
}

void Desk::show_replies() {
  if (canned_.all().empty()) {
    return say("no reply is prepared; [replies] of the configuration is the place for them");
  }
  for (const auto& [name, text] : canned_.all()) {
    const std::string lead = "  " + escaped(name) + ": ";
    const bool longer = text.find('\n') != std::string::npos;
    screen_->print(lead + escaped(text.substr(0, text.find('\n'))) + (longer ? " ..." : ""),
                   display_width(lead));
  }
}

std::string Desk::filled_for(SessionId session, std::string_view text) const {
  const std::string_view name = roster_.name_of(session);
  return filled(text, name.empty() ? std::to_string(session) : std::string{name}, own_name_);
}

void Desk::note_writer(const Event& event) {
  if (!interactive_ || event.operator_name == own_name_) return;
  writers_.insert_or_assign(event.session(), Writer{event.operator_name});
  show_prompt();
}

bool Desk::forget_writers() {
  for (auto each = writers_.begin(); each != writers_.end();) {
    each = ++each->second.looks > kLooksForWriter ? writers_.erase(each) : std::next(each);
  }
  show_prompt();
  return !writers_.empty();
}

void Desk::set_away(std::string text) {
  away_ = std::move(text);
  show_prompt();
}

// --- what is shown ---

void Desk::print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) screen_->print(line);
}

void Desk::print(const std::vector<Line>& lines) {
  for (const Line& line : lines) screen_->print(line.text, line.hang);
}

void Desk::print_day(std::string_view time) {
  const std::string day = view_.day(time, day_);
  if (day.empty()) return;
  // Scripts know it as a message of the console.
  screen_->print(interactive_ ? view_.rule(day) : view_.note(day));
}

void Desk::print_past(const std::vector<PastMessage>& messages, Target standing_out) {
  for (const PastMessage& each : messages) {
    if (interactive_) print_day(each.time);
    const bool calls = standing_out && each.incoming && attention_.calls(each.text);
    print(view_.past(each, roster_, own_name_, standing_out, calls));
  }
}

void Desk::show_notes(SessionId session, const std::vector<NoteInfo>& notes) {
  for (const NoteInfo& each : notes) {
    if (interactive_) print_day(each.time);
    print(view_.noted(session, each, roster_));
  }
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
  if (!interactive_) return print(view_.sessions(sessions, width(), std::time(nullptr)));
  sort_as_queue(sessions);
  std::map<SessionId, std::string> writing;
  for (const auto& [session, writer] : writers_) writing.emplace(session, writer.name);
  print(view_.queue(sessions, width(), std::time(nullptr), shortcuts_, muted_, writing, own_name_));
  if (!muted_.empty()) show_muted();
}

void Desk::show_prompt() {
  if (!interactive_) return;
  View::PromptNotes notes;
  std::vector<std::string> names;
  const std::vector<Unread::Entry> first = unread_.first(kListedInPrompt);
  for (const Unread::Entry& each : first) names.push_back(name_of(each.session));
  for (std::size_t i = 0; i < first.size(); ++i) {
    notes.waiting.push_back(
        {first[i].session, names[i], first[i].messages, first[i].rank == Rank::kLeft});
  }
  notes.more = unread_.sessions() - first.size();
  notes.own_name = own_name_;
  auto writer = focus_.current() ? writers_.find(*focus_.current()) : writers_.end();
  if (writer == writers_.end() && !writers_.empty()) {
    writer = writers_.begin();
    notes.writing_to = writer->first;
  }
  if (writer != writers_.end()) notes.writing = writer->second.name;
  notes.away = !away_.empty();
  notes.only = only_;
  notes.width = screen_->width();
  screen_->set_prompt(view_.prompt(focus_.current(), roster_, notes));
  screen_->alert(false, attention_.title(unread_.sessions()));
}

}  // namespace chatd::console
