/// A core::Router on a clock that the test sets; what it asks for is done at once. Every
/// action returns its effects as one line of text, so that a test reads as a table:
///
///   CHECK(chat.in("hello\n") == "said 'hello'");
///   CHECK(chat.send("hi") == "sent; out 'hi\n'");
///
/// Effects stand in this order: events, bytes written, flow, the close, the abort; without
/// any it is "nothing". Session 1 is not named; any other one is, by its number in front:
/// "2 said 'hello'". Events are numbered as the journal does it, and "delivered #4" names
/// the event that said "held".
/// Invariant: after each action the invariants of the core have been checked (see check()).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/router.hpp"
#include "support/catch.hpp"
#include "support/handed_over.hpp"

namespace chatd::test {

using core::DialectSetting;
using core::SessionId;
using core::Settings;
using core::Slot;

/// The events by which held messages are known.
class HeldEvents : public core::KnownNumbers {
 public:
  void add(SessionId session, core::MessageNumber number, std::uint64_t event) {
    REQUIRE(events_.try_emplace({session, number}, event).second);
  }
  std::uint64_t remove(SessionId session, core::MessageNumber number) {
    const auto event = number_of(session, number);
    events_.erase({session, number});
    return event;
  }
  [[nodiscard]] std::uint64_t number_of(SessionId session,
                                        core::MessageNumber number) const override {
    REQUIRE(events_.contains({session, number}));
    return events_.at({session, number});
  }
  /// In the next process the numbers of events are those of the messages.
  void hand_over() {
    decltype(events_) next;
    for (const auto& [key, event] : events_) {
      REQUIRE(next.try_emplace({key.first, event}, event).second);
    }
    events_ = std::move(next);
  }

 private:
  std::map<std::pair<SessionId, core::MessageNumber>, std::uint64_t> events_;
};

class Chat : private core::Capacity {
 public:
  explicit Chat(Settings settings = {}, SessionId last_id = 0)
      : router_{std::move(settings), last_id, this} {}

  // ---- what clients do; each connects to the lowest free slot, as in the daemon ----

  std::string connect(DialectSetting dialect = DialectSetting::kAuto, std::string_view room = {},
                      std::string_view name = {}) {
    Slot slot = 0;
    while (router_.has(slot)) ++slot;
    const SessionId id = router_.connect(slot, dialect, now_, outbox_, room, name);
    REQUIRE(slots_.count(id) == 0);
    slots_[id] = slot;
    return shown(effects());
  }
  std::string in(std::string_view bytes, SessionId from = 1) {
    router_.receive(slot(from), bytes, now_, outbox_);
    return shown(effects());
  }
  /// A web client says a text.
  std::string say(std::string_view text, SessionId from = 1) {
    router_.say(slot(from), text, now_, outbox_);
    return shown(effects());
  }
  [[nodiscard]] bool may_say(SessionId who = 1) const { return router_.may_say(slot(who), now_); }
  /// in(), and then no end of file in the time in which one could come with it.
  std::string says(std::string_view bytes, SessionId from = 1) {
    auto all = in(bytes, from);
    const auto more = wait(core::kEndWithWords.count());
    if (more == "nothing") return all;
    return all == "nothing" ? more : all + "; " + more;
  }
  std::string eof(SessionId from = 1) {
    router_.end_of_input(slot(from), now_, outbox_);
    return shown(effects());
  }
  /// The connection breaks; the last `unsent` messages written to it never left.
  std::string reset(SessionId from = 1, std::uint32_t unsent = 0) {
    const Slot gone = slot(from);
    router_.broken(gone, "connection reset", unsent, now_, outbox_);
    REQUIRE_FALSE(router_.has(gone));
    // There is nothing to write to, to pause or to close.
    for (const auto& write : outbox_.writes()) REQUIRE(write.slot != gone);
    for (const auto& flow : outbox_.flows()) REQUIRE(flow.slot != gone);
    for (const auto& close : outbox_.closes()) REQUIRE(close.slot != gone);
    return shown(effects());
  }
  /// From now on nothing that is written to it is taken; `unsent` messages wait already.
  void stop_reading(SessionId who, std::uint32_t unsent = 0) { full_[slot(who)] = unsent; }

