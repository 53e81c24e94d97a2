#include "operators/attendance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "base/names.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

/// How long claims wait for operators who had to leave.
constexpr Duration kReturn{10'000};

std::string numbered(std::string_view name, int number) {
  return number == 1 ? std::string{name} : std::string{name} + "-" + std::to_string(number);
}

}  // namespace

Attendance::Attendance(io::Loop& loop, Sessions& sessions, Journal& journal, Transcript* transcript,
                       std::size_t max_operators)
    : sessions_{sessions},
      journal_{journal},
      unattended_{sessions, journal, transcript},
      max_operators_{max_operators},
      refusals_{loop, "operator"},
      return_{loop, [this] { stop_waiting(); }} {}

// ---- connections ----

void Attendance::add(OperatorId id, const std::string& user, bool is_own) {
  if (id >= connections_.size()) connections_.resize(id + 1);
  assert(!connections_[id]);
  Person& person = called(user, user);
  connections_[id] = std::make_unique<Connection>();
  connections_[id]->is_own = is_own;
  join(*connections_[id], person);
}

void Attendance::remove(OperatorId id, std::string_view why) {
  Person& person = *at(id).person;
  const auto gone = std::move(connections_[id]);
  if (gone->attends) unattended_.left();
  if (!why.empty()) spdlog::warn("detached operator {}: {}", escaped(person.name), why);
  leave(*gone, person);
  count_away();
}

void Attendance::join(Connection& connection, Person& person) {
  connection.person = &person;
  person.connections.push_back(&connection);
}

/// The connection is not the person's any more. With the last one it has gone, and with it its
/// claims and what is said for it.
void Attendance::leave(const Connection& connection, Person& person) {
  std::erase(person.connections, &connection);
  announce(person);
  if (!person.connections.empty()) {
    end_absence(person);
    return;
  }
  const auto place = std::find_if(people_.begin(), people_.end(),
                                  [&](const auto& each) { return each.get() == &person; });
  assert(place != people_.end());
  const auto gone = std::move(*place);
  people_.erase(place);
  has_gone(gone->name);
}

std::size_t Attendance::count(const Person& person, Test test) {
  return static_cast<std::size_t>(
      std::count_if(person.connections.begin(), person.connections.end(),
                    [test](const Connection* each) { return test(*each); }));
}

