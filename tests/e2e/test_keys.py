"""No key does harm: whatever a terminal sends, what is typed after it arrives where it was
meant to, or nothing is sent. The keys are typed at a person's speed, in a pty; the clients
and another operator's events tell what arrived."""

import concurrent.futures
import os
import signal
import subprocess
import time

import pexpect
import pytest

from harness import CHATCTL, GUARD, Daemon, Home, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, Desk, chatctl, connected

ESC = "\x1b"
PAUSE = 0.13
"""Between a key and what a person types after it: longer than Esc waits."""

READING = 0.6
"""After the question whether the daemon is to end: sooner nobody can have read it."""

TYPISTS = 6


def function_keys():
    """F1 to F20 as xterm, the Linux console and rxvt send them, plain and with modifiers."""
    keys = [f"{ESC}O{c}" for c in "PQRS"] + [f"{ESC}[[{c}" for c in "ABCDE"]
    numbers = [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34]
    for number in numbers:
        keys += [f"{ESC}[{number}{end}" for end in "~^$@"]
    for modifier in (2, 3, 5, 8):
        keys += [f"{ESC}[1;{modifier}{c}" for c in "PQRS"]
        keys += [f"{ESC}[{number};{modifier}~" for number in (15, 24)]
        keys += [f"{ESC}O{modifier}P"]
    return keys


OTHER_KEYS = [
    # the keypad, Insert, Page-Up, Page-Down, Back-Tab, arrows and more with modifiers
    *(f"{ESC}O{c}" for c in "jklmnopqrstuvwxyMabcd"),
    *(f"{ESC}[{n}{end}" for n in (2, 5, 6) for end in ("~", ";5~", "^", "$")),
    *(f"{ESC}[1;{m}{c}" for m in (2, 3, 4, 6, 7) for c in "CDHF"),
    *(f"{ESC}[{c}" for c in "ZabcdEG"),
    *(f"{ESC}[3;{m}~" for m in (2, 3)),
    f"{ESC}{ESC}[C",
    f"{ESC}{ESC}OC",
    # focus, mice
    f"{ESC}[I",
    f"{ESC}[O",
    f"{ESC}[M !!",
    f"{ESC}[<0;12;7M",
    f"{ESC}[<0;12;7m",
    f"{ESC}[32;12;7M",
    # answers to queries: attributes, the cursor's place, colours, the clipboard, versions
    f"{ESC}[?64;1;2c",
    f"{ESC}[>41;354;0c",
    f"{ESC}[24;80R",
    f"{ESC}[?2026;2$y",
    f"{ESC}[?1u",
    f"{ESC}[8;24;80t",
    f"{ESC}]11;rgb:ffff/ffff/ffff\x07",
    f"{ESC}]52;c;aGVsbG8=\x07",
    f"{ESC}P>|XTerm(379){ESC}\\",
    f"{ESC}P1+r544e=787465726d{ESC}\\",
    f"{ESC}_Gi=31;OK{ESC}\\",
    f"{ESC}^private{ESC}\\",
    # keys by their number
    f"{ESC}[97;5u",
    f"{ESC}[99;6u",
    f"{ESC}[9;2u",
    f"{ESC}[97;9u",
    f"{ESC}[57376u",
    f"{ESC}[27;6;99~",
    # halves, which lapse
    ESC,
    ESC + ESC,
    f"{ESC}[",
    f"{ESC}[1;",
    f"{ESC}O",
    f"{ESC}]0;half a title",
    f"{ESC}P1$r",
    # control keys of readline that would do harm: two that begin commands, vi's, ...
    *"\x0f\x11\x16\x18\x1d\x1e\x00",
]

ALT_KEYS = [ESC + chr(c) for c in range(0x20, 0x7F)] + [
    ESC + c for c in "\x00\x03\x04\x07\x09\x0c\x12\x19\x1a\x1c\x1d\x7fäß你"
]
JUMPS = {ESC + c for c in "aA123456789oO"}


@pytest.fixture
def table():
    """chatctl with a focus, two clients, and an operator who hears all."""
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator(name="witness")
        desk = chatctl(daemon)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        focus(desk, 1)
        yield desk, daemon, operator, first, second
        desk.text()
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


def focus(desk, session):
    desk.enter(f"/focus {session}")
    wait_until(lambda: desk.current().startswith(f"[{session}]"), "the focus")


def type_after_each(desk, keys):
    """Each key, a pause, and one of a text, an `@` line and a command, in turn. Returns what
    that has to send."""
    expected = []
    for i, key in enumerate(keys):
        desk.type(key)
        time.sleep(PAUSE)
        if i % 3 == 0:
            desk.enter(f"all right {i}")
            expected.append((1, f"all right {i}"))
        elif i % 3 == 1:
            desk.enter(f"@2 a hint {i}")
            expected.append((2, f"a hint {i}"))
        else:
            desk.enter("/bans")
    desk.enter("@2 that was all")
    return [*expected, (2, "that was all")]


