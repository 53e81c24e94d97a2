#include "console/shell_completion.hpp"

#include <cassert>
#include <utility>
#include <vector>

#include "console/command_table.hpp"

namespace chatd::console {
namespace {

using Kind = Parameter::Kind;

// Ids alone, which no client chooses: what a shell inserts must not be anybody's text.
constexpr std::string_view kBash =
    R"SH(# Completion of chatctl for bash. Made by: chatctl completion bash
_chatctl_sessions() {
    timeout 2 chatctl "$@" --json list </dev/null 2>/dev/null |
        sed -n 's/.*"session":\([0-9][0-9]*\).*/\1/p'
}

_chatctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command='' position=0 i=1 words=''
    local -a socket=()
    COMPREPLY=()
    # Bash takes the sign of --color=always for a word of its own.
    if [[ $word == '=' ]]; then
        word=''
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    case $before in
        @FILES@) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
@VALUES@    esac
    while ((i < COMP_CWORD)); do
        case ${COMP_WORDS[i]} in
            --socket)
                ((++i))
                [[ ${COMP_WORDS[i]} == '=' ]] && ((++i))
                socket=(--socket "${COMP_WORDS[i]}")
                ;;
            @TAKING@)
                ((++i))
                [[ ${COMP_WORDS[i]} == '=' ]] && ((++i))
                ;;
            -*) ;;
            *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else ((++position)); fi ;;
        esac
        ((++i))
    done
    if [[ $before == @SESSION_OPTION@ ]]; then
        words=$(_chatctl_sessions "${socket[@]}")
    elif [[ $word == -* ]]; then
        words='@OPTIONS@'
        case $command in
@COMMAND_OPTIONS@        esac
    elif [[ -z $command ]]; then
        words='@COMMANDS@'
    else
        case $command:$position in
@ARGUMENTS@        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _chatctl chatctl
)SH";

constexpr std::string_view kZsh = R"SH(#compdef chatctl
# Completion of chatctl for zsh. Made by: chatctl completion zsh
_chatctl_sessions() {
    local -a ids
    ids=(${(f)"$(timeout 2 chatctl $socket --json list </dev/null 2>/dev/null |
        sed -n 's/.*"session":\([0-9][0-9]*\).*/\1/p')"})
    ids+=($@)
    compadd -a ids
}

_chatctl_commands() {
    local -a commands
    commands=(
@COMMANDS@    )
    _describe -t commands 'command' commands
}

_chatctl() {
    local curcontext=$curcontext state line
    local -a socket
    typeset -A opt_args
    _arguments -C \
@OPTIONS@        '1:command:_chatctl_commands' \
        '*::argument:->argument' && return
    [[ $state == argument ]] || return 1
    (( ${+opt_args[--socket]} )) && socket=(--socket ${(Q)opt_args[--socket]})
    case $words[1] in
@ARGUMENTS@    esac
}

if [[ $funcstack[1] == _chatctl ]]; then _chatctl "$@"; else compdef _chatctl chatctl; fi
)SH";

constexpr std::string_view kFish =
    R"SH(# Completion of chatctl for fish. Made by: chatctl completion fish
function __chatctl_words
    set -l words (commandline -opc)
    set -l skip 0
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word --socket @TAKING@
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether the word to come is the first one after that command.
function __chatctl_first_of
    set -l words (__chatctl_words)
    test (count $words) -eq 1; and contains -- $words[1] $argv
end

function __chatctl_command_is
    set -l words (__chatctl_words)
    test (count $words) -ge 1; and contains -- $words[1] $argv
end

function __chatctl_sessions
    set -l words (commandline -opc)
    set -l socket
    if set -l at (contains -i -- --socket $words)
        set socket --socket $words[(math $at + 1)]
    end
    timeout 2 chatctl $socket --json list </dev/null 2>/dev/null |
        string replace -rf '.*"session":(\d+).*' '$1'
end

complete -c chatctl -f
@OPTIONS@@COMMANDS@@ARGUMENTS@)SH";

