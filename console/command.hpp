/// What an operator can type: one table of commands, from which lines are parsed,
/// /help is printed and completion is made. Pure: knows neither the daemon nor the
/// screen.
/// Invariant: a line that begins with / or @ and is not understood is refused, it
/// never becomes text for a client.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "console/event.hpp"

namespace chatd::console {

enum class Verb {
  kNothing,  ///< an empty line
  kSay,      ///< text to the client in focus
  kSayTo,    ///< text to `session`
  kAll,
  kList,
  kFocus,
  kBye,
  kKick,
  kName,
  kStats,
  kReload,
  kHelp,
  kQuit,
};

/// One word, or the rest of the line, that a command takes.
enum class Argument {
  kNone,
  kSession,          ///< an id, or a name that only one session has
  kOptionalSession,  ///< the same, or nothing
  kText,             ///< the rest, not empty
  kOptionalText,     ///< the rest
};

struct CommandSpec {
  std::string_view word;  ///< without the slash
  Verb verb;
  std::array<Argument, 2> arguments;
  std::string_view usage;  ///< as typed: "/kick ID [reason]"
  std::string_view help;   ///< what it does, in the third person
};

/// Every command that begins with a slash, in the order of /help.
[[nodiscard]] std::span<const CommandSpec> commands();

/// A line that has been understood.
struct Command {
  Verb verb = Verb::kNothing;
  std::optional<SessionId> session;
  std::string text;

  friend bool operator==(const Command&, const Command&) = default;
  /// Whether it goes to whoever is in focus: the line that the guard guards.
  [[nodiscard]] bool needs_focus() const {
    return verb == Verb::kSay || (verb == Verb::kBye && !session);
  }
};

/// A line that has not: what is wrong, and what would be right.
struct Refusal {
  std::string message;
};

using Parsed = std::variant<Command, Refusal>;

/// Every session that has exactly this name.
using SessionFinder = std::function<std::vector<SessionId>(std::string_view name)>;

/// `line` has no LF at its end; a pasted one may have some inside. A word of digits
/// is always an id, whether such a session exists or not; other words are names.
[[nodiscard]] Parsed parse(std::string_view line, const SessionFinder& find);

/// The lines of /help.
[[nodiscard]] std::vector<std::string> help_lines();

}  // namespace chatd::console