bool Attendance::has_place(OperatorId id) const {
  const Connection& self = at(id);
  if (self.is_own || self.counts()) return true;
  const auto taken = std::count_if(connections_.begin(), connections_.end(),
                                   [](const auto& each) { return each && each->counts(); });
  return static_cast<std::size_t>(taken) < max_operators_;
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

/// Others hear of a person when it has the first connection of which they may, and when it has
/// none any more.
void Attendance::announce(Person& person) {
  const bool now =
      has(person, [](const Connection& each) { return each.has_greeted && !each.is_quiet; });
  if (std::exchange(person.is_announced, now) == now) return;
  say(person.name, now ? "attached" : "detached");
  if (now && !person.away.empty()) say(person.name, "away", person.away);
}

// ---- names ----

Attendance::Person* Attendance::find(std::string_view name) const {
  const auto found = std::find_if(people_.begin(), people_.end(),
                                  [&](const auto& each) { return is_same_name(each->name, name); });
  return found == people_.end() ? nullptr : found->get();
}

/// Whether another user had that name, and may still come back to it.
bool Attendance::is_kept(std::string_view name, const std::string& user) const {
  return awaiting_ && std::any_of(awaited_.begin(), awaited_.end(), [&](const auto& each) {
           return each.second != user && is_same_name(each.first, name);
         });
}

Attendance::Person& Attendance::enter(std::string name, const std::string& user) {
  assert(find(name) == nullptr);
  people_.push_back(std::make_unique<Person>());
  Person& person = *people_.back();
  person.name = std::move(name);
  person.user = user;
  person.since = wall_now();
  return person;
}

/// The operator that `user` is when it wishes to be called that: it may be there already. Where
/// the name is another user's, there is a number behind it.
Attendance::Person& Attendance::called(std::string_view wish, const std::string& user) {
  for (int number = 1;; ++number) {
    std::string name = numbered(wish, number);
    if (is_kept(name, user)) continue;
    Person* const person = find(name);
    if (person == nullptr) return enter(std::move(name), user);
    if (person->user == user) return *person;
  }
}

/// Another user who has done nothing under that name yet gets another one: operators come back
/// all at once, each to the name that it had.
void Attendance::make_way(std::string_view wish, const std::string& user) {
  Person* const other = find(wish);
  if (other == nullptr || other->user == user) return;
  if (other->has_acted) return;
  if (is_kept(wish, user)) return;
  int number = 2;
  while (find(numbered(wish, number)) != nullptr || is_kept(numbered(wish, number), other->user)) {
    ++number;
  }
  other->name = numbered(wish, number);
}

void Attendance::take_name(Connection& self, std::string_view wish) {
  Person& before = *self.person;
  make_way(wish, before.user);
  if (is_same_name(before.name, wish)) return;
  const auto people = people_.size();
  Person& person = called(wish, before.user);
  if (&person == &before) return;
  if (people_.size() > people && before.connections.size() == 1) {
    person.away = before.away;  // the same one under another name
    person.away_since = before.away_since;
  }
  join(self, person);
  leave(self, before);
}

const std::string& Attendance::greet(OperatorId id, const std::string& wish, bool quiet) {
  Connection& self = at(id);
  if (!wish.empty()) {
    take_name(self, wish);
    self.person->has_acted = true;  // it has asked for that name
  }
  self.has_greeted = true;
  self.is_quiet = quiet;
  if (self.listens) attend(self);
  announce(*self.person);
  end_absence(*self.person);
  count_away();
  return self.person->name;
}

/// No operator has that name any more: its claims end, except those that stay.
void Attendance::has_gone(std::string_view name) {
  if (awaiting_) return;
  sessions_.release_if([name](auto holder) { return holder == name; });
}

// ---- who is there ----

bool Attendance::is_heard_of(const Person& person) {
  return has(person, [](const Connection& each) { return each.is_heard_of(); });
}

Attendance::Presence Attendance::presence(std::string_view name) const {
  const Person* const person = find(name);
  if (person == nullptr) return Presence::kNotHere;
  if (has(*person, [](const Connection& each) { return each.is_desk(); })) {
    return person->away.empty() ? Presence::kPresent : Presence::kAway;
  }
  return is_heard_of(*person) ? Presence::kWatching : Presence::kNotHere;
}

bool Attendance::is_awaited(std::string_view name) const {
  const auto presence = this->presence(name);
  return awaiting_ && presence != Presence::kPresent && presence != Presence::kAway;
}

std::vector<Attendance::Info> Attendance::list() const {
  std::vector<Info> all;
  for (const auto& each : people_) {
    const auto presence = this->presence(each->name);
    if (presence == Presence::kNotHere) continue;
    all.push_back({each->name, presence, each->away, each->since,
                   count(*each, [](const Connection& one) { return one.is_heard_of(); })});
  }
  return all;
}

// ---- who is waited for ----

void Attendance::await_return() {
  awaiting_ = true;
  for (const auto& each : people_) awaited_.emplace_back(each->name, each->user);
  last_word_ = sessions_.away_before();
  return_.start(kReturn);
}

void Attendance::save(ByteWriter& out) const {
  auto all = awaited_;  // who is waited for already is waited for again
  std::erase_if(all, [this](const auto& each) { return find(each.first) != nullptr; });
  for (const auto& each : people_) all.emplace_back(each->name, each->user);
  out.number<std::uint64_t>(all.size());
  for (const auto& [name, user] : all) {
    out.text(name);
    out.text(user);
  }
}

void Attendance::restore(ByteReader& in) {
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    std::string name{in.text()};
    std::string user{in.text()};
    in.require(!name.empty() && is_utf8(name));
    if (in.ok()) awaited_.emplace_back(std::move(name), std::move(user));
  }
}

/// An operator who has not come back by now has gone.
void Attendance::stop_waiting() {
  awaiting_ = false;
  awaited_.clear();
  count_away();  // whoever said that last word now counts as the last to go
  last_word_.reset();
  count_away();
  sessions_.release_if([this](auto holder) { return find(holder) == nullptr; });
}

// ---- who is away ----

/// A command that waits for one client's answer shows nobody what the others say.
void Attendance::attend(Connection& self) {
  if (!self.is_quiet && !std::exchange(self.attends, true)) unattended_.came();
}

void Attendance::listens(OperatorId id, bool watch) {
  Connection& self = at(id);
  self.listens = true;
  attend(self);
  self.watches = watch;
  end_absence(*self.person);
  count_away();
}

void Attendance::go_away(OperatorId id, const std::string& text) {
  assert(!text.empty() && text.size() <= kMaxAway);
  Person& self = *at(id).person;
  if (self.away == text) return;
  self.away = text;
  self.away_since = ++last_away_;
  if (is_heard_of(self)) say(self.name, "away", text);
  count_away();
}

void Attendance::come_back(OperatorId id) {
  Person& self = *at(id).person;
  if (std::exchange(self.away, {}).empty()) return;
  if (is_heard_of(self)) say(self.name, "back");
  last_word_.reset();
  count_away();
}

/// Nobody is away who has left the desk for good, and has but connections that look on.
void Attendance::end_absence(Person& person) {
  if (person.away.empty()) return;
  if (has(person, [](const Connection& each) { return each.is_desk(); })) return;
  person.away.clear();
  if (person.is_announced) say(person.name, "back");
}

/// All are away if everybody who listens, and could answer, is; but not if nobody is there. The
/// text of the last one to go is said. Operators who had to leave come back in any order: while
/// they are waited for, the last one is whoever said `last_word_`.
void Attendance::count_away() {
  Person* last = nullptr;
  bool is_back = false;
  for (const auto& each : people_) {
    if (!has(*each, [](const Connection& one) { return one.is_desk(); })) continue;
    const bool listens =
        has(*each, [](const Connection& one) { return one.listens && !one.watches; });
    if (each->away.empty() && listens) {
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