def test_what_is_typed_after_a_key_arrives_where_it_was_meant_to():
    keys = [key for key in function_keys() + OTHER_KEYS + ALT_KEYS if key not in JUMPS]
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator(name="witness")
        first, _ = speaking(daemon, operator)
        second, _ = speaking(daemon, operator)
        desks = [chatctl(daemon, "--name", f"hand-{i}", columns=200) for i in range(TYPISTS)]
        for desk in desks:
            focus(desk, 1)
        with concurrent.futures.ThreadPoolExecutor(TYPISTS) as typists:
            meant = list(
                typists.map(
                    lambda i: type_after_each(desks[i], keys[i::TYPISTS]), range(TYPISTS)
                )
            )
        sent = {f"hand-{i}": [] for i in range(TYPISTS)}
        while any((2, "that was all") not in each for each in sent.values()):
            event = operator.wait_event("sent")
            sent[event["operator"]].append((event["session"], event["text"]))
        for i, desk in enumerate(desks):
            assert sent[f"hand-{i}"] == meant[i], [keys[i::TYPISTS]]
            # Every command was one, too.
            assert "nothing is called" not in desk.text() and "did you mean" not in desk.text()
            desk.type("\x03")
        for desk in desks:
            assert desk.wait_end() == 0
        first.close()
        second.close()


def test_esc_then_a_word_that_begins_like_a_key_of_ours(table):
    desk, _, _, first, second = table
    desk.type(ESC)
    time.sleep(3 * PAUSE)
    desk.enter("all right, the code is 4711")
    first.expect(b"all right, the code is 4711\n")
    desk.type(ESC)
    time.sleep(3 * PAUSE)
    desk.enter("@2 hello")
    second.expect(b"hello\n")


def test_alt_enter_and_ctrl_j_are_new_lines(table):
    desk, _, _, first, _ = table
    desk.type(f"one{ESC}\rtwo\nthree{ESC}[13;2ufour")
    desk.enter()
    first.expect(b"one\ntwo\nthree\nfour\n")
    desk.enter("still emacs\x01> ")
    first.expect(b"> still emacs\n")


def test_ctrl_c_clears_the_line_which_can_be_recalled(table):
    desk, _, _, first, _ = table
    desk.type("half a thought")
    wait_until(lambda: desk.current().endswith("half a thought"), "it is typed")
    desk.type("\x03")
    wait_until(lambda: desk.current().startswith("[1]") and desk.current().endswith("> "), "clear")
    desk.enter(f"{ESC}[A, and the rest")
    first.expect(b"half a thought, and the rest\n")
    # What was typed before an earlier line was recalled and sent is not lost either.
    desk.enter(f"a second thought{ESC}[A!")
    first.expect(b"half a thought, and the rest!\n")
    desk.enter(f"{ESC}[A{ESC}[A?")
    first.expect(b"a second thought?\n")
    # A search that is broken off gives the line back.
    desk.type("a third\x12half")
    desk.wait(r"reverse-i-search\)`half'")
    desk.type("\x03")
    wait_until(lambda: desk.current().endswith("> a third"), "the line is back")
    desk.enter()
    first.expect(b"a third\n")


def test_a_paste_that_breaks_off_is_never_run_line_by_line(table):
    desk, _, operator, first, _ = table
    desk.type(f"{ESC}[200~first\r/kick 2\r@2 third\r")
    wait_until(lambda: "@2 third" in desk.text(last=8), "it lapses")
    desk.type("late\r/quit\r")
    wait_until(lambda: "/quit" in desk.text(last=8), "the rest")
    time.sleep(PAUSE)  # a person is not as fast as a terminal
    desk.type("!")
    time.sleep(PAUSE)
    desk.enter()
    first.expect(b"first\n/kick 2\n@2 third\nlate\n/quit\n!\n")
    assert [each["session"] for each in operator.call("sessions")] == [1, 2]


