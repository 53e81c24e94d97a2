#include "operators/attendance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/names.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

/// How long claims wait for operators who had to leave.
constexpr Duration kReturn{10'000};

}  // namespace

Attendance::Attendance(io::Loop& loop, Sessions& sessions, Journal& journal, Transcript* transcript)
    : sessions_{sessions},
      journal_{journal},
      unattended_{sessions, journal, transcript},
      return_{loop, [this] { stop_waiting(); }} {}

void Attendance::add(OperatorId id, const std::string& user, bool is_own) {
  if (id >= people_.size()) people_.resize(id + 1);
  assert(!people_[id]);
  std::string name = is_own ? unique_name(user, nullptr) : usual_name(user);
  assert(!is_there(name));
  people_[id] = std::make_unique<Person>();
  people_[id]->name = std::move(name);
}

void Attendance::remove(OperatorId id, std::string_view why) {
  assert(id < people_.size() && people_[id]);
  const auto gone = std::move(people_[id]);
  if (gone->listens) unattended_.left();
  if (!why.empty()) spdlog::warn("detached operator {}: {}", escaped(gone->name), why);
  if (gone->has_greeted) say(gone->name, "detached");
  has_gone(gone->name);
  count_away();
}

/// Adds an `operator` event: "attached", "detached", "away" or "back"; `text` is what one who
/// is away says.
void Attendance::say(std::string_view name, std::string_view state, std::string_view text) {
  Event event;
  event.kind = EventKind::kOperator;
  event.name = name;
  event.state = state;
  event.text = text;
  journal_.add(event);
}

// ---- names ----

bool Attendance::is_there(std::string_view name, const Person* except) const {
  return std::any_of(people_.begin(), people_.end(), [&](const auto& other) {
    return other && other.get() != except && is_same_name(other->name, name);
  });
}

/// `wish`, with a number behind it if another has that name, or if it may not be `itself`.
std::string Attendance::unique_name(std::string_view wish, const Person* self, bool itself) const {
  std::string name{wish};
  for (int number = 2; !itself || is_there(name, self); ++number) {
    name = std::string{wish} + "-" + std::to_string(number);
    itself = true;
  }
  return name;
}

/// The name of a connection that has not said hello: not one under which an operator with
/// claims is waited for, because it would not give that name back.
std::string Attendance::usual_name(const std::string& user) const {
  std::string name = unique_name(user, nullptr);
  while (awaiting_ && sessions_.claims_while_there(name)) name = unique_name(name, nullptr, false);
  return name;
}

/// The name that `self` asks for. A connection that has done nothing under that name yet gets
/// another one: operators come back all at once, each to the name that it had.
std::string Attendance::give_name(std::string_view wish, const Person& self) {
  for (const auto& other : people_) {
    if (!other || other.get() == &self || other->has_acted) continue;
    if (!is_same_name(other->name, wish)) continue;
    other->name = unique_name(wish, other.get(), false);
  }
  return unique_name(wish, &self);
}

const std::string& Attendance::greet(OperatorId id, const std::string& wish) {
  Person& self = at(id);
  const std::string name = wish.empty() ? self.name : give_name(wish, self);
  assert(!is_there(name, &self));
  if (name != self.name) {
    const std::string before = std::exchange(self.name, name);
    if (std::exchange(self.has_greeted, false)) say(before, "detached");
    has_gone(before);
  }
  if (!std::exchange(self.has_greeted, true)) {
    say(self.name, "attached");
    if (!self.away.empty()) say(self.name, "away", self.away);
  }
  count_away();
  return self.name;
}

/// No operator has that name any more: its claims end, except those that stay.
void Attendance::has_gone(std::string_view name) {
  if (awaiting_) return;
  sessions_.release_if([name](auto holder) { return holder == name; });
}

// ---- who is waited for ----

void Attendance::await_return() {
  awaiting_ = true;
  last_word_ = sessions_.away_before();
  return_.start(kReturn);
}

/// An operator who has not come back by now has gone.
void Attendance::stop_waiting() {
  awaiting_ = false;
  count_away();  // whoever said that last word now counts as the last to go
  last_word_.reset();
  count_away();
  sessions_.release_if([this](auto holder) { return !is_there(holder); });
}

// ---- who is away ----

void Attendance::listens(OperatorId id, bool watch) {
  Person& self = at(id);
  if (!std::exchange(self.listens, true)) unattended_.came();
  self.watches = watch;
  count_away();
}

void Attendance::go_away(OperatorId id, const std::string& text) {
  assert(!text.empty() && text.size() <= kMaxAway);
  Person& self = at(id);
  if (self.away == text) return;
  self.away = text;
  self.away_since = ++last_away_;
  say(self.name, "away", text);
  count_away();
}

void Attendance::come_back(OperatorId id) {
  Person& self = at(id);
  if (std::exchange(self.away, {}).empty()) return;
  say(self.name, "back");
  last_word_.reset();
  count_away();
}

/// All are away if everybody who listens, and could answer, is; but not if nobody is there. The
/// text of the last one to go is said. Operators who had to leave come back in any order: while
/// they are waited for, the last one is whoever said `last_word_`.
void Attendance::count_away() {
  Person* last = nullptr;
  bool is_back = false;
  for (const auto& each : people_) {
    if (!each || each->watches) continue;
    if (each->away.empty() && each->listens) {
      sessions_.set_away({});
      return;
    }
    if (each->away.empty() || is_back) continue;
    is_back = last_word_ == core::Away{each->away, each->name};
    if (is_back || last == nullptr || each->away_since > last->away_since) last = each.get();
  }
  if (last == nullptr || (last_word_ && !is_back)) {
    sessions_.set_away({});
    return;
  }
  if (is_back) last->away_since = ++last_away_;
  sessions_.set_away(core::Away{last->away, last->name});
}

}  // namespace chatd
