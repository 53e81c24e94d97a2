#include "console/completion.hpp"

#include <algorithm>

#include "console/command_table.hpp"
#include "console/fold.hpp"

namespace chatd::console {
namespace {

constexpr std::string_view kBlanks = " \t\n";

// Whether `text` begins so, whatever the case.
bool begins(std::string_view text, std::u32string_view word) {
  return folded(text).starts_with(word);
}

void add_sessions(Completion& completion, std::string_view lead, std::string_view word,
                  const Roster& roster) {
  const std::u32string typed = folded(word);
  for (const auto& [id, name] : roster.all()) {
    const std::string digits = std::to_string(id);
    if (!digits.starts_with(word) && !(!name.empty() && begins(name, typed))) continue;
    const std::string insert = std::string{lead} + digits;
    completion.candidates.push_back({insert, name.empty() ? insert : insert + " " + name});
  }
}

void add_options(Completion& completion, std::string_view word, const CommandSpec& spec) {
  for (const Parameter& each : spec.parameters) {
    if (each.kind != Parameter::Kind::kFlag || !each.noun.starts_with(word)) continue;
    completion.in_text = false;
    completion.candidates.push_back({std::string{each.noun}, std::string{each.noun}});
  }
}

// The words of commands, for /help.
void add_commands(Completion& completion, std::string_view word) {
  completion.in_text = false;
  for (const CommandSpec& each : commands()) {
    if (!each.typed() || !begins(each.word, folded(word))) continue;
    completion.candidates.push_back({std::string{each.word}, std::string{each.word}});
  }
}

void add_replies(Completion& completion, std::string_view word, const Canned& replies) {
  completion.in_text = false;
  for (const auto& [name, text] : replies.all()) {
    if (begins(name, folded(word))) completion.candidates.push_back({name, name});
  }
}

// For /give, whose second word is an operator.
void add_operators(Completion& completion, std::string_view word, const Roster& roster) {
  completion.in_text = false;
  for (const std::string& name : roster.present()) {
    if (begins(name, folded(word))) completion.candidates.push_back({name, name});
  }
}

// How many words there are that are no options.
std::size_t plain_words(std::string_view words) {
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < words.size();) {
    begin = words.find_first_not_of(kBlanks, begin);
    if (begin == std::string_view::npos) break;
    if (!words.substr(begin).starts_with("--")) ++count;
    begin = words.find_first_of(kBlanks, begin);
  }
  return count;
}

}  // namespace

std::string Completion::common(std::string_view word) const {
  if (candidates.empty()) return {};
  std::string_view shared = candidates.front().insert;
  for (const Candidate& each : candidates) {
    const auto end =
        std::mismatch(shared.begin(), shared.end(), each.insert.begin(), each.insert.end()).first;
    shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
  }
  // A name that becomes an id shares nothing with the word: then only a single
  // candidate may take its place.
  const bool grows = shared.size() > word.size() && shared.starts_with(word);
  return candidates.size() == 1 || grows ? std::string{shared} : std::string{};
}

Completion complete(std::string_view before, const Roster& roster, const Canned& replies) {
  Completion completion;
  const bool slash = before.starts_with('/') && !before.starts_with("//");
  const bool at = before.starts_with('@');
  const std::size_t first_end = before.find_first_of(kBlanks);
  const bool first_word = first_end == std::string_view::npos;
  if (slash && first_word) {
    for (const CommandSpec& spec : commands()) {
      const std::string insert = "/" + std::string{spec.word};
      if (spec.typed() && begins(insert, folded(before))) {
        completion.candidates.push_back({insert, usage_of(spec, Place::kTyped)});
      }
    }
    return completion;
  }
  if (at && first_word) {
    add_sessions(completion, "@", before.substr(1), roster);
    return completion;
  }
  completion.in_text = true;
  if (!slash) return completion;

  const CommandSpec* spec = meant_command(before.substr(1, first_end - 1)).spec;
  if (spec == nullptr) return completion;
  const std::size_t begin = before.find_last_of(kBlanks) + 1;
  const std::string_view word = before.substr(begin);
  completion.begin = begin;
  if (word.starts_with("--")) {
    add_options(completion, word, *spec);
    return completion;
  }
  const std::size_t words_before = plain_words(before.substr(first_end, begin - first_end));
  if (spec->verb == Verb::kGive && words_before == 1) {
    add_operators(completion, word, roster);
    return completion;
  }
  // A session is always the first thing that a command takes, but for its options.
  if (words_before > 0) return completion;
  switch (spec->parameters.front().kind) {
    case Parameter::Kind::kScope:
      if (std::string_view{"all"}.starts_with(word))
        completion.candidates.push_back({"all", "all"});
      [[fallthrough]];
    case Parameter::Kind::kSession:
    case Parameter::Kind::kTargets:
    case Parameter::Kind::kFocusSession:
    case Parameter::Kind::kPerhapsSession:
    case Parameter::Kind::kLeadingSession:
      completion.in_text = false;
      add_sessions(completion, "", word, roster);
      break;
    case Parameter::Kind::kPerhapsText:
      if (spec->verb == Verb::kHelp) add_commands(completion, word);
      if (spec->verb == Verb::kReply) add_replies(completion, word, replies);
      break;
    default:
      break;
  }
  return completion;
}

}  // namespace chatd::console