  /// From now on what is written to it arrives only when arrived() says so.
  void reads_slowly(SessionId who = 1) { slow_.insert(slot(who)); }
  /// All that was written to one that has ended has arrived, but for `unsent` messages.
  std::string arrived(SessionId who = 1, std::uint32_t unsent = 0) {
    const Slot closed = slot(who);
    slow_.erase(closed);
    router_.closed(closed, unsent, now_, outbox_);
    return shown(effects());
  }

  // ---- what operators do; the acting one is ann, unless the test sets another ----

  /// Sets the acting operator.
  void as(std::string_view name) { by_ = name; }

  std::string send(std::string_view text, SessionId to = 1) { return send(text, std::vector{to}); }
  std::string send(std::string_view text, std::vector<SessionId> to) {
    return send_to({false, std::move(to)}, text);
  }
  std::string send_all(std::string_view text) { return send_to({true, {}}, text); }
  std::string bye(SessionId to = 1) { return asked(router_.bye(to, by_, now_, outbox_)); }
  std::string kick(SessionId who = 1, std::string_view reason = {}) {
    return asked(router_.kick(who, reason, by_, now_, outbox_));
  }
  std::string name(std::string_view name, SessionId who = 1) {
    return asked(router_.name(who, name, by_, now_, outbox_));
  }
  std::string note(std::string_view text, SessionId about = 1) {
    return asked(router_.add_note(about, text, by_, now_, outbox_));
  }
  std::string claim(SessionId which = 1, bool force = false, bool stays = false,
                    std::string_view giver = {}) {
    return asked(router_.claim(which, {by_, stays}, force, giver, outbox_));
  }
  std::string release(SessionId which = 1) { return asked(router_.release(which, by_, outbox_)); }
  /// The acting operator leaves.
  std::string leave() {
    router_.release_if([this](auto holder) { return holder == by_; }, outbox_);
    return shown(effects());
  }
  void away(std::string_view text) { router_.set_away({std::string{text}, by_}); }
  void back() { router_.end_away(); }
  /// Whoever asks for the longest time, and is none of `staying`, makes room.
  std::string make_room(const std::vector<SessionId>& staying = {}) {
    SessionId oldest = 0;
    for (const SessionId id : router_.asking()) {
      const bool stays = std::find(staying.begin(), staying.end(), id) != staying.end();
      if (oldest == 0 && !stays && router_.find(id)->is_left_out()) oldest = id;
    }
    const bool made = router_.give_way(oldest, "gave way to another client", now_, outbox_);
    auto all = effects();
    REQUIRE(made == !all.empty());
    return shown(all);
  }
  std::string stop() {
    router_.stop(now_, outbox_);
    auto all = effects();
    REQUIRE(router_.size() == slow_.size());
    REQUIRE(router_.deadline() == kNever);
    return shown(std::move(all));
  }
  std::string set(Settings settings) {
    router_.set_settings(std::move(settings));
    return shown(effects());
  }

  // ---- time ----

  /// Lets the clock run to `ms` after the beginning, waking the router at its deadlines and
  /// at no other time.
  std::string at(std::int64_t ms) {
    const Time target = kStart + Duration{ms};
    REQUIRE(target >= now_);
    std::string all;
    while (router_.deadline() <= target) {
      now_ = std::max(now_, router_.deadline());
      tick();
      add(all, effects());
    }
    now_ = target;
    tick();
    const auto early = effects();
    INFO("due without a deadline at " << ms << " ms");
    REQUIRE(early.empty());
    return shown(all);
  }
  std::string wait(std::int64_t ms) { return at((now_ - kStart).count() + ms); }
  /// The clock jumps to `ms` and the router is woken late, once.
  std::string late(std::int64_t ms) {
    now_ = kStart + Duration{ms};
    tick();
    return shown(effects());
  }

  /// Another process goes on with what this one has written down.
  void hand_over() {
    REQUIRE(test::hand_over(router_, now_, held_, this));
    held_.hand_over();
    check();
  }

  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] core::Router& router() { return router_; }
  [[nodiscard]] const core::Session& session(SessionId id = 1) const {
    REQUIRE(router_.find(id) != nullptr);
    return *router_.find(id);
  }
  [[nodiscard]] const core::Counters& counters() const { return router_.counters(); }
  [[nodiscard]] bool has(SessionId id = 1) const { return router_.find(id) != nullptr; }
  [[nodiscard]] const core::Receipt& receipt() const { return receipt_; }