std::string filled(std::string_view script,
                   const std::vector<std::pair<std::string_view, std::string>>& parts) {
  std::string out{script};
  for (const auto& [name, text] : parts) {
    const std::size_t at = out.find(name);
    assert(at != std::string::npos);
    out.replace(at, name.size(), text);
  }
  return out;
}

std::string spaced(std::string_view list) {
  std::string out;
  for (const std::string_view each : choices_of(list)) {
    out.append(out.empty() ? "" : " ").append(each);
  }
  return out;
}

bool has_choices(const OptionSpec& option) {
  return option.value.find('|') != std::string_view::npos;
}

std::string scripted_commands() {
  std::string words;
  for (const CommandSpec& spec : commands()) {
    if (spec.scripted()) words.append(words.empty() ? "" : " ").append(spec.word);
  }
  return words;
}

// What the first word after a command can be.
struct First {
  bool sessions = false;
  std::string words;
};

First first_of(const CommandSpec& spec) {
  if (spec.verb == Verb::kHelp) return {false, scripted_commands()};
  const Parameter& first = spec.parameters.front();
  switch (first.kind) {
    case Kind::kSession:
    case Kind::kTargets:
    case Kind::kFocusSession:
    case Kind::kPerhapsSession:
      return {true, {}};
    case Kind::kReceiver:
    case Kind::kScope:
      return {true, "all"};
    case Kind::kShell:
      return {false, spaced(first.noun)};
    default:
      return {};
  }
}

// Every option that takes the next word as its value, except --socket.
std::string taking(std::string_view separator) {
  std::string out;
  const auto add = [&](std::string_view word) {
    out.append(out.empty() ? "" : separator).append(word);
  };
  for (const OptionSpec& option : options()) {
    if (!option.value.empty() && option.word != "--socket") add(option.word);
  }
  for (const CommandSpec& spec : commands()) {
    for (const Parameter& each : spec.parameters) {
      if (each.takes_value()) add(each.noun);
    }
  }
  return out;
}

// Every option whose value is a file.
std::string with_files(std::string_view separator) {
  std::string out = "--socket";
  for (const CommandSpec& spec : commands()) {
    for (const Parameter& each : spec.parameters) {
      if (each.kind == Kind::kFileOption) out.append(separator).append(each.noun);
    }
  }
  return out;
}

// The option whose value is a session; there is one.
std::string_view session_option() {
  for (const CommandSpec& spec : commands()) {
    for (const Parameter& each : spec.parameters) {
      if (each.kind == Kind::kSessionOption) return each.noun;
    }
  }
  return {};
}

std::string bash() {
  std::string values;
  std::string all_options;
  for (const OptionSpec& option : options()) {
    all_options.append(all_options.empty() ? "" : " ").append(option.word);
    if (option.value.empty() || option.word == "--socket") continue;
    values += "        " + std::string{option.word} + ") ";
    if (has_choices(option)) {
      values +=
          "mapfile -t COMPREPLY < <(compgen -W '" + spaced(option.value) + "' -- \"$word\"); ";
    }
    values += "return ;;\n";
  }
  std::string command_options;
  std::string arguments;
  for (const CommandSpec& spec : commands()) {
    if (!spec.scripted()) continue;
    const First first = first_of(spec);
    if (first.sessions || !first.words.empty()) {
      arguments += "            " + std::string{spec.word} + ":0) words='" + first.words + "'";
      if (first.sessions) arguments += "\" $(_chatctl_sessions \"${socket[@]}\")\"";
      arguments += " ;;\n";
    }
    for (const Parameter& each : spec.parameters) {
      if (!each.is_option()) continue;
      command_options += "            " + std::string{spec.word} + ") words+=' " +
                         std::string{each.noun} + "' ;;\n";
    }
  }
  return filled(kBash, {{"@FILES@", with_files("|")},
                        {"@VALUES@", values},
                        {"@TAKING@", taking("|")},
                        {"@SESSION_OPTION@", std::string{session_option()}},
                        {"@OPTIONS@", all_options},
                        {"@COMMAND_OPTIONS@", command_options},
                        {"@COMMANDS@", scripted_commands()},
                        {"@ARGUMENTS@", arguments}});
}

