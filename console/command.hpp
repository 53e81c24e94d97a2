/// What an operator asked for: a line of the console, or the arguments of chatctl,
/// understood by the one table of commands. Pure: knows neither the daemon nor the
/// screen.
/// Invariant: a line that begins with / or @ and is not understood is refused, it
/// never becomes text for a client.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "console/command_table.hpp"
#include "console/event.hpp"

namespace chatd::console {

/// A line that has been understood.
struct Command {
  Verb verb = Verb::kNothing;
  std::optional<SessionId> session;
  std::string text;       ///< text, reason, name, words, address, shell or server
  bool everyone = false;  ///< send, history: "all"
  bool force = false;     ///< claim: --force; ban: --now
  /// history: how many; ban: seconds; tail: an event's number; talk: a port.
  std::optional<std::uint64_t> number = {};
  /// kick: of several sessions, or of the network `address`, where there is no `session`.
  std::vector<SessionId> sessions = {};
  std::string address = {};
  /// A session by its name, where it has no `session`: one that the daemon knows, and for
  /// history and search all that were ever called so.
  std::string called = {};
  /// talk: the values of --ca, --certificate and --key; empty: not given.
  std::string ca = {};
  std::string certificate = {};
  std::string key = {};

  friend bool operator==(const Command&, const Command&) = default;
  /// Whether it goes to the client in focus, so that LineGuard has to let it pass.
  [[nodiscard]] bool needs_focus() const;
  /// Whether it does something to clients, or tells people something, so that it has to be sure
  /// who they are.
  [[nodiscard]] bool is_for_somebody() const;
};

/// A line that has not been understood: what is wrong with it, and what would be right.
/// Escaped.
struct Refusal {
  std::string message;
};

using Parsed = std::variant<Command, Refusal>;

/// Every session that this word may mean by its name; with `whole`, by no beginning of it.
using SessionFinder = std::function<std::vector<SessionId>(std::string_view word, bool whole)>;

/// What is said of a typed command that is none, or one of several. Escaped.
[[nodiscard]] std::string unknown_command(std::string_view word);

/// `line` has no LF at its end; a pasted one may have some inside. A word of digits
/// is always an id, whether such a session exists or not; other words are names.
[[nodiscard]] Parsed parse(std::string_view line, const SessionFinder& find);

/// Where a typed line names the client that it goes to.
struct Address {
  std::string_view upto;  ///< the line up to the end of that word; empty: it names nobody
  std::string_view word;
  bool whole = false;  ///< only a whole name is one
};
[[nodiscard]] Address address_of(std::string_view line);
/// Whom that word means now; empty: nobody.
[[nodiscard]] std::vector<SessionId> meant_by(const Address& address, const SessionFinder& find);

/// The arguments of chatctl after its own options, the command's word first. A session that
/// is not an id is `called` so: only the daemon knows whether there is one.
[[nodiscard]] Parsed parse_script(std::span<const std::string> words);

/// What is said of a word that is no command of scripts. Escaped.
[[nodiscard]] std::string unknown_script_command(std::string_view word);

/// "10m" in seconds: a number of s, m, h, d or w.
[[nodiscard]] std::optional<std::uint64_t> parse_duration(std::string_view word);
/// The reverse, in the largest unit that is exact.
[[nodiscard]] std::string duration_word(std::uint64_t seconds);

}  // namespace chatd::console