 private:
  static constexpr Time kStart{Duration{1'000'000}};

  static void add(std::string& all, std::string_view more) {
    if (!all.empty() && !more.empty()) all += "; ";
    all += more;
  }
  static std::string shown(std::string all) { return all.empty() ? "nothing" : std::move(all); }
  static std::string of(SessionId id) { return id == 1 ? "" : std::to_string(id) + ' '; }
  /// The sentence about a client that does not read, without the bytes.
  [[nodiscard]] std::string in_short(std::string_view reason) const {
    return reason == does_not_read(router_.settings()) ? "does not read" : std::string{reason};
  }
  static std::string quoted(std::string_view text) { return "'" + std::string{text} + "'"; }

  Slot slot(SessionId id) const {
    REQUIRE(router_.find(id) != nullptr);
    REQUIRE(router_.find(id)->slot() == slots_.at(id));
    return slots_.at(id);
  }

  bool has_room(Slot slot, std::size_t /*bytes*/) override { return !full_.contains(slot); }
  [[nodiscard]] std::uint32_t unsent(Slot slot) const override {
    return full_.contains(slot) ? full_.at(slot) : 0;
  }

  std::string asked(core::Outcome outcome) {
    std::string all = outcome == core::Outcome::kNoSession ? "no such session"
                      : outcome == core::Outcome::kClaimed ? "claimed"
                                                           : "";
    add(all, effects());
    return shown(all);
  }

  std::string send_to(const core::Recipients& to, std::string_view text) {
    receipt_ = router_.send(to, text, by_, now_, outbox_);
    std::string all = effects();
    for (const auto id : receipt_.left_out) add(all, of(id) + "left out");
    for (const auto& refused : receipt_.refused) {
      add(all, of(refused.session) + "refused: " + in_short(refused.reason));
      REQUIRE((refused.why == core::Refusal::kNoSession) == (refused.reason == "no such session"));
    }
    return shown(all);
  }

  void tick() {
    router_.tick(now_, outbox_);
    REQUIRE(router_.deadline() > now_);  // otherwise the loop would spin
  }

  /// What Connections would do, as text.
  std::string effects() {
    std::vector<std::pair<Slot, std::string>> out;
    const auto closes = outbox_.closes();
    for (std::size_t i = 0; i < outbox_.writes().size(); ++i) {
      const auto write = outbox_.writes()[i];
      if (const auto full = full_.find(write.slot); full != full_.end()) {
        const auto weight = write.bytes.weight();
        if (router_.has(write.slot) && !router_.at(write.slot).ended()) {
          router_.broken(write.slot, does_not_read(router_.settings()), full->second + weight, now_,
                         outbox_);
        } else {
          router_.lost_after_end(write.slot, weight);
        }
        continue;
      }
      if (out.empty() || out.back().first != write.slot) out.emplace_back(write.slot, "");
      out.back().second += write.bytes.view();
    }
    for (const auto& close : closes) {
      if (router_.has(close.slot) && !slow_.contains(close.slot)) {
        router_.closed(close.slot, 0, now_, outbox_);
      }
    }
    std::string all;
    for (const auto& event : outbox_.events()) add(all, told(event));
    for (const auto& [slot, bytes] : out) add(all, of(id_of(slot)) + "out " + quoted(bytes));
    for (const auto& flow : outbox_.flows()) {
      add(all, of(id_of(flow.slot)) + (flow.reading ? "resumed" : "paused"));
    }
    for (const auto& close : closes) {
      const auto words = close.last_words.view();
      add(all, of(id_of(close.slot)) + (close.at_once ? "closed at once" : "closed") +
                   (words.empty() ? "" : " with " + quoted(words)));
      REQUIRE(router_.has(close.slot) == (slow_.contains(close.slot) && !close.at_once));
    }
    for (const auto& abort : outbox_.aborts()) {
      add(all, of(id_of(abort.slot)) + "aborted");
      REQUIRE_FALSE(router_.has(abort.slot));
    }
    check();
    for (auto entry = slots_.begin(); entry != slots_.end();) {
      if (router_.find(entry->first) == nullptr) {
        full_.erase(entry->second);
        slow_.erase(entry->second);
        entry = slots_.erase(entry);
      } else {
        ++entry;
      }
    }
    outbox_.clear();
    return all;
  }

