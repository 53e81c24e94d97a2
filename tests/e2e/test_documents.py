"""The documents beside the programs: the manual pages have every command, option and key
of the tables that the programs work by, the shells complete what there is, and the rooms of
the daemon know each other as daemon/CMakeLists.txt says."""

import os
import re
import subprocess
from pathlib import Path

import pexpect
import pytest

from harness import CHATCTL, GUARD, REPOSITORY, Daemon, run_chatd

BUILD = Path(CHATCTL).parents[1]


def rendered(page):
    """The page as people read it, with each paragraph in one long line. Asserts that nothing is
    wrong with it."""
    done = subprocess.run(
        ["man", "--warnings", "--encoding=UTF-8", "--no-hyphenation", "--local-file", str(page)],
        env=os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MANROFFSEQ": ""},
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def usages(help_text, heading):
    """The left column below that heading, as far as the next blank line."""
    block = help_text.split(heading + ":\n")[1].split("\n\n")[0]
    return [re.split(r"  +", line.strip())[0] for line in block.splitlines() if line[2] != " "]


def chatctl_help():
    return subprocess.run([CHATCTL, "--help"], capture_output=True, text=True).stdout


def test_the_page_of_chatctl_has_every_command_and_option():
    page = rendered(BUILD / "man" / "chatctl.1")
    help_text = chatctl_help()
    commands = usages(help_text, "Commands")
    assert len(commands) > 15 and "ban ADDRESS[/BITS] [DURATION] [--now]" in commands
    for usage in commands:
        assert re.search(rf"^ +{re.escape(usage)}$", page, re.MULTILINE), usage
    for usage in usages(help_text, "Options"):
        for name in re.findall(r"--?\w+", usage):
            assert re.search(rf"^ +.*{name}\b", page, re.MULTILINE), usage


def test_the_page_of_chatctl_has_all_that_can_be_typed():
    page = rendered(BUILD / "man" / "chatctl.1")
    with Daemon() as daemon:
        typed = daemon.chatctl(input="/help all\n").stdout
    forms = [re.split(r"  +", line.strip())[0] for line in typed.splitlines()]
    assert len(forms) > 20 and "/ban ADDRESS[/BITS] [DURATION] [--now]" in forms
    for form in forms:
        for part in form.split(" .. "):
            assert part in page, form


def test_the_page_of_chatd_has_every_option():
    page = rendered(BUILD / "man" / "chatd.8")
    text = run_chatd("--help").stdout
    options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE)
    assert len(options) >= 8
    for option in options:
        assert re.search(rf"^ +(-\w, )?{option}\b", page, re.MULTILINE), option


def test_the_page_of_the_configuration_has_every_key_with_its_default():
    page = rendered(BUILD / "man" / "chatd.toml.5")
    printed = run_chatd("--print-config", env={"CHATD_CONFIG": "/dev/null"}).stdout
    keys = re.findall(r"^(\w+) = ", printed, re.MULTILINE)
    assert len(keys) > 25
    for key in keys:
        assert re.search(rf"^ +{key} = \S", page, re.MULTILINE), key


