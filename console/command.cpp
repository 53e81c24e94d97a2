#include "console/command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "base/words.hpp"

namespace chatd::console {
namespace {

using Kind = Parameter::Kind;

constexpr std::array<std::pair<char, std::uint64_t>, 5> kUnits{
    {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}, {'w', 7 * 86'400}}};

// A word as it can be repeated in an answer; the whole of a pasted page cannot.
std::string shown_word(std::string_view word) {
  constexpr std::size_t kLongest = 40;
  const bool cut = word.size() > kLongest;
  return escaped(cut ? prefix_of(word, kLongest) : word) + (cut ? "..." : "");
}

std::optional<std::uint64_t> to_number(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

// What is left of a typed line.
class TypedWords {
 public:
  static constexpr Place kPlace = Place::kTyped;

  explicit TypedWords(std::string_view rest) : rest_{rest} {}

  /// The next word; empty if there is none.
  [[nodiscard]] std::string_view peek() const {
    const std::string_view next = trimmed(rest_);
    return next.substr(0, length_of_word(next));
  }
  /// Takes that word off, and the one blank that ends it: what follows may be text
  /// whose own blanks count.
  void take() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    rest_.remove_prefix(std::min(rest_.size(), length_of_word(rest_) + 1));
  }
  [[nodiscard]] bool has_text() const { return !trimmed(rest_).empty(); }
  [[nodiscard]] std::string take_text() { return std::string{std::exchange(rest_, {})}; }

 private:
  static std::size_t length_of_word(std::string_view text) {
    return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) -
                                    text.begin());
  }
  std::string_view rest_;
};

// What is left of a script's arguments.
class GivenWords {
 public:
  static constexpr Place kPlace = Place::kScript;

  explicit GivenWords(std::span<const std::string> rest) : rest_{rest} {}

  [[nodiscard]] std::string_view peek() const {
    return rest_.empty() ? std::string_view{} : std::string_view{rest_.front()};
  }
  void take() { rest_ = rest_.subspan(1); }
  [[nodiscard]] bool has_text() const { return !rest_.empty(); }
  [[nodiscard]] std::string take_text() {
    std::string text;
    for (const std::string& word : rest_) {
      if (&word != &rest_.front()) text += ' ';
      text += word;
    }
    rest_ = {};
    return text;
  }