  std::string told(const core::Event& event) {
    ++last_event_;
    const auto text = outbox_.text(event.text);
    const auto who = of(event.session);
    switch (event.kind) {
      case EventKind::kConnected:
        return who + "connected";
      case EventKind::kMessage:
        return who + (event.cut ? "said, cut, " : "said ") + quoted(text);
      case EventKind::kAsking:
        return who + "asking";
      case EventKind::kSent: {
        REQUIRE(outbox_.text(event.operator_name) == by_);
        note_held(event);
        const auto* state = event.state == core::SendState::kSent   ? "sent"
                            : event.state == core::SendState::kHeld ? "held"
                                                                    : "lost";
        if (event.automatic) {
          const bool sent = event.state == core::SendState::kSent;
          return who + "automatic" + (sent ? "" : std::string{", "} + state);
        }
        if (event.session != 0) return who + state;
        REQUIRE(event.sessions.size > 0);
        auto all = std::string{state} + " for";
        for (const auto id : outbox_.ids(event.sessions)) all += ' ' + std::to_string(id);
        return all;
      }
      case EventKind::kDelivered:
        return who + "delivered #" + std::to_string(held_.remove(event.session, event.message));
      case EventKind::kDisconnected:
        return who + "gone " + quoted(in_short(text)) +
               (event.lost > 0 ? ", lost " + std::to_string(event.lost) : "");
      case EventKind::kNamed:
        if (event.automatic) return who + "given " + quoted(text);
        if (outbox_.text(event.operator_name).empty()) return who + "names itself " + quoted(text);
        REQUIRE(outbox_.text(event.operator_name) == by_);
        return who + "named " + quoted(text);
      case EventKind::kClaimed:
        REQUIRE(outbox_.text(event.operator_name) == by_);
        return who + "claimed" + (text.empty() ? "" : " from " + std::string{text}) +
               (event.by.size == 0 ? "" : ", given by " + std::string{outbox_.text(event.by)});
      case EventKind::kNoted:
        REQUIRE(outbox_.text(event.operator_name) == by_);
        return who + "noted " + quoted(text);
      case EventKind::kReleased:
        REQUIRE(outbox_.text(event.operator_name) == by_);
        return who + "released";
      default:
        return "?";
    }
  }

  void note_held(const core::Event& event) {
    if (event.state != core::SendState::kHeld) return;
    if (event.session != 0) {
      held_.add(event.session, event.message, last_event_);
      return;
    }
    const auto ids = outbox_.ids(event.sessions);
    const auto numbers = outbox_.messages(event.messages);
    REQUIRE(numbers.size() == ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) held_.add(ids[i], numbers[i], last_event_);
  }

  /// The session that had the slot when the action began.
  SessionId id_of(Slot slot) const {
    for (const auto& [id, its] : slots_) {
      if (its == slot) return id;
    }
    FAIL("an effect for slot " << slot << ", where nobody is");
    return 0;
  }

  void check() const {
    const auto& counters = router_.counters();
    REQUIRE(counters.messages_out == counters.delivered + counters.held + counters.lost);
    std::uint64_t held = 0;
    for (const auto* session : router_.sessions()) {
      held += session->held();
      REQUIRE(router_.find(session->id()) == session);
      REQUIRE(&router_.at(session->slot()) == session);
      REQUIRE(session->deadline(router_.settings()) >= session->filed_at);
      REQUIRE(router_.deadline() <= session->filed_at);
    }
    REQUIRE(counters.held == held);
  }

  core::Router router_;
  core::Outbox outbox_;
  core::Receipt receipt_;
  std::string by_ = "ann";
  std::uint64_t last_event_ = 0;
  HeldEvents held_;
  Time now_ = kStart;
  std::map<SessionId, Slot> slots_;
  std::map<Slot, std::uint32_t> full_;
  std::set<Slot> slow_;
};

}  // namespace chatd::test
