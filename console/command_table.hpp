/// The one table of what an operator can ask for. Lines of the console and commands
/// of chatctl are parsed by it; /help, chatctl --help, and completion in the console and
/// in the shells are made from it. Data only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::console {

enum class Verb : std::uint8_t {
  kNothing,  ///< an empty line
  kSay,      ///< text to the client in focus
  kSend,     ///< text to one session, or to everyone
  kAsk,      ///< text to one session, whose next message is the answer
  kList,
  kFocus,
  kOnly,  ///< what is shown: the client in focus alone, or all
  kMute,
  kReply,  ///< a text of the configuration to the client in focus
  kBye,
  kKick,
  kName,
  kClaim,
  kRelease,
  kGive,  ///< the claim of a client to another operator
  kNote,  ///< for the operators, kept with a client
  kOps,   ///< text to the other operators
  kWho,   ///< which operators are there
  kHistory,
  kSearch,
  kMore,
  kBan,
  kUnban,
  kBans,
  kOrigins,
  kAway,
  kBack,
  kTail,
  kTalk,
  kStats,
  kReload,
  kStop,
  kCompletion,
  kHelp,
  kQuit,
};

/// Where a command can be given.
enum class Place : std::uint8_t {
  kTyped,   ///< in the console, after a slash
  kScript,  ///< as an argument of chatctl
  kBoth,
};

/// One thing that a command takes.
struct Parameter {
  enum class Kind : std::uint8_t {
    kNone,
    kSession,         ///< an id, or a name that only one session has
    kFocusSession,    ///< a session; the console allows none: the client in focus
    kPerhapsSession,  ///< a session, or nothing
    kLeadingSession,  ///< an id before a text; the console allows none: the client in focus
    kScope,           ///< a session or "all"; without it the client in focus, or else all
    kReceiver,        ///< a session or "all"
    kCount,           ///< a number, or nothing
    kNetwork,         ///< an address, perhaps with /BITS
    kTargets,         ///< a session, ids with commas between them, or a network
    kDuration,        ///< "10m", or nothing: no end
    kShell,           ///< the name of a shell
    kServer,          ///< where a chat server is: [tls:]HOST[:PORT]
    kPort,            ///< a port, or nothing
    kText,            ///< the rest, not empty
    kPerhapsText,     ///< the rest
    kNewName,         ///< the rest; only the console takes none for an empty one
    kFlag,            ///< --NAME, anywhere before a text
    kNumberOption,    ///< --NAME NUMBER, likewise
    kSessionOption,   ///< --NAME SESSION, likewise
    kFileOption,      ///< --NAME FILE, likewise
  };

  Kind kind = Kind::kNone;
  std::string_view noun;  ///< what /help calls it; of an option its name: "--since"

  [[nodiscard]] bool is_option() const { return kind == Kind::kFlag || takes_value(); }
  /// Whether it is an option whose value is the next word.
  [[nodiscard]] bool takes_value() const {
    return kind == Kind::kNumberOption || kind == Kind::kSessionOption || kind == Kind::kFileOption;
  }
};

struct CommandSpec {
  std::string_view word;  ///< without the slash
  Verb verb;
  Place place;
  std::array<Parameter, 5> parameters;
  std::string_view help;  ///< what it does, in the third person

  [[nodiscard]] bool typed() const { return place != Place::kScript; }
  [[nodiscard]] bool scripted() const { return place != Place::kTyped; }
};

/// Every command, in the order of /help.
[[nodiscard]] std::span<const CommandSpec> commands();

/// The command of that word in that place (kTyped or kScript); null if there is none.
[[nodiscard]] const CommandSpec* find_command(std::string_view word, Place place);

/// What a typed word means.
struct Meant {
  const CommandSpec* spec = nullptr;         ///< null: none, one of several, or not its whole word
  std::vector<std::string_view> candidates;  ///< words that begin so
};
/// The command of that word, whatever its case, or the only one that begins so; but what ends a
/// session or the console, or goes to all, is meant by its whole word alone.
[[nodiscard]] Meant meant_command(std::string_view word);

/// The word that was most likely meant; empty if none is near.
[[nodiscard]] std::string_view nearest_command(std::string_view word, Place place);

/// "/ban ADDRESS[/BITS] [DURATION]", and for a script the same without the slash.
[[nodiscard]] std::string usage_of(const CommandSpec& spec, Place place);

/// An option of chatctl itself.
struct OptionSpec {
  std::string_view word;    ///< "--socket"
  std::string_view letter;  ///< "-h"; empty: none
  std::string_view value;   ///< "PATH", or the choices as "a|b|c"; empty: it takes none
  std::string_view help;
};

[[nodiscard]] std::span<const OptionSpec> options();

/// The parts of a list such as "a|b|c".
[[nodiscard]] std::vector<std::string_view> choices_of(std::string_view list);

/// The shells that kShell stands for.
inline constexpr std::string_view kShells = "bash|zsh|fish";

/// The lines of /help all, none wider than `width` columns if that is at all possible
/// (0: no limit).
[[nodiscard]] std::vector<std::string> help_lines(std::size_t width);
/// The commands and options of chatctl, as chatctl --help has them.
[[nodiscard]] std::vector<std::string> script_command_lines();
[[nodiscard]] std::vector<std::string> option_lines();

}  // namespace chatd::console
