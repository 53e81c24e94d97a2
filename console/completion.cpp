#include "console/completion.hpp"

#include <algorithm>

#include "console/command.hpp"

namespace chatd::console {
namespace {

constexpr std::string_view kBlanks = " \t\n";

void add_sessions(Completion& completion, std::string_view lead, std::string_view word,
                  const Roster& roster) {
  for (const auto& [id, name] : roster.all()) {
    const std::string digits = std::to_string(id);
    if (!digits.starts_with(word) && !(name.starts_with(word) && !name.empty())) continue;
    const std::string insert = std::string{lead} + digits;
    completion.candidates.push_back({insert, name.empty() ? insert : insert + " " + name});
  }
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

Completion complete(std::string_view before, const Roster& roster) {
  Completion completion;
  const bool slash = before.starts_with('/') && !before.starts_with("//");
  const bool at = before.starts_with('@');
  const std::size_t first_end = before.find_first_of(kBlanks);
  const bool first_word = first_end == std::string_view::npos;
  if (slash && first_word) {
    for (const CommandSpec& spec : commands()) {
      const std::string insert = "/" + std::string{spec.word};
      if (insert.starts_with(before)) {
        completion.candidates.push_back({insert, std::string{spec.usage}});
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

  const auto all = commands();
  const auto spec = std::find_if(all.begin(), all.end(), [&](const CommandSpec& each) {
    return each.word == before.substr(1, first_end - 1);
  });
  if (spec == all.end()) return completion;
  // A session is always the first thing that a command takes.
  const std::size_t begin = before.find_first_not_of(kBlanks, first_end);
  const std::string_view word =
      begin == std::string_view::npos ? std::string_view{} : before.substr(begin);
  const Argument argument = spec->arguments.front();
  const bool session = argument == Argument::kSession || argument == Argument::kOptionalSession;
  if (!session || word.find_first_of(kBlanks) != std::string_view::npos) return completion;
  completion.in_text = false;
  completion.begin = before.size() - word.size();
  add_sessions(completion, "", word, roster);
  return completion;
}

}  // namespace chatd::console
