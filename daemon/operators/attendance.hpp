/// Which operators are there: their names, their connections, who is away and what is said for
/// them then, and who is waited for after all had to leave. An operator is a user under a name:
/// all its connections are one. Knows no socket.
///
/// Invariant: no two operators who are there have the same name, each has a connection, and
/// Sessions knows at any time whether all of them are away.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/wall_time.hpp"
#include "clients/sessions.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "log/refusals.hpp"
#include "operators/control_socket.hpp"
#include "operators/unattended.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Attendance {
 public:
  /// The longest text that is said for an operator who is away, in bytes: an original client
  /// reads no more at once.
  static constexpr std::size_t kMaxAway = core::kOriginalRead;

  /// `transcript` may be null.
  Attendance(io::Loop& loop, Sessions& sessions, Journal& journal, Transcript* transcript,
             std::size_t max_operators);

  /// A connection of `user` comes. Until it says hello it has the name of that user, or that
  /// with a number behind it where another user has the name. `is_own`: it is
  /// this process, for which there is always a place.
  void add(OperatorId id, const std::string& user, bool is_own);
  /// It has left. `why` is logged; empty: it left by itself.
  void remove(OperatorId id, std::string_view why);

  [[nodiscard]] const std::string& name_of(OperatorId id) const { return at(id).person->name; }
  /// What is said for the operator of that connection; empty: it is not away.
  [[nodiscard]] const std::string& away_of(OperatorId id) const { return at(id).person->away; }
  /// It has done something under its name, which from now on no other user takes from it.
  void has_acted(OperatorId id) { at(id).person->has_acted = true; }

  // How many may take part.
  /// Holds for those who come from now on.
  void set_max_operators(std::size_t count) { max_operators_ = count; }
  /// Whether that connection counts as an operator, or may: those count that said hello and are
  /// not quiet, and those that listen and do not only watch.
  [[nodiscard]] bool has_place(OperatorId id) const;
  /// Nobody had a place for it: the log says so, with a count.
  void count_refusal(const std::string& reason) { refusals_.add(reason); }

  // What an operator says of itself.
  /// It says hello, and wishes to be called `wish`; empty: it keeps its name. `quiet`: nobody
  /// hears of this connection. Returns the name that it has now.
  const std::string& greet(OperatorId id, const std::string& wish, bool quiet = false);
  /// It listens to events. `watch`: it only looks on, and is no reason to wait for an answer.
  void listens(OperatorId id, bool watch);
  /// The operator is away, and `text` is said for it: not empty, and at most kMaxAway bytes.
  void go_away(OperatorId id, const std::string& text);
  void come_back(OperatorId id);

  /// Whether that connection is one that only looks on.
  [[nodiscard]] bool watches(OperatorId id) const { return at(id).watches; }

  // Who is there.
  enum class Presence : std::uint8_t {
    kPresent,
    kAway,
    kWatching,  ///< all that can be heard of it are connections that only look on
    kNotHere,   ///< it has no connection, or quiet ones alone
  };
  /// Of the operator called `name`.
  [[nodiscard]] Presence presence(std::string_view name) const;
  /// Whether that operator had to leave, and may still come back to the desk and its claims.
  [[nodiscard]] bool is_awaited(std::string_view name) const;
  struct Info {
    std::string_view name;  ///< valid until the next call
    Presence presence;
    std::string_view away;  ///< what is said for it
    WallTime since;
    std::size_t connections;  ///< those that are not quiet
  };
  /// All but those of whom nobody hears, in the order in which they came.
  [[nodiscard]] std::vector<Info> list() const;
  /// Whether both are connections of one operator.
  [[nodiscard]] bool is_same(OperatorId a, OperatorId b) const {
    return at(a).person == at(b).person;
  }

  /// All operators have been cut off, through no fault of theirs: for ten seconds their claims
  /// wait for them to come back, and their names, which no other user gets meanwhile.
  void await_return();
  /// Writes down who is there for the next process, which reads it before its await_return().
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

  [[nodiscard]] const Unattended& unattended() const { return unattended_; }

 private:
  struct Connection;
  struct Person {
    std::string name;
    std::string user;
    std::vector<Connection*> connections;
    bool is_announced = false;     ///< others have heard that it is attached
    bool has_acted = false;        ///< it need not give its name to another user
    std::string away;              ///< what is said for it; empty: it is not away
    std::uint64_t away_since = 0;  ///< counts up
    WallTime since;
  };
  struct Connection {
    Person* person = nullptr;  ///< never null once it has joined
    bool is_own = false;
    bool has_greeted = false;  ///< it said hello, so that others may hear of it
    bool is_quiet = false;     ///< but do not
    bool listens = false;      ///< to events
    bool watches = false;      ///< it only looks on
    bool attends = false;      ///< what it hears, somebody has heard

    /// Whether it takes a place.
    [[nodiscard]] bool counts() const {
      return (has_greeted && !is_quiet) || (listens && !watches);
    }
    /// Whether others may hear of it.
    [[nodiscard]] bool is_heard_of() const { return !is_quiet && (has_greeted || listens); }
    /// Whether somebody is there who could answer a client.
    [[nodiscard]] bool is_desk() const {
      return !watches && (listens || (has_greeted && !is_quiet));
    }
  };
  using Test = bool (*)(const Connection&);

  [[nodiscard]] Connection& at(OperatorId id) const {
    assert(id < connections_.size() && connections_[id]);
    return *connections_[id];
  }
  [[nodiscard]] static std::size_t count(const Person& person, Test test);
  [[nodiscard]] static bool has(const Person& person, Test test) { return count(person, test) > 0; }
  [[nodiscard]] static bool is_heard_of(const Person& person);
  [[nodiscard]] Person* find(std::string_view name) const;
  [[nodiscard]] bool is_kept(std::string_view name, const std::string& user) const;
  Person& enter(std::string name, const std::string& user);
  Person& called(std::string_view wish, const std::string& user);
  void make_way(std::string_view wish, const std::string& user);
  void take_name(Connection& self, std::string_view wish);
  static void join(Connection& connection, Person& person);
  void leave(const Connection& connection, Person& person);
  void attend(Connection& self);
  void has_gone(std::string_view name);
  void announce(Person& person);
  void end_absence(Person& person);
  void say(std::string_view name, std::string_view state, std::string_view text = {});
  void stop_waiting();
  void count_away();

  Sessions& sessions_;
  Journal& journal_;
  Unattended unattended_;
  std::size_t max_operators_;
  std::vector<std::unique_ptr<Person>> people_;           ///< in the order in which they came
  std::vector<std::unique_ptr<Connection>> connections_;  ///< by operator
  std::uint64_t last_away_ = 0;
  bool awaiting_ = false;  ///< operators had to leave and are waited for
  /// Their names, each with its user.
  std::vector<std::pair<std::string, std::string>> awaited_;
  std::optional<core::Away> last_word_;  ///< what was said for all of them, if all were away
  Refusals refusals_;
  io::Timer return_;
};

}  // namespace chatd
