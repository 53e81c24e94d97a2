/// Which operators are there: what they are called, who listens, who is away and what is said
/// for them then, and who is waited for after all had to leave. Knows no socket.
///
/// Invariant: no two operators who are there have the same name, and the clients' side knows
/// at any time whether all of them are away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/clients.hpp"
#include "core/router.hpp"
#include "events/journal.hpp"
#include "events/transcript.hpp"
#include "io/loop.hpp"
#include "io/timer.hpp"
#include "operators/control_socket.hpp"
#include "operators/unattended.hpp"

namespace chatd {

class Attendance {
 public:
  /// Of what is said for an operator who is away: an original client reads it at once.
  static constexpr std::size_t kMaxAway = core::kOriginalRead;

  /// `transcript` may be null.
  Attendance(io::Loop& loop, Clients& clients, const Journal& journal, Transcript* transcript);

  /// A connection of `user`, under a name that nobody has. Unless it `is_own`, that is no name
  /// under which somebody must come back: who has not said who it is does not know of that.
  void add(OperatorId id, const std::string& user, bool is_own);
  /// It has left; `why` is not empty if it was detached, and is logged.
  void remove(OperatorId id, std::string_view why);

  [[nodiscard]] const std::string& name_of(OperatorId id) const { return people_[id]->name; }
  /// It has done something under the name that it has now: that stays its own.
  void has_acted(OperatorId id) { people_[id]->has_acted = true; }

  // What an operator says of itself.
  /// It is there, and wishes to be called `name`; empty: as it is. Returns what it is called.
  const std::string& greet(OperatorId id, const std::string& name);
  /// It listens to events. `watch`: it only looks on, and is no reason to wait for an answer.
  void listens(OperatorId id, bool watch);
  /// It is away, and `text` is said for it; at most kMaxAway bytes, not empty.
  void go_away(OperatorId id, const std::string& text);
  void come_back(OperatorId id);

  /// The connections of all operators have been cut, through no fault of theirs: for some
  /// seconds their claims wait for them to come back.
  void await_return();

  [[nodiscard]] const Unattended& unattended() const { return unattended_; }

 private:
  struct Person {
    std::string name;
    bool has_greeted = false;  ///< others heard of it
    bool has_acted = false;    ///< its name cannot be another any more
    bool listens = false;
    bool watches = false;
    std::string away;              ///< what is said for it; empty: it is not away
    std::uint64_t away_since = 0;  ///< counts up
  };

  [[nodiscard]] bool is_there(std::string_view name, const Person* except = nullptr) const;
  [[nodiscard]] std::string unique_name(std::string_view wish, const Person* self,
                                        bool itself = true) const;
  [[nodiscard]] std::string usual_name(const std::string& user) const;
  std::string claim_name(std::string_view wish, const Person& self);
  void has_gone(std::string_view name);
  void stop_waiting();
  void count_away();

  Clients& clients_;
  Unattended unattended_;
  std::vector<std::unique_ptr<Person>> people_;  ///< by operator
  std::uint64_t last_away_ = 0;
  bool awaiting_ = false;                ///< operators who had to leave
  std::optional<core::Away> last_word_;  ///< of the last of them who was away
  io::Timer return_;
};

}  // namespace chatd