def bash_words(line, env):
    """What bash would offer for the last word of the line."""
    script = f"""
        . {BUILD}/completions/bash/chatctl
        read -r -a COMP_WORDS <<<"$1"
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _chatctl
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line],
        env=env,
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def fish_words(line, env):
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source $argv[1]; complete -C $argv[2]"]
        + [str(BUILD / "completions" / "fish" / "chatctl.fish"), line],
        env=env,
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert done.stderr == "", done.stderr
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def two_sessions():
    """Two sessions, of which one has a name that a shell must not read; and an
    environment in which chatctl finds their daemon."""
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as one, daemon.client() as two:
            first = operator.session_of(one)
            operator.session_of(two)
            operator.call("name", session=first, name='$(kill $$) "session":99')
            yield daemon.env | {
                "CHATD_SOCKET": str(daemon.control_path),
                "PATH": f"{Path(CHATCTL).parent}:{os.environ['PATH']}",
            }


def test_bash_completes_the_value_behind_an_equals_sign(two_sessions):
    def offered(line):
        return sorted(bash_words(line, two_sessions))

    # Bash makes three words of --color=a.
    assert offered("chatctl --color =") == ["always", "auto", "never"]
    assert offered("chatctl --color = a") == ["always", "auto"]
    assert offered("chatctl --color = never bye ") == ["1", "2"]
    socket = two_sessions["CHATD_SOCKET"]
    elsewhere = two_sessions | {"CHATD_SOCKET": "/nowhere"}
    assert sorted(bash_words(f"chatctl --socket = {socket} bye ", elsewhere)) == ["1", "2"]


@pytest.mark.parametrize("words", [bash_words, fish_words])
def test_the_shells_complete_commands_options_and_ids(two_sessions, words):
    def offered(line):
        return sorted(words(line, two_sessions))

    assert offered("chatctl re") == ["release", "reload"]
    every = {usage.split()[0] for usage in usages(chatctl_help(), "Commands")}
    assert every <= set(offered("chatctl "))
    assert offered("chatctl bye ") == ["1", "2"]
    assert offered("chatctl --json kick ") == ["1", "2"]
    assert offered("chatctl --name x kick ") == ["1", "2"]
    assert offered("chatctl send ") == ["1", "2", "all"]
    assert offered("chatctl send a") == ["all"]
    assert offered("chatctl history ") == ["1", "2", "all"]
    assert offered("chatctl kick 1 ") == []
    assert offered("chatctl completion ") == ["bash", "fish", "zsh"]
    assert offered("chatctl --color ") == ["always", "auto", "never"]
    assert "--now" in offered("chatctl ban --")
    assert "--force" in offered("chatctl claim --")
    assert "--force" not in offered("chatctl bye --")
    assert "--since" in offered("chatctl tail --s")
    assert "--ca" in offered("chatctl talk --c")
    assert "--ca" not in offered("chatctl tail --c")
    assert offered(f"chatctl talk --ca {REPOSITORY}/READ") == [f"{REPOSITORY}/README.md"]
    assert offered("chatctl search --client ") == ["1", "2"]
    assert offered("chatctl search --client 1 ") == []
    assert offered("chatctl ask ") == ["1", "2"]
    assert offered("chatctl help bye") == ["bye"]
    assert "--timeout" in offered("chatctl --t")
    socket = two_sessions["CHATD_SOCKET"]
    elsewhere = two_sessions | {"CHATD_SOCKET": "/nowhere"}
    assert words(f"chatctl --socket {socket} bye ", elsewhere) in (["1", "2"], ["2", "1"])
    assert words("chatctl bye ", elsewhere) == []


def test_zsh_completes_commands_options_and_ids(two_sessions):
    shell = pexpect.spawn(
        "zsh",
        ["-f", "-i"],
        env=two_sessions | {"TERM": "dumb", "PS1": "> "},
        encoding="utf-8",
        timeout=GUARD,
        dimensions=(50, 200),
    )

    def offers(line, *patterns):
        """Zsh lists only while nothing more is being typed."""
        shell.send(line + "\t")
        for pattern in patterns:
            shell.expect(pattern)
        shell.send("\x15echo he''re\r")
        shell.expect("\nhere")

    shell.sendline("PROMPT_EOL_MARK=''; unsetopt prompt_cr prompt_sp; setopt no_beep list_ambiguous")
    shell.sendline(f"fpath=({BUILD}/completions/zsh $fpath)")
    shell.sendline("autoload -Uz compinit && compinit -D -u && echo rea''dy")
    shell.expect("ready")
    offers("chatctl rele", "chatctl release ")
    offers("chatctl rel", "\nrelease +-- ", "\nreload +-- ")
    offers("chatctl send ", r"\n1 +2 +all")
    offers("chatctl send a", "chatctl send all ")
    offers("chatctl claim --f", "chatctl claim --force ")
    offers("chatctl search --client ", r"\n1 +2")
    offers("chatctl completion f", "chatctl completion fish ")
    offers("chatctl --color n", "chatctl --color never ")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    shell.wait()


def test_completion_is_printed_by_chatctl_too():
    for shell, name in ("bash", "chatctl"), ("zsh", "_chatctl"), ("fish", "chatctl.fish"):
        done = subprocess.run([CHATCTL, "completion", shell], capture_output=True, timeout=GUARD)
        assert done.returncode == 0
        assert done.stdout == (BUILD / "completions" / shell / name).read_bytes()
    done = subprocess.run([CHATCTL, "completion", "csh"], capture_output=True, timeout=GUARD)
    assert done.returncode == 2 and b"bash|zsh|fish" in done.stderr


def test_every_test_that_the_security_page_names_is_there():
    page = (REPOSITORY / "doc" / "security.md").read_text()
    named = re.findall(r"`((?:tests|bench|cmake)/[^`]+)`", page)
    assert len(named) > 50
    for name in named:
        path, _, test = name.partition("::")
        file = REPOSITORY / path.split(" ")[0]
        assert file.exists(), name
        if test:
            begin = "def " if path.endswith(".py") else 'TEST_CASE("'
            text = re.sub(r'TEST_CASE\(\s*"', 'TEST_CASE("', file.read_text())
            assert begin + test in text, name


def rooms():
    """Each room of daemon/CMakeLists.txt with the rooms that its line names."""
    text = (REPOSITORY / "daemon/CMakeLists.txt").read_text()
    found = {}
    for line in re.findall(r"^chatd_room\((.*?)\)", text, re.MULTILINE | re.DOTALL):
        room, *words = line.split()
        knows = []
        if "KNOWS" in words:
            for word in words[words.index("KNOWS") + 1 :]:
                if word in ("USES", "SHOWS"):
                    break
                knows.append(word)
        found[room] = knows
    return found


def known(room, knows):
    """What the room knows, directly or through others."""
    found = set()
    due = [room]
    while due:
        for other in knows.get(due.pop(), []):
            if other not in found:
                found.add(other)
                due.append(other)
    return found


def strangers(folder, allowed):
    """The includes of our own files in that folder that lead to none of these rooms."""
    found = []
    for file in sorted((REPOSITORY / folder).rglob("*.[ch]pp")):
        for name in re.findall(r'^ *# *include "([^"]+)"', file.read_text(), re.MULTILINE):
            if name.split("/")[0] not in allowed:
                found.append(f"{file.relative_to(REPOSITORY)}: {name}")
    return found


def test_every_folder_of_the_daemon_is_a_room_and_none_knows_itself():
    knows = rooms()
    folders = {path.name for path in (REPOSITORY / "daemon").iterdir() if path.is_dir()}
    assert set(knows) == folders and len(folders) > 10
    for room in knows:
        assert room not in known(room, knows), f"{room} is in a circle"
        assert known(room, knows) <= folders | {"console"}, room


def test_every_room_includes_only_what_its_line_says_that_it_knows():
    knows = rooms() | {"console": ["base", "io", "tls"]}
    for room in rooms():
        assert strangers(f"daemon/{room}", known(room, knows) | {room}) == []


def test_the_console_includes_nothing_of_the_daemon_but_base_and_io_and_for_talk_tls_too():
    talk = ("console/talk", "console/server_link", "console/shake_hands", "console/arguments", "console/main")
    found = strangers("console", {"console", "base", "io"})
    assert [each for each in found if not each.startswith(talk)] == []
    assert found and all(each.split(": ")[1].startswith("tls/") for each in found)