 private:
  std::span<const std::string> rest_;
};

// The session that a word means, or why it means none.
std::variant<SessionId, Refusal> session_of(std::string_view word, const SessionFinder& find) {
  const auto id = to_number(word);
  if (id && *id > 0) return *id;
  const std::string shown = shown_word(word);
  const bool digits = !word.empty() && std::all_of(word.begin(), word.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (digits || !find) return Refusal{"'" + shown + "' is not a session id; ids count up from 1"};
  const std::vector<SessionId> named = find(word, false);
  if (named.size() == 1) return named.front();
  if (named.empty()) return Refusal{"no session is called '" + shown + "'; /list shows them all"};
  std::string ids;
  for (const SessionId each : named) ids += (ids.empty() ? "" : ", ") + std::to_string(each);
  return Refusal{"'" + shown + "' may mean several sessions: " + ids + "; say which id"};
}

// Whether the word can be a session's name; digits are always an id.
bool is_name(std::string_view word) {
  return word.find_first_not_of("0123456789") != std::string_view::npos;
}

// Whether the word is written as a network is: an address, perhaps with /BITS, or uid:1000. What
// it means, the daemon knows. No name of a client is taken for one's own words: whatever looks
// like this is a network.
bool looks_like_network(std::string_view word) {
  const auto all_of = [word](std::string_view allowed) {
    return word.find_first_not_of(allowed) == std::string_view::npos;
  };
  const bool v4 = word.find('.') != std::string_view::npos && all_of("0123456789./");
  const bool v6 = word.find(':') != std::string_view::npos && all_of("0123456789abcdefABCDEF:./");
  return v4 || v6 || (word.starts_with("uid:") && word.size() > 4);
}

// "3,5,7"; nothing if it is anything else.
std::vector<SessionId> listed_sessions(std::string_view word) {
  std::vector<SessionId> ids;
  for (;;) {
    const std::size_t end = word.find(',');
    const auto id = to_number(word.substr(0, end));
    if (!id || *id == 0) return {};
    ids.push_back(*id);
    if (end == std::string_view::npos) return ids;
    word.remove_prefix(end + 1);
  }
}

// The arguments of one command, taken one after the other.
template <class Words>
class Reading {
 public:
  Reading(const CommandSpec& spec, Words words, const SessionFinder& find)
      : spec_{spec}, words_{words}, find_{find}, command_{spec.verb, {}, {}} {}

  Parsed read() {
    for (const Parameter& parameter : spec_.parameters) {
      if (!take_options() || !take(parameter)) return refusal_;
    }
    if (!take_options()) return refusal_;
    // Something that the command does not take was meant to be something: asking is
    // better than doing half of it.
    if (words_.has_text()) return usage();
    return command_;
  }

 private:
  [[nodiscard]] Refusal usage() const {
    const bool typed = Words::kPlace == Place::kTyped;
    return {(typed ? "usage: " : "usage: chatctl ") + usage_of(spec_, Words::kPlace)};
  }
  bool refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    return false;
  }
  bool refuse_word(std::string_view what) {
    return refuse(
        {"'" + shown_word(words_.peek()) + "' " + std::string{what} + "; " + usage().message});
  }

  // Options stand anywhere among what comes before a text.
  bool take_options() {
    for (;;) {
      const std::string_view word = words_.peek();
      const auto option = std::find_if(
          spec_.parameters.begin(), spec_.parameters.end(),
          [&](const Parameter& each) { return each.is_option() && each.noun == word; });
      if (option == spec_.parameters.end()) return true;
      words_.take();
      if (option->kind == Kind::kFlag) {
        command_.force = true;
      } else if (option->kind == Kind::kSessionOption) {
        if (!words_.has_text()) return refuse(usage());
        if (!take_session_of_past()) return false;
      } else if (option->kind == Kind::kFileOption) {
        if (words_.peek().empty())
          return refuse({std::string{word} + ": the name of a file is missing"});
        file_of(option->noun) = words_.peek();
        words_.take();
      } else {
        command_.number = to_number(words_.peek());
        if (!command_.number) return refuse_word("is not the number of an event");
        words_.take();
      }
    }
  }

  std::string& file_of(std::string_view option) {
    if (option == "--ca") return command_.ca;
    return option == "--key" ? command_.key : command_.certificate;
  }

  bool take_session() {
    if (Words::kPlace == Place::kScript && is_name(words_.peek())) return take_name();
    auto session = session_of(words_.peek(), find_);
    if (auto* refusal = std::get_if<Refusal>(&session)) return refuse(std::move(*refusal));
    command_.session = std::get<SessionId>(session);
    words_.take();
    return true;
  }

  bool take_name() {
    command_.called = words_.peek();
    words_.take();
    return true;
  }

  // A client that has gone was called something, too.
  bool take_session_of_past() {
    const std::string_view word = words_.peek();
    return find_ && is_name(word) && find_(word, false).empty() ? take_name() : take_session();
  }

  // Whether the word in front of a text is a session, or the text begins with it.
  [[nodiscard]] bool leads_to_session(std::string_view word) const {
    return Words::kPlace == Place::kScript || !is_name(word) || !find_(word, true).empty();
  }

  bool take_targets() {
    const std::string_view word = words_.peek();
    if (looks_like_network(word)) {
      command_.address = word;
    } else if (auto ids = listed_sessions(word); ids.size() > 1) {
      command_.sessions = std::move(ids);
    } else {
      return take_session();
    }
    words_.take();
    return true;
  }

  bool take_everyone() {
    command_.everyone = words_.peek() == "all";
    if (command_.everyone) words_.take();
    return command_.everyone;
  }

  bool take_number(std::optional<std::uint64_t> number, std::string_view what) {
    if (!number) return refuse_word(what);
    command_.number = number;
    words_.take();
    return true;
  }

  bool take(const Parameter& parameter) {
    const bool none = !words_.has_text();
    switch (parameter.kind) {
      case Kind::kNone:
      case Kind::kFlag:
      case Kind::kNumberOption:
      case Kind::kSessionOption:
      case Kind::kFileOption:
        return true;
      case Kind::kSession:
        return none ? refuse(usage()) : take_session();
      case Kind::kTargets:
        return none ? refuse(usage()) : take_targets();
      case Kind::kFocusSession:
        if (none && Words::kPlace == Place::kScript) return refuse(usage());
        [[fallthrough]];
      case Kind::kPerhapsSession:
        return none || take_session();
      case Kind::kLeadingSession:
        if (none && Words::kPlace == Place::kScript) return refuse(usage());
        return none || !leads_to_session(words_.peek()) || take_session();
      case Kind::kReceiver:
        if (none) return refuse(usage());
        return take_everyone() || take_session();
      case Kind::kScope:
        return none || take_everyone() || take_session_of_past();
      case Kind::kCount: {
        const auto count = to_number(words_.peek());
        return none || take_number(count == 0U ? std::nullopt : count, "is not a number from 1 on");
      }
      case Kind::kDuration:
        return none || take_number(parse_duration(words_.peek()),
                                   "is not a duration, such as 30s, 10m, 2h, 1d or 1w");
      case Kind::kPort: {
        const auto port = to_number(words_.peek());
        const bool right = port && *port > 0 && *port <= std::numeric_limits<std::uint16_t>::max();
        return none || take_number(right ? port : std::nullopt, "is not a port from 1 to 65535");
      }
      case Kind::kShell: {
        const auto known = choices_of(parameter.noun);
        if (std::find(known.begin(), known.end(), words_.peek()) == known.end()) {
          return refuse(usage());
        }
        [[fallthrough]];
      }
      case Kind::kNetwork:
      case Kind::kServer:
        if (none) return refuse(usage());
        command_.text = words_.peek();
        words_.take();
        return true;
      case Kind::kNewName:
        if (none && Words::kPlace == Place::kTyped) return true;
        [[fallthrough]];
      case Kind::kText:
        if (none) return refuse(usage());
        [[fallthrough]];
      case Kind::kPerhapsText:
        command_.text = words_.take_text();
        // Blanks around what is sent are the client's to see; a name has none.
        if (command_.verb != Verb::kSend && command_.verb != Verb::kAsk)
          command_.text = trimmed(command_.text);
        // A script's variable that is not set was meant to be something.
        if (!none && command_.verb == Verb::kNote && command_.text.empty()) {
          return refuse({"not noted: the text is empty"});
        }
        return true;
    }
    return true;
  }

  const CommandSpec& spec_;
  Words words_;
  const SessionFinder& find_;
  Command command_;
  Refusal refusal_;
};

Parsed parse_at(std::string_view rest, const SessionFinder& find) {
  const std::string_view word = rest.substr(
      0, static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_blank) - rest.begin()));
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  if (word.empty()) return Refusal{"to whom? @ID TEXT sends TEXT to that client"};
  auto session = session_of(word, find);
  if (auto* refusal = std::get_if<Refusal>(&session)) {
    return Refusal{"not sent: " + refusal->message +
                   ". To send a line that begins with @ write the client's @ID before it"};
  }
  if (rest.empty()) return Refusal{"nothing to send; @ID TEXT sends TEXT to that client"};
  return Command{Verb::kSend, std::get<SessionId>(session), std::string{rest}};
}