// For inside single quotes, where colons and brackets mean something to _describe and
// _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == ':' || c == '[' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh() {
  std::string all_options;
  for (const OptionSpec& option : options()) {
    all_options += "        '";
    if (!option.letter.empty()) {
      all_options += "(" + std::string{option.letter} + " " + std::string{option.word} + ")'{" +
                     std::string{option.letter} + "," + std::string{option.word} + "}'";
    } else {
      all_options += option.word;
    }
    all_options += "[" + zsh_text(option.help) + "]";
    if (option.word == "--socket") {
      all_options += ":socket:_files";
    } else if (has_choices(option)) {
      all_options += ":choice:(" + spaced(option.value) + ")";
    } else if (!option.value.empty()) {
      all_options += ":value: ";
    }
    all_options += "' \\\n";
  }
  std::string names;
  std::string arguments;
  for (const CommandSpec& spec : commands()) {
    if (!spec.scripted()) continue;
    names += "        '" + std::string{spec.word} + ":" + zsh_text(spec.help) + "'\n";
    std::string forms;
    for (const Parameter& each : spec.parameters) {
      if (!each.is_option()) continue;
      forms += " '" + std::string{each.noun};
      if (each.kind == Kind::kSessionOption) forms += ":session: _chatctl_sessions";
      if (each.kind == Kind::kFileOption) forms += ":file:_files";
      forms += each.kind == Kind::kNumberOption ? ":number: '" : "'";
    }
    const First first = first_of(spec);
    if (first.sessions) {
      forms +=
          " '1:session: _chatctl_sessions" + (first.words.empty() ? "" : " " + first.words) + "'";
    } else if (!first.words.empty()) {
      forms += " '1:word:(" + first.words + ")'";
    }
    if (!forms.empty()) {
      arguments += "        " + std::string{spec.word} + ") _arguments" + forms + " ;;\n";
    }
  }
  return filled(kZsh,
                {{"@COMMANDS@", names}, {"@OPTIONS@", all_options}, {"@ARGUMENTS@", arguments}});
}

std::string fish_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string_view value_of(Kind kind) {
  if (kind == Kind::kFileOption) return " -r -F";
  return kind == Kind::kFlag ? "" : " -x";
}

std::string fish() {
  std::string all_options;
  for (const OptionSpec& option : options()) {
    all_options += "complete -c chatctl -l " + std::string{option.word.substr(2)};
    if (!option.letter.empty()) all_options += " -s " + std::string{option.letter.substr(1)};
    if (option.word == "--socket") {
      all_options += " -r -F";
    } else if (has_choices(option)) {
      all_options += " -x -a " + fish_text(spaced(option.value));
    } else if (!option.value.empty()) {
      all_options += " -x";
    }
    all_options += " -d " + fish_text(option.help) + "\n";
  }
  std::string names;
  std::string arguments;
  for (const CommandSpec& spec : commands()) {
    if (!spec.scripted()) continue;
    const std::string word{spec.word};
    names += "complete -c chatctl -n 'test -z \"$(__chatctl_words)\"' -a " + word + " -d " +
             fish_text(spec.help) + "\n";
    const First first = first_of(spec);
    const std::string here = "complete -c chatctl -n '__chatctl_first_of " + word + "' -a ";
    if (first.sessions) arguments += here + "'(__chatctl_sessions)' -d session\n";
    if (!first.words.empty()) arguments += here + fish_text(first.words) + "\n";
    for (const Parameter& each : spec.parameters) {
      if (!each.is_option()) continue;
      arguments += "complete -c chatctl -n '__chatctl_command_is " + word + "' -l " +
                   std::string{each.noun.substr(2)} + std::string{value_of(each.kind)} +
                   (each.kind == Kind::kSessionOption ? " -a '(__chatctl_sessions)'\n" : "\n");
    }
  }
  return filled(kFish, {{"@TAKING@", taking(" ")},
                        {"@OPTIONS@", all_options},
                        {"@COMMANDS@", names},
                        {"@ARGUMENTS@", arguments}});
}

}  // namespace

std::string shell_completion(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  assert(shell == "fish");
  return fish();
}

}  // namespace chatd::console
