/// Which operators are there: their names, who listens, who is away and what is said for them
/// then, and who is waited for after all had to leave. Knows no socket.
///
/// Invariant: no two operators who are there have the same name, and Sessions knows at any time
/// whether all of them are away.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/sessions.hpp"
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
  /// The longest text that is said for an operator who is away, in bytes: an original client
  /// reads no more at once.
  static constexpr std::size_t kMaxAway = core::kOriginalRead;

  /// `transcript` may be null.
  Attendance(io::Loop& loop, Sessions& sessions, Journal& journal, Transcript* transcript);

  /// A connection of `user` comes. It gets a name that nobody has and, unless it `is_own`, that
  /// nobody is waited for under: an operator who has not said hello does not know of that.
  void add(OperatorId id, const std::string& user, bool is_own);
  /// It has left. `why` is logged; empty: it left by itself.
  void remove(OperatorId id, std::string_view why);

  [[nodiscard]] const std::string& name_of(OperatorId id) const { return at(id).name; }
  /// It has done something under its name, which from now on nobody takes from it.
  void has_acted(OperatorId id) { at(id).has_acted = true; }

  // What an operator says of itself.
  /// It says hello, and wishes to be called `wish`; empty: it keeps its name. Returns the name
  /// that it has now.
  const std::string& greet(OperatorId id, const std::string& wish);
  /// It listens to events. `watch`: it only looks on, and is no reason to wait for an answer.
  void listens(OperatorId id, bool watch);
  /// It is away, and `text` is said for it: not empty, and at most kMaxAway bytes.
  void go_away(OperatorId id, const std::string& text);
  void come_back(OperatorId id);

  /// All operators have been cut off, through no fault of theirs: for ten seconds their claims
  /// wait for them to come back.
  void await_return();

  [[nodiscard]] const Unattended& unattended() const { return unattended_; }

 private:
  struct Person {
    std::string name;
    bool has_greeted = false;      ///< it said hello, so that others have heard of it
    bool has_acted = false;        ///< it need not give its name to another
    bool listens = false;          ///< to events
    bool watches = false;          ///< it only looks on
    std::string away;              ///< what is said for it; empty: it is not away
    std::uint64_t away_since = 0;  ///< counts up
  };

  [[nodiscard]] Person& at(OperatorId id) const {
    assert(id < people_.size() && people_[id]);
    return *people_[id];
  }
  [[nodiscard]] bool is_there(std::string_view name, const Person* except = nullptr) const;
  [[nodiscard]] std::string unique_name(std::string_view wish, const Person* self,
                                        bool itself = true) const;
  [[nodiscard]] std::string usual_name(const std::string& user) const;
  std::string give_name(std::string_view wish, const Person& self);
  void has_gone(std::string_view name);
  void say(std::string_view name, std::string_view state, std::string_view text = {});
  void stop_waiting();
  void count_away();

  Sessions& sessions_;
  Journal& journal_;
  Unattended unattended_;
  std::vector<std::unique_ptr<Person>> people_;  ///< by operator
  std::uint64_t last_away_ = 0;
  bool awaiting_ = false;                ///< operators had to leave and are waited for
  std::optional<core::Away> last_word_;  ///< what was said for all of them, if all were away
  io::Timer return_;
};

}  // namespace chatd