Parsed parse_slash(std::string_view rest, const SessionFinder& find) {
  const std::string_view word = rest.substr(
      0, static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_blank) - rest.begin()));
  const CommandSpec* spec = meant_command(word).spec;
  if (spec == nullptr) return Refusal{unknown_command(word) + " (//TEXT sends /TEXT)"};
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  Parsed parsed = Reading{*spec, TypedWords{rest}, find}.read();
  if (auto* command = std::get_if<Command>(&parsed); command != nullptr) {
    if (command->verb == Verb::kSend) command->everyone = true;
  }
  return parsed;
}

}  // namespace

std::string unknown_command(std::string_view word) {
  const Meant meant = meant_command(word);
  if (meant.spec == nullptr && meant.candidates.size() == 1) {
    return "/" + shown_word(word) + " is not enough: /" + std::string{meant.candidates.front()} +
           " has to be typed as a whole";
  }
  if (meant.candidates.size() > 1) {
    std::string all;
    for (const std::string_view each : meant.candidates) {
      all.append(all.empty() ? "/" : ", /").append(each);
    }
    return "/" + shown_word(word) + " may mean several commands: " + all;
  }
  const std::string_view near = nearest_command(word, Place::kTyped);
  return "unknown command /" + shown_word(word) +
         (near.empty() ? "; /help shows them all" : "; did you mean /" + std::string{near} + "?");
}

