/// The sessions of all clients, each known by its slot, which the caller has chosen, and by
/// its id; and the one set of deadlines. Everything goes in as a value and comes out as an
/// effect in an Outbox; time comes in with each call.
///
/// Invariant: each session is filed under its slot, under its id, under at most one
/// deadline, which is never later than the session's own, and as claimed if it is.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "core/capacity.hpp"
#include "core/departed.hpp"
#include "core/names_in_use.hpp"
#include "core/outbox.hpp"
#include "core/rooms.hpp"
#include "core/session.hpp"
#include "core/settings.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::core {

/// Why an operator's request was refused.
enum class Refusal : std::uint8_t { kNoSession, kClaimed, kLimit };

/// What became of an operator's request about one session.
enum class Outcome : std::uint8_t { kDone, kNoSession, kClaimed };

struct Refused {
  SessionId session;
  Refusal why;
  std::string reason;  ///< a sentence for a person
};

/// What became of an operator's message, for each session it was meant for.
struct Receipt {
  std::vector<SessionId> delivered;
  std::vector<SessionId> held;
  std::vector<Refused> refused;
  /// To everyone: those who wait for one answer, which this is not.
  std::vector<SessionId> left_out;
};

/// What is said for the operators while all of them are away.
struct Away {
  std::string text;  ///< not empty
  std::string operator_name;

  friend bool operator==(const Away&, const Away&) = default;
};

/// Whom a message is for.
struct Recipients {
  bool everyone = false;
  std::vector<SessionId> sessions;  ///< if not everyone; one that is named twice gets it once
};

/// The reason for which a session ends whose client does not read.
[[nodiscard]] std::string does_not_read(const Settings& settings);

class Router {
 public:
  /// `last_id` is the highest id that was ever given. `capacity` is asked whether connections
  /// take what is sent, and must outlive this; null: they take everything.
  explicit Router(Settings settings, SessionId last_id = 0, Capacity* capacity = nullptr);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// A number that routers have in common of which one goes on with the sessions of another; to be
  /// drawn for the first. Where it differs, the same id is another session.
  void set_lineage(std::uint64_t lineage) { lineage_ = lineage; }
  [[nodiscard]] std::uint64_t lineage() const { return lineage_; }

  /// Follows new settings; deadlines that they bring nearer are filed anew.
  void set_settings(Settings settings);

  /// Writes down what belongs to no single session: the counters, the last id, the lineage and,
  /// unless it takes more than `most` bytes, what is said while all operators are away. Once that
  /// is read back, ids go on from the higher of the two last ones.
  void save(ByteWriter& out, std::size_t most = SIZE_MAX) const;
  void restore(ByteReader& in);
  /// Takes a session of an earlier router, without an event. False if its id is above
  /// the last one that was given, or belongs to another.
  [[nodiscard]] bool adopt(Slot slot, std::unique_ptr<Session> session);

  /// Some sessions of the earlier router are not here: the messages held for them are lost.
  void lose_missing();

  /// From now on changed() tells of this session.
  void watch(Slot slot) {
    assert(has(slot));
    slots_[slot]->watched = true;
  }
  /// The slots of watched sessions that have changed since changes_seen(); some may have
  /// ended.
  [[nodiscard]] const std::vector<Slot>& changed() const { return changed_; }
  void changes_seen();

  // What happens on a client's connection. An unknown slot is a bug.
  /// `room` is that of the listener; empty: none. It is called `name`, or what NamesInUse makes of
  /// that; empty: nothing.
  SessionId connect(Slot slot, DialectSetting dialect, Time now, Outbox& outbox,
                    std::string_view room = {}, std::string_view name = {});
  void receive(Slot slot, std::string_view bytes, Time now, Outbox& outbox);
  /// A `web` client that has not ended says `text`, which is well-formed UTF-8. It is heard
  /// whatever may_say() says; but what is longer than max_message is cut.
  void say(Slot slot, std::string_view text, Time now, Outbox& outbox);
  /// Whether its rate allows a message now.
  [[nodiscard]] bool may_say(Slot slot, Time now) const { return at(slot).may_say(now, settings_); }
  void end_of_input(Slot slot, Time now, Outbox& outbox);
  /// The connection is gone, or is ended because it did not take a write. `unsent` of the
  /// messages written to it were never sent; those still to be written to it go to
  /// lost_after_end().
  void broken(Slot slot, std::string_view reason, std::uint32_t unsent, Time now, Outbox& outbox);
  /// Of the messages written to a session that has ended since, `unsent` were never sent.
  void lost_after_end(Slot slot, std::uint32_t unsent);
  /// What was written to a session before its end has arrived, but for `unsent` messages.
  void closed(Slot slot, std::uint32_t unsent, Time now, Outbox& outbox);
  [[nodiscard]] bool has(Slot slot) const { return slot < slots_.size() && slots_[slot]; }

