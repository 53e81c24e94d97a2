#include "console/help.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/words.hpp"
#include "console/command.hpp"
#include "console/sheet.hpp"

namespace chatd::console {
namespace {

constexpr std::size_t kUsualWidth = 80;

struct Entry {
  std::string_view typed;
  std::string_view does;
};

// A command among these is named by its word alone, so that the list below can be told of it.
constexpr std::array kEveryDay{
    Entry{"TEXT", "goes to the client in focus, the one in the prompt"},
    Entry{"@ID TEXT", "goes to that client; the focus stays"},
    Entry{"Alt-a", "to the client that has waited longest"},
    Entry{"Alt-1 .. Alt-9", "to the client with that key in /list"},
    Entry{"/focus", "/focus 3, /focus ann: to that client"},
    Entry{"/list", "who is there, and who waits"},
    Entry{"/only", "shows the client in focus alone; again: all (also Alt-o)"},
    Entry{"/reply", "/reply NAME sends a text that is prepared"},
    Entry{"/all", "/all TEXT goes to every client"},
    Entry{"/bye", "says bye to the client in focus and ends its session"},
    Entry{"/quit", "leaves the console"},
};

struct Group {
  std::string_view title;
  std::string_view words;  ///< with a blank between them
};
constexpr std::array kGroups{
    Group{"clients", "name note mute kick"},  Group{"team", "claim release give ops who away back"},
    Group{"the past", "history search more"}, Group{"addresses", "ban unban bans origins"},
    Group{"the daemon", "stats reload help"},
};

struct Examples {
  std::string_view word;
  std::array<Entry, 3> all;
};
constexpr std::array kExamples{
    Examples{"all",
             {Entry{"/all back in five minutes", "every client that is not asking hears it"}}},
    Examples{"list", {Entry{"/list", "who has waited longest comes first"}}},
    Examples{"focus",
             {Entry{"/focus 3", "plain lines go to client 3 from now on"},
              Entry{"/focus an", "the same, if one name alone begins so"},
              Entry{"/focus", "plain lines go to nobody"}}},
    Examples{"only",
             {Entry{"/only", "what others say is counted, and not shown"},
              Entry{"/only", "once more: all are shown again"}}},
    Examples{"mute",
             {Entry{"/mute 3", "nothing of client 3 is shown or counted"},
              Entry{"/mute 3", "once more: it is"}, Entry{"/mute", "who is muted"}}},
    Examples{"bye", {Entry{"bye", "the client in focus"}, Entry{"/bye 3", "client 3"}}},
    Examples{"kick",
             {Entry{"/kick 3 be polite", "client 3; the reason is recorded"},
              Entry{"/kick 3,5", "two sessions"}, Entry{"/kick 192.0.2.0/24", "all of a network"}}},
    Examples{"name",
             {Entry{"/name 3 Lab-2", "client 3 is [3 Lab-2] for all operators"},
              Entry{"/name 3", "it has no name any more"}}},
    Examples{"claim",
             {Entry{"/claim", "the client in focus is yours"},
              Entry{"/claim 3 --force", "taken from whoever has it"}}},
    Examples{"release",
             {Entry{"/release", "the client in focus"}, Entry{"/release 3", "client 3"}}},
    Examples{"give", {Entry{"/give 3 bob", "client 3 is bob's from now on"}}},
    Examples{"note",
             {Entry{"/note 3 waits for the invoice", "kept with client 3, for all operators"},
              Entry{"/note waits for the invoice", "the client in focus"},
              Entry{"/note 3", "shows what is kept with client 3"}}},
    Examples{"ops", {Entry{"/ops who takes the night?", "operators hear it, no client does"}}},
    Examples{"who", {Entry{"/who", "which operators are there, and which are away"}}},
    Examples{"reply",
             {Entry{"/reply hours", "sends the text that replies.hours of the configuration has"},
              Entry{"/r ho", "the same, if one name alone begins so"},
              Entry{"/reply", "shows all of them"}}},
    Examples{"history",
             {Entry{"/history", "the last 20 messages of the client in focus"},
              Entry{"/history 3 100", "the last 100 of client 3"},
              Entry{"/history all", "of everybody"}}},
    Examples{"search",
             {Entry{"/search paper jam", "messages that have both words"},
              Entry{"/search pap*", "any word that begins so"}}},
    Examples{"more", {Entry{"/more", "the page before"}}},
    Examples{"ban",
             {Entry{"/ban 192.0.2.7 2h", "one address, for two hours"},
              Entry{"/ban 2001:db8::/48", "a network, for good"},
              Entry{"/ban 192.0.2.7 1d --now", "and who is connected from there goes"}}},
    Examples{"unban", {Entry{"/unban 192.0.2.7", "written as it was banned"}}},
    Examples{"bans", {Entry{"/bans", "all of them, and until when"}}},
    Examples{"origins", {Entry{"/origins 5", "the five that cost most"}}},
    Examples{"away", {Entry{"/away back at nine", "said once to each client who writes"}}},
    Examples{"back", {Entry{"/back", "you are there again"}}},
    Examples{"stats", {Entry{"/stats", "what the daemon has counted"}}},
    Examples{"reload", {Entry{"/reload", "after the configuration was changed"}}},
    Examples{"help", {Entry{"/help kick", "one command"}, Entry{"/help all", "every command"}}},
    Examples{"quit", {Entry{"/quit", "chatctl detaches; the daemon's own console ends it"}}},
};

std::span<const Entry> examples_of(std::string_view word) {
  const auto found = std::find_if(kExamples.begin(), kExamples.end(),
                                  [word](const Examples& each) { return each.word == word; });
  if (found == kExamples.end()) return {};
  const auto end = std::find_if(found->all.begin(), found->all.end(),
                                [](const Entry& each) { return each.typed.empty(); });
  return {found->all.begin(), end};
}

bool is_listed(std::string_view words, std::string_view word) {
  for (;;) {
    const std::size_t end = words.find(' ');
    if (words.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    words.remove_prefix(end + 1);
  }
}

// "/name /note", of those that there are.
std::string commands_of(const Group& group) {
  std::string all;
  for (const CommandSpec& spec : commands()) {
    if (!spec.typed() || !is_listed(group.words, spec.word)) continue;
    all.append(all.empty() ? "/" : " /").append(spec.word);
  }
  return all;
}

}  // namespace

std::vector<std::string> short_help_lines(std::size_t width) {
  if (width == 0) width = kUsualWidth;
  Sheet every_day;
  for (const Entry& each : kEveryDay) {
    const bool command = each.typed.starts_with('/');
    if (command && find_command(each.typed.substr(1), Place::kTyped) == nullptr) continue;
    every_day.add(std::string{each.typed}, std::string{each.does});
  }
  Sheet more;
  for (const Group& each : kGroups) more.add(std::string{each.title}, commands_of(each));
  std::vector<std::string> lines = every_day.lines(width);
  for (std::string& line : more.lines(width)) lines.push_back(std::move(line));
  Sheet last;
  last.add("/help COMMAND", "tells more of one, with examples; /help all: of every one");
  for (std::string& line : last.lines(width)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> help_lines_of(std::string_view word, std::size_t width) {
  word = trimmed(word);
  if (word == "all") return help_lines(width);
  if (word.starts_with('/')) word.remove_prefix(1);
  Meant meant = meant_command(word);
  // To be told of it, half a word is enough.
  if (meant.candidates.size() == 1) {
    meant.spec = find_command(meant.candidates.front(), Place::kTyped);
  }
  if (meant.spec == nullptr) return {unknown_command(word)};
  Sheet sheet;
  sheet.add(usage_of(*meant.spec, Place::kTyped), std::string{meant.spec->help});
  for (const Entry& each : examples_of(meant.spec->word)) {
    sheet.add("  " + std::string{each.typed}, std::string{each.does});
  }
  return sheet.lines(width == 0 ? kUsualWidth : width);
}

bool is_in_short_help(std::string_view word) {
  const std::string typed = "/" + std::string{word};
  return std::any_of(kEveryDay.begin(), kEveryDay.end(),
                     [&](const Entry& each) { return each.typed == typed; }) ||
         std::any_of(kGroups.begin(), kGroups.end(),
                     [&](const Group& each) { return is_listed(each.words, word); });
}

}  // namespace chatd::console