bool Command::needs_focus() const {
  switch (verb) {
    case Verb::kSay:
      return true;
    case Verb::kReply:
      return !text.empty();
    case Verb::kBye:
    case Verb::kClaim:
    case Verb::kRelease:
    case Verb::kNote:
      return !session;
    default:
      return false;
  }
}

bool Command::is_for_somebody() const {
  switch (verb) {
    case Verb::kSay:
    case Verb::kSend:
    case Verb::kBye:
    case Verb::kKick:
    case Verb::kName:
    case Verb::kClaim:
    case Verb::kRelease:
    case Verb::kGive:
    case Verb::kOps:
    case Verb::kAway:
      return true;
    case Verb::kReply:
    case Verb::kNote:
      return !text.empty();
    default:
      return false;
  }
}

Address address_of(std::string_view line) {
  if (line.starts_with('@')) {
    const auto end = std::find_if(line.begin(), line.end(), is_blank);
    const auto size = static_cast<std::size_t>(end - line.begin());
    return size == 1 ? Address{} : Address{line.substr(0, size), line.substr(1, size - 1)};
  }
  if (!line.starts_with('/') || line.starts_with("//")) return {};
  std::size_t at = 0;
  const auto next_word = [&] {
    while (at < line.size() && is_blank(line[at])) ++at;
    const std::size_t begin = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    return line.substr(begin, at - begin);
  };
  const CommandSpec* spec = meant_command(next_word().substr(1)).spec;
  if (spec == nullptr) return {};
  const auto first = std::find_if(spec->parameters.begin(), spec->parameters.end(),
                                  [](const Parameter& each) { return !each.is_option(); });
  if (first == spec->parameters.end()) return {};
  const bool leads = first->kind == Kind::kLeadingSession;
  if (!leads && first->kind != Kind::kSession && first->kind != Kind::kFocusSession &&
      first->kind != Kind::kTargets) {
    return {};
  }
  std::string_view word = next_word();
  while (word.starts_with("--")) word = next_word();
  if (word.empty()) return {};
  return {line.substr(0, at), word, leads};
}

std::vector<SessionId> meant_by(const Address& address, const SessionFinder& find) {
  const std::string_view word = address.word;
  if (word.empty()) return {};
  if (!is_name(word) || word.find(',') != std::string_view::npos) {
    if (auto ids = listed_sessions(word); !ids.empty()) return ids;
  }
  return is_name(word) ? find(word, address.whole) : std::vector<SessionId>{};
}

Parsed parse(std::string_view line, const SessionFinder& find) {
  if (line.empty()) return Command{};
  if (line.starts_with("//")) return Command{Verb::kSay, {}, std::string{line.substr(1)}};
  if (line.front() == '/') return parse_slash(line.substr(1), find);
  if (line.front() == '@') return parse_at(line.substr(1), find);
  if (trimmed(line) == "bye") return Command{Verb::kBye, {}, {}};
  return Command{Verb::kSay, {}, std::string{line}};
}

Parsed parse_script(std::span<const std::string> words) {
  const std::string& word = words.front();
  const CommandSpec* spec = find_command(word, Place::kScript);
  if (spec != nullptr) return Reading{*spec, GivenWords{words.subspan(1)}, nullptr}.read();
  if (const CommandSpec* typed = find_command(word, Place::kTyped); typed != nullptr) {
    return Refusal{"'" + word + "' belongs to the console: start chatctl alone and type " +
                   usage_of(*typed, Place::kTyped)};
  }
  return Refusal{unknown_script_command(word)};
}

std::string unknown_script_command(std::string_view word) {
  const std::string_view near = nearest_command(word, Place::kScript);
  return "unknown command '" + shown_word(word) + "'; " +
         (near.empty() ? "chatctl --help lists everything"
                       : "did you mean " + std::string{near} + "?");
}

std::optional<std::uint64_t> parse_duration(std::string_view word) {
  if (word.size() < 2) return std::nullopt;
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const auto& each) { return each.first == word.back(); });
  const auto number = to_number(word.substr(0, word.size() - 1));
  if (unit == kUnits.end() || !number || *number == 0) return std::nullopt;
  if (*number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return *number * unit->second;
}

std::string duration_word(std::uint64_t seconds) {
  const auto unit = std::find_if(kUnits.rbegin(), kUnits.rend(),
                                 [&](const auto& each) { return seconds % each.second == 0; });
  return std::to_string(seconds / unit->second) + unit->first;
}

}  // namespace chatd::console