  // What operators say. `operator_name` is the operator whom the events name.
  // Only the holder of a claim may send to that session alone, say bye to it or kick it.
  /// `text` must be well-formed UTF-8. A message to everyone reaches claimed sessions, too.
  /// A session whose connection has no room for it ends: the message is lost, and refused.
  Receipt send(const Recipients& to, std::string_view text, std::string_view operator_name,
               Time now, Outbox& outbox);
  [[nodiscard]] Outcome bye(SessionId id, std::string_view operator_name, Time now, Outbox& outbox);
  [[nodiscard]] Outcome kick(SessionId id, std::string_view reason, std::string_view operator_name,
                             Time now, Outbox& outbox);
  /// Nobody else is called so.
  [[nodiscard]] Outcome name(SessionId id, std::string_view name, std::string_view operator_name,
                             Time now, Outbox& outbox);
  /// Keeps a note with the session; see Talk.
  [[nodiscard]] Outcome add_note(SessionId id, std::string_view text,
                                 std::string_view operator_name, Time now, Outbox& outbox);

  // Claims: claims.cpp.
  /// With `force` the claim is taken from another operator. For its holder nothing changes
  /// but whether it stays. `by`: who gives it to the holder; empty: nobody does.
  [[nodiscard]] Outcome claim(SessionId id, Claim claim, bool force, std::string_view by,
                              Outbox& outbox);
  /// A session that nobody has claimed is released already.
  [[nodiscard]] Outcome release(SessionId id, std::string_view operator_name, Outbox& outbox);
  /// Ends the claims that do not stay, of holders for whom `gone(holder)` is true.
  void release_if(const std::function<bool(std::string_view holder)>& gone, Outbox& outbox);
  // While all are away: away.cpp.
  /// From now on each client that writes is told this once, until end_away() or another
  /// text. A claimed session is told, too; see Session::Writer.
  void set_away(Away away);
  /// An operator is there.
  void end_away() { away_.reset(); }
  /// What an earlier router said, until set_away() is called on this one.
  [[nodiscard]] const std::optional<Away>& away_before() const { return away_before_; }

  /// Ends a session for good and at once, to make room for others; `why` is its reason. What was
  /// written to it and is not sent is lost. False: there is none, or it has ended already.
  bool give_way(SessionId id, std::string_view why, Time now, Outbox& outbox);
  /// Those that wait for one answer, and those that have never said anything, in the order in
  /// which they came. Some may have ended.
  [[nodiscard]] const std::set<SessionId>& asking() const { return asking_; }
  [[nodiscard]] const std::set<SessionId>& silent() const { return silent_; }

  /// The daemon stops: every session ends, with the farewell where one is due.
  void stop(Time now, Outbox& outbox);

  /// Whether the client at that place has sent something that receive() was not called with yet.
  using HasUnread = std::function<bool(Slot)>;
  /// Does what is due by `now`, of at most `most` sessions; deadline() tells whether more is.
  /// Nobody is taken to be silent of whom something is unread.
  void tick(Time now, Outbox& outbox, std::size_t most = SIZE_MAX,
            const HasUnread& has_unread = {});
  /// When tick() has something to do.
  [[nodiscard]] Time deadline() const;