@pytest.mark.parametrize("mode", ["vi", "emacs"])
def test_an_inputrc_cannot_take_our_keys_or_lose_a_line(mode, tmp_path):
    inputrc = tmp_path / "inputrc"
    inputrc.write_text(
        f"set editing-mode {mode}\n"
        "set enable-bracketed-paste off\n"
        '"\\C-a": accept-line\n'
        '"\\e[15~": "/quit\\n"\n'
        '"\\C-x\\C-e": edit-and-execute-command\n'
        '"\\C-t": insert-comment\n'
        '"\\C-g": revert-line\n'
        '"\\t": accept-line\n'
        '"\\C-m": revert-line\n'
    )
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, env={"INPUTRC": str(inputrc), "EDITOR": "/bin/false"})
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        desk.type(f"{ESC}1")
        wait_until(lambda: desk.current().startswith("[1]"), "Alt-1")
        desk.type(f"{ESC}[15~\x18\x05a line\x14\x07")
        desk.enter()
        first.expect(b"a line\n")
        desk.type(f"{ESC}2")
        wait_until(lambda: desk.current().startswith("[2]"), "Alt-2")
        desk.type(f"one{ESC}\rtwo{ESC}[200~\rthree{ESC}[201~")
        desk.enter()
        second.expect(b"one\ntwo\nthree\n")
        if mode == "vi":
            desk.type("ax cut")
            desk.type(ESC)
            time.sleep(PAUSE)
            desk.type("v#0x")  # neither an editor nor a comment; and in the command mode
            wait_until(lambda: desk.current().endswith("> x cut"), "Esc is the command mode")
            desk.type(f"{ESC}1")
            wait_until(lambda: desk.current().startswith("[1]"), "Alt-1 in the command mode")
            desk.type(f"{ESC}2")
            wait_until(lambda: desk.current().startswith("[2]"), "Alt-2 in the command mode")
            desk.type("\x03")
            wait_until(lambda: desk.current().endswith("> "), "Ctrl-C in the command mode")
        first.send(b"unread\n")
        desk.wait(r"^\[1\] unread$")
        desk.type(f"{ESC}a")
        wait_until(lambda: desk.current().startswith("[1]"), "Alt-a")
        desk.type("/sta\t")
        wait_until(lambda: desk.current().endswith("/stats "), "Tab")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


# --- the daemon's own console ---


@pytest.fixture
def own():
    env = {"TERM": "xterm", "LANG": "C.UTF-8"}
    with Daemon(CONSOLE_CONFIG, console=None, terminal=True, env=env) as daemon:
        desk = Desk(daemon.terminal)
        desk.wait(r"^\* operator .*/help")
        yield desk, daemon
        desk.text()


@pytest.mark.parametrize("key", ["\x03", "\x04", "/quit\r"], ids=["Ctrl-C", "Ctrl-D", "/quit"])
def test_the_daemon_ends_only_if_that_is_wished_twice(own, key):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type("half a line")
    wait_until(lambda: desk.current().endswith("half a line"), "it is typed")
    desk.type("\x03")
    desk.wait_line("[1] > ")
    desk.type(key)
    desk.wait(r"^\* 1 client is connected, and this stops the daemon")
    if not key.startswith("/"):
        desk.type("x\x7f" + key)  # any other key withdraws it
        wait_until(lambda: desk.text().count("this stops the daemon") == 2, "it asks again")
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    time.sleep(READING)
    desk.type(key)
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


@pytest.mark.parametrize("keys", ["\x03\x03\x03", "\x04\x04\x04", "/quit\r/quit\r"])
def test_the_daemon_does_not_end_before_the_question_could_be_read(own, keys):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type(keys)
    desk.wait(r"^\* 1 client is connected, and this stops the daemon")
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    time.sleep(READING)
    desk.type("/quit\r" if keys.startswith("/") else "\x03")
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


def test_without_clients_the_daemon_ends_at_once(own):
    desk, _ = own
    desk.type("\x03")
    assert desk.wait_end() == 0


def test_keys_and_signals_that_stop_programs_do_not_stop_the_daemon(own):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type("\x1a")
    desk.wait(r"Ctrl-Z would stop every client")
    desk.type("\x1c")
    desk.wait(r"Ctrl-\\ ends nothing here")
    for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        os.kill(daemon.pid, number)
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    os.kill(daemon.pid, signal.SIGQUIT)
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


def test_a_terminal_that_hangs_up_ends_no_service(own):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    operator = daemon.operator(name="witness")
    desk.reading.clear()
    client.send(b"something\n")
    wait_until(desk.parked.is_set, "nobody reads the terminal any more")
    nowhere = os.open("/dev/null", os.O_RDWR)
    os.dup2(nowhere, desk.child.child_fd)  # which closes the terminal
    os.close(nowhere)
    operator.wait_event("operator", state="detached")
    client.send(b"still served\n")
    operator.wait_event("message", text="still served")
    daemon.send_signal(signal.SIGTERM)
    client.expect_end()
    client.close()


# --- a daemon that goes away ---


def test_chatctl_waits_for_its_daemon_with_the_line_in_hand():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon)
        client, _ = connected(desk, first_daemon)
        desk.type("half a li")
        wait_until(lambda: desk.current().endswith("half a li"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        desk.type("ne")
        desk.enter()
        desk.wait(r"not sent: the daemon is not there")
        wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
        client.close()
        with Daemon(home=home) as daemon:
            desk.wait(r"^\* attached again$")
            wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
            assert desk.text().count("waiting for it") == 1
            again = daemon.client()
            again.send(b"hello again\n")
            desk.wait(r"^\[\d+\]\|? hello again$")
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
            again.close()
    finally:
        home.remove()


def test_chatctl_stays_where_it_is_refused_when_it_comes_back():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon)
        desk.type("half a line")
        wait_until(lambda: desk.current().endswith("half a line"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        os.kill(desk.child.pid, signal.SIGSTOP)  # so that somebody else comes first
        with Daemon(CONSOLE_CONFIG | {"control": {"max_operators": 1}}, home=home) as daemon:
            other = daemon.operator(name="other")
            os.kill(desk.child.pid, signal.SIGCONT)
            desk.wait(r"^\* not attached again: ")
            wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
            other.close()
            desk.wait(r"^\* attached again$")
            assert desk.text().count("not attached again") == 1
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
    finally:
        home.remove()


def test_a_line_for_all_that_was_begun_before_the_daemon_came_back_waits():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon, columns=200)
        client, _ = connected(desk, first_daemon)
        desk.type("/all a secret")
        wait_until(lambda: desk.current().endswith("a secret"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        client.close()
        with Daemon(home=home) as daemon:
            desk.wait(r"^\* attached again$")
            other = daemon.client()
            other.send(b"somebody else\n")
            desk.wait(r"^\[\d+\]\|? somebody else$")
            desk.enter()
            desk.wait("not done yet: this line was begun before the daemon was attached again")
            wait_until(lambda: desk.current().endswith("> /all a secret"), "the line is kept")
            other.expect_silence(0.1)
            desk.enter()
            other.expect(b"a secret\n")
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
            other.close()
    finally:
        home.remove()


# --- the terminal ---


def test_a_shell_gets_its_terminal_back_from_ctrl_z_and_ctrl_backslash():
    with Daemon(CONSOLE_CONFIG) as daemon:
        shell = pexpect.spawn(
            "/bin/bash",
            ["--norc", "--noprofile", "--noediting", "-i"],
            env=daemon.env | {"TERM": "xterm", "PS1": "shell> "},
            encoding="utf-8",
            timeout=GUARD,
        )
        attributes = lambda: subprocess.run(  # noqa: E731
            ["stty", "-g"], stdin=shell.child_fd, capture_output=True, check=True
        ).stdout
        shell.expect("shell> ")
        before = attributes()
        shell.sendline(f"ulimit -c 0; {CHATCTL} --socket {daemon.control_path}")
        shell.expect("/help")
        shell.send("half a l")
        shell.expect("half a l")
        shell.send("\x1a")
        shell.expect("Stopped.*shell> ")
        assert attributes() == before
        shell.sendline("fg")
        shell.expect("half a l")
        shell.send("ine")
        shell.expect("ine")
        shell.send("\x1c")
        shell.expect("Quit.*shell> ")
        assert attributes() == before
        shell.sendline("echo $?.")
        shell.expect(r"131\.")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        shell.close()


def test_a_dumb_terminal_gets_no_escape_sequence():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, env={"TERM": "dumb"})
        desk.enter("/bans")
        desk.wait(r"no address is banned")
        desk.type("\x03")
        assert desk.wait_end() == 0
        assert ESC not in desk.raw


def test_what_was_put_away_for_a_client_is_kept_between_runs():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        desk.type(f"a draft for one{ESC}2")
        desk.wait_line("[2] > ")
        os.kill(desk.child.pid, signal.SIGTERM)
        desk.wait_end()
        desk = chatctl(daemon)
        focus(desk, 1)
        desk.type(f"{ESC}[A{ESC}[A")
        wait_until(lambda: desk.current().endswith("a draft for one"), "it is recalled")
        desk.enter()
        first.expect(b"a draft for one\n")
        desk.type("\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


def test_lines_are_kept_between_runs():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon)
        client, _ = connected(desk, daemon)
        desk.enter("two\nlines \\n")
        client.expect(b"two\nlines \\n\n")
        desk.type("never sent")
        wait_until(lambda: desk.current().endswith("never sent"), "it is typed")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        kept = daemon.home.path / "chatd" / "lines"
        assert kept.stat().st_mode & 0o777 == 0o600
        desk = chatctl(daemon)
        focus(desk, 1)
        desk.enter(f"{ESC}[A{ESC}[A, now")
        client.expect(b"never sent, now\n")
        desk.enter("\x12two")
        client.expect(b"two\nlines \\n\n")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        client.close()