  [[nodiscard]] const Session* find(SessionId id) const;
  /// The session that was given that name and has not ended; 0: none. Names that look the same are
  /// one. What clients of a room call themselves does not count.
  [[nodiscard]] SessionId called(std::string_view name) const { return names_.holder(name); }
  /// When a session was over that was there; nothing: never, or long ago.
  [[nodiscard]] std::optional<Time> left_at(SessionId id) const { return departed_.when(id); }
  [[nodiscard]] const Session& at(Slot slot) const {
    assert(has(slot));
    return *slots_[slot];
  }
  /// All sessions, in the order of their ids.
  [[nodiscard]] std::vector<const Session*> sessions() const;
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  /// What the others of its room are to hear of what one session does.
  class News final : public RoomNames {
   public:
    /// Events of the session from that one on are new.
    News(Router& router, std::size_t first_event) : router_{router}, next_event_{first_event} {}
    void wish(Session& session, std::string_view name, Context& context) override;
    void lose(Session& session, Context& context) override;
    /// The session has done all; returns what is to be passed on, line by line.
    std::string& finish(Session& session, const Context& context);

   private:
    [[nodiscard]] std::string rename(Session& session, std::string_view name, Context& context);
    void tell_name(Session& session, const std::string& before, const std::string& fault,
                   Context& context);
    void add_messages(Session& session, const Context& context);

    Router& router_;
    std::size_t next_event_;
    std::string text_;
  };

  template <class Act>
  void with(Slot slot, Time now, Outbox& outbox, Act act);
  template <class Act>
  bool with_id(SessionId id, Time now, Outbox& outbox, Act act);
  template <class Act>
  Outcome with_own(SessionId id, std::string_view operator_name, Time now, Outbox& outbox, Act act);
  void release(Session& session, Outbox& outbox);
  void answer_for_the_away(Session& session, std::size_t first_event, Context& context);
  [[nodiscard]] bool has_room(const Session& session, Outgoing& message, const Context& context);
  void give_up(Session& session, Context& context);
  [[nodiscard]] std::uint32_t take_back(const Session& session, Context& context);
  // What clients of a room hear of each other: passing_on.cpp.
  void pass_on(Rooms::Number room, Slot from, const std::string& news, Time now, Outbox& outbox);
  void follow_up(Session& session);
  void note(Session& session);
  void file(Session& session, Time when);
  void file_silent(Session& session);
  void rename(Session& session, std::string_view name, bool wished = false);
  void take_wish(SessionId given, Time now, Outbox& outbox);

  Settings settings_;
  Capacity* capacity_;
  Counters counters_;
  Reading reading_;
  std::vector<std::unique_ptr<Session>> slots_;
  std::unordered_map<SessionId, Slot> by_id_;
  std::set<SessionId> claimed_;
  std::set<SessionId> asking_;
  std::set<SessionId> silent_;
  Rooms rooms_;
  bool stopping_ = false;
  std::optional<Away> away_;
  std::optional<Away> away_before_;  ///< of an earlier router
  std::uint32_t away_period_ = 0;    ///< counts up
  std::set<std::pair<Time, Slot>> deadlines_;
  SessionId last_id_;
  std::uint64_t lineage_ = 0;
  std::vector<Slot> changed_;
  NamesInUse names_;  ///< that were given to sessions which have not ended
  Departed departed_;
};

// For router.cpp and send.cpp.

template <class Act>
void Router::with(Slot slot, Time now, Outbox& outbox, Act act) {
  assert(has(slot));
  Session& session = *slots_[slot];
  Context work{settings_, now, outbox, reading_, counters_, outbox.writes().size()};
  const auto first_event = outbox.events().size();
  std::optional<News> news;
  if (session.room() != 0) work.room_names = &news.emplace(*this, first_event);
  act(session, work);
  if (away_) {
    answer_for_the_away(session, first_event, work);
  } else {
    session.forgive_away();
  }
  if (session.is_over()) departed_.add(session.id(), now);
  if (!news) {
    follow_up(session);
    return;
  }
  const auto room = session.room();
  const auto& text = news->finish(session, work);
  follow_up(session);
  if (!text.empty()) pass_on(room, slot, text, now, outbox);
}

template <class Act>
bool Router::with_id(SessionId id, Time now, Outbox& outbox, Act act) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  with(found->second, now, outbox, std::move(act));
  return true;
}

}  // namespace chatd::core
