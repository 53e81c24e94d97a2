"""Whoever pads a text to the width of a terminal writes no line of somebody else: in every view
on a terminal, what a client wrote never begins in the first column."""

import os
import pty
import re
import struct
import subprocess
import threading
import unicodedata
from contextlib import contextmanager
from fcntl import ioctl
from termios import TIOCSWINSZ

import pexpect
import pytest

from harness import CHATCTL, GUARD, Daemon, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, RULE, Desk, chatctl, leave
from harness.screen import Screen

COLUMNS = 80
FORGED = ("[7] FORGED", "[2]< root: FORGED", "* operator root FORGED", "12:00:00 [7] FORGED")
FILLINGS = {
    "blanks": " " * 400,
    "wide blanks": "\u3000" * 200,
    "no-break spaces": "\u00a0" * 400,
    "letters": "x" * 333,
    "ideographs": "\u6f22" * 201,
    "emoji": "\U0001f98a" * 201,
    "marks": "e\u0301" * 300,
    "tabs": "\t" * 31,
    "escapes": "\u200b" * 70,
}


def paddings():
    """Texts that would bring what is forged into the first column of the second row, whatever
    stands before them, and further down."""
    for forged in FORGED:
        for before in range(0, COLUMNS + 1):
            yield " " * before + forged
        yield from (filling + forged for filling in FILLINGS.values())


def assert_no_row_is_forged(text, prefix=r"\[1[^\]]*\]|\* ", least=300):
    """Each row begins with a prefix or with a blank (the screen drops blanks at the end); at least
    so many hold what is forged."""
    forged = 0
    for row in text.splitlines():
        forged += "FORGED" in row
        if row and not row.startswith(" "):
            assert re.match(prefix, row + " "), f"a client has begun the row {row!r}"
    assert forged >= least, text


@contextmanager
def padded(config=CONSOLE_CONFIG, **how):
    """A daemon that has heard all paddings of one client."""
    with Daemon(config, **how) as daemon:
        operator = daemon.operator(name="zoe")
        with daemon.client() as client:
            client.send(b"hello\n")
            operator.wait_event("message", text="hello")
            for text in paddings():
                client.send(text.encode() + b"\n")
            client.send(b"that was all\n")
            operator.wait_event("message", text="that was all")
            yield daemon, client


def one_shot(daemon, *args, columns=COLUMNS, end=None):
    """What chatctl shows in a terminal."""
    child = pexpect.spawn(
        CHATCTL,
        ["--socket", str(daemon.control_path), "--timestamps", "none", *args],
        env=daemon.env | {"TERM": "xterm", "LANG": "C.UTF-8"},
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=GUARD,
    )
    desk = Desk(child, columns)
    if end is None:
        desk.wait_end()
        return desk.text()
    desk.wait(end)
    shown = desk.text()
    child.sendintr()
    desk.wait_end()
    return shown


def test_the_console_lets_no_text_begin_a_row():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, columns=COLUMNS)
        with daemon.client() as client:
            for text in paddings():
                client.send(text.encode() + b"\n")
            client.send(b"that was all\n")
            desk.wait("that was all")
            assert_no_row_is_forged(desk.text(), r"\[1\]\|? |\[1\]\* |\* |\[1\] ")
        # The indent is that of the text, also where the prefix has a name, and for all lines.
        with daemon.client() as client:
            client.send(b"a" * 100 + b"\n")
            desk.wait(r"^\[2\]\|? a+\n +a+$")
            daemon.operator().call("name", session=2, name="anna")
            desk.wait("is now called anna")
            client.send(b"b" * 120 + b"\n")
            match = desk.wait(r"^(\[2 anna\]\|? )(b+)\n( +)(b+)$")
            prefix, first, indent, rest = match.groups()
            assert len(prefix) == len(indent) and len(prefix + first) == COLUMNS
            assert len(first + rest) == 120
        desk.type("\x05\x15\x04")
        assert desk.wait_end() == 0


def test_a_row_is_as_wide_as_the_terminal_is_when_it_is_printed():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, columns=60)
        with daemon.client() as client:
            client.send(b"c" * 100 + b"\n")
            assert len(desk.wait(r"^(\[1\]\|? c+)\n +c+$").group(1)) == 60
            desk.screen.columns = 40
            desk.child.setwinsize(24, 40)
            client.send(b"d" * 60 + b"\n")
            assert len(desk.wait(r"^(\[1\]\|? d+)\n +d+$").group(1)) == 40
        desk.type("\x05\x15\x04")
        assert desk.wait_end() == 0


NAME = "FORGED " * 4 + "x"  # of a client; longer than a row is at the narrowest

OWN_ROW = re.compile(r"(\d\d:\d\d:\d\d )?(\[[123][\] ]|\* )|── |> | |id( |$)|$")
"""What a row of ours begins with; of clients there are three."""


def cut(filling, columns):
    """So much of it that it takes that many columns, or one more."""
    width = 0
    for i, character in enumerate(filling):
        if width >= columns and not unicodedata.combining(character):
            return filling[:i]
        width += 0 if unicodedata.combining(character) else 1
        width += unicodedata.east_asian_width(character) in "WF"
    return filling


def paddings_for(columns, before):
    """Those that would bring what is forged into the first column at just that width, with so much
    before a text: from the first row, and from one that hangs under it."""
    room = columns - len(before)
    places = [rows * room + more for rows in (1, 2) for more in (-1, 0, 1)] + [columns]
    texts = [" " * place for place in places if place > 0]
    texts += [cut(filling, max(room, 1)) for filling in FILLINGS.values()]
    return [text + FORGED[i % len(FORGED)] for i, text in enumerate(texts)]


class Views:
    """A console that shows three clients in all its views; the second pads its texts, and so does
    the third, who has a long name."""

    def __init__(self, daemon, *args, **how):
        operator = daemon.operator()
        self.clients = [speaking(daemon, operator)[0] for _ in range(3)]
        operator.call("name", session=3, name=NAME)
        self.desk = chatctl(daemon, *args, **how)
        self.desk.child.delaybeforesend = None  # pexpect's own pause

    def show(self, columns):
        """Shows at that width what was said at it. Returns the rows."""
        desk = self.desk
        desk.resize(columns)
        with desk.changed:  # only what comes now is looked at
            desk.screen.forget()
            desk.raw = ""

        def rows():
            return desk.text().splitlines()

        word = f"w{columns}"
        said = 0
        for client, before in (self.clients[1], "[2] "), (self.clients[2], f"[3 {NAME}] "):
            texts = paddings_for(columns, before)
            said += len(texts)
            client.send("".join(f"{text} {word}\n" for text in texts).encode())

        def count():
            return " ".join(rows()).split().count(word)

        wait_until(lambda: count() == said, f"all of it comes at {columns}")
        for session in 2, 3:
            desk.type(f"\x1b{session}")
            wait_until(lambda: any(row.startswith(f"{RULE} [{session}") for row in rows()), "Alt")
            desk.type(f"/hi {session} 20\r")
        desk.type(f"/se {word}\r/li\r\x1b1")
        # As it comes, at the arrival, in the history, and a page of what is found.
        wait_until(lambda: count() >= 3 * said + 20, f"all views at {columns}")
        wait_until(lambda: f"{RULE} [1] {RULE}" in rows(), f"the last view at {columns}")
        assert any(re.match(r"id( |$)", row) for row in rows())
        return rows()

    def check(self, columns):
        rows = self.show(columns)
        for row in rows:
            assert OWN_ROW.match(row), f"a client has begun the row {row!r} at {columns}"
            assert not row.startswith(FORGED), f"a client has begun the row {row!r} at {columns}"
        assert sum("FORGED" in row for row in rows) > 30

    def close(self):
        leave(self.desk)
        for client in self.clients:
            client.close()


def test_no_client_begins_a_row_at_any_width():
    with Daemon(CONSOLE_CONFIG) as daemon:
        views = Views(daemon)
        for columns in range(20, 201):
            views.check(columns)
        views.close()


@pytest.mark.parametrize(
    "args, env",
    [
        ([], {"NO_COLOR": "1"}),
        ([], {"TERM": "dumb"}),
        ([], {"LANG": "C"}),
        (["--timestamps", "time"], {}),
    ],
    ids=["NO_COLOR", "dumb", "LANG=C", "times"],
)
def test_no_client_begins_a_row_in_any_terminal(args, env):
    with Daemon(CONSOLE_CONFIG) as daemon:
        views = Views(daemon, *args, env=env)
        for columns in 200, 80, 40, 20, 33:
            views.check(columns)
        views.close()


def test_the_daemons_own_console_lets_no_text_begin_a_row():
    with padded(console="on", terminal=True) as (daemon, _):
        screen = Screen(COLUMNS)
        raw = ""
        while "that was all" not in raw:
            part = daemon.terminal.read_nonblocking(65536, timeout=GUARD)
            raw += part
            screen.feed(part)
        assert_no_row_is_forged(screen.text(), r"\[1[^\]]*\]|\* |> ")


def test_one_shots_on_a_terminal_let_no_text_begin_a_row():
    with padded() as (daemon, _):
        # In JSON as well: it is a view, too.
        for words, least in (["history", "1", "1000"], 300), (["search", "FORGED"], 15):
            assert_no_row_is_forged(one_shot(daemon, *words), r"\[1\] ", least)
            assert_no_row_is_forged(one_shot(daemon, "--json", *words), r'\{"', least)
        # A pipe gets one line for each message, of any length.
        done = daemon.chatctl("--timestamps", "none", "history", "1", "1000")
        lines = done.stdout.splitlines()
        assert "[1] " + FILLINGS["blanks"] + FORGED[0] in lines
        assert "[1] " + FILLINGS["tabs"] + FORGED[0] in lines


def test_an_answer_on_a_terminal_begins_no_row():
    with padded() as (daemon, client):
        child = pexpect.spawn(
            CHATCTL,
            ["--socket", str(daemon.control_path), "--timestamps", "none", "ask", "1", "deploy?"],
            env=daemon.env | {"TERM": "xterm", "LANG": "C.UTF-8"},
            dimensions=(24, COLUMNS),
            encoding="utf-8",
            timeout=GUARD,
        )
        desk = Desk(child, COLUMNS)
        client.expect(b"deploy?\n")
        client.send(FILLINGS["blanks"].encode() + FORGED[0].encode() + b"\n")
        assert desk.wait_end() == 0
        assert_no_row_is_forged(desk.text(), r"\[1\] ", 1)


def test_a_tail_on_a_terminal_lets_no_text_begin_a_row():
    with padded() as (daemon, _):
        shown = one_shot(daemon, "tail", "--since", "0", end="that was all")
        assert_no_row_is_forged(shown)


def shell(daemon, script):
    """A shell in a terminal that runs `script`."""
    return pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        env=daemon.env | {"TERM": "xterm", "LANG": "C.UTF-8"},
        dimensions=(24, COLUMNS),
        encoding="utf-8",
        timeout=GUARD,
    )


def test_plain_lines_on_a_terminal_let_no_text_begin_a_row():
    with padded() as (daemon, client):
        watcher = daemon.operator(name="watcher")
        script = f"sleep 1000 | '{CHATCTL}' --socket '{daemon.control_path}' --timestamps none"
        child = shell(daemon, script)
        desk = Desk(child)
        watcher.wait_event("operator", state="attached")
        for text in paddings():
            client.send(text.encode() + b"\n")
        client.send(b"now that was all\n")
        desk.wait("now that was all")
        assert_no_row_is_forged(desk.text())
        child.sendintr()
        desk.wait_end()


@pytest.mark.parametrize("way", ["a person", "a pipe"])
def test_a_conversation_in_a_terminal_lets_no_server_begin_a_row(way):
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator()
        talk = f"'{CHATCTL}' talk {daemon.host}:{daemon.port}"
        script = talk if way == "a person" else f"(echo hello; sleep 1000) | {talk}"
        child = shell(daemon, script)
        desk = Desk(child)
        desk.wait("connected to ")
        if way == "a person":
            desk.enter("hello")
        operator.wait_event("message", text="hello")
        for text in paddings():
            operator.call("send", to=1, text=text)
        operator.call("send", to=1, text="\x1b[2J that was all")
        desk.wait(r"^< \\x1b\[2J that was all$")
        assert_no_row_is_forged(desk.text(), "< |\\* |> |chatctl: |connected|hello")
        child.sendintr()
        desk.wait_end()


def test_the_log_on_a_terminal_lets_no_text_begin_a_row():
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    screen = Screen(COLUMNS)

    def read():
        unfinished = b""
        try:
            while data := os.read(master, 65536):
                unfinished += data
                whole = unfinished.rfind(b"\n") + 1
                screen.feed(unfinished[:whole].decode())
                unfinished = unfinished[whole:]
        except OSError:  # EIO: nobody has the terminal any more
            pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    config = CONSOLE_CONFIG | {"log": {"level": "trace", "target": "stderr"}}
    with Daemon(config, stderr=slave, listeners=0) as daemon:
        os.close(slave)
        match = wait_until(
            lambda: re.search(r"listening on (127\.0\.0\.1:\d+)", screen.text()), "it listens"
        )
        daemon.endpoints = [match.group(1)]
        operator = daemon.operator()
        with daemon.client() as client:
            for text in paddings():
                client.send(text.encode() + b"\n")
            client.send(b"that was all\n")
            operator.wait_event("message", text="that was all")
            wait_until(lambda: "that was all" in screen.text(), "the last line of the log")
    reader.join(GUARD)
    os.close(master)
    assert_no_row_is_forged(screen.text(), r"\d{4}-\d\d-\d\dT[\d:.]+Z (trace|debug|info|warning): ")


def test_a_terminal_of_a_few_columns_shows_all_of_it():
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"0123456789\n")
            operator.wait_event("message")
            for columns in 4, 5, 9, 14:
                shown = one_shot(daemon, "history", "1", columns=columns)
                rows = shown.splitlines()
                assert all(len(row) <= columns for row in rows), rows
                assert all(row.startswith(" ") for row in rows[1:] if row), rows
                assert re.sub(r"\n| ", "", shown).endswith("[1]0123456789"), rows


def test_files_and_pipes_get_the_same_bytes_whatever_the_width(tmp_path):
    with padded() as (daemon, _):
        words = [CHATCTL, "--socket", str(daemon.control_path), "history", "1", "1000"]
        plain = subprocess.run(words, env=daemon.env, capture_output=True, timeout=GUARD).stdout
        # With a terminal as standard input and standard error.
        child = pexpect.spawn(
            "/bin/sh",
            ["-c", 'exec "$@" > "$0"', str(tmp_path / "all"), *words],
            env=daemon.env,
            dimensions=(24, 20),
            timeout=GUARD,
        )
        child.expect(pexpect.EOF)
        child.close()
        assert (tmp_path / "all").read_bytes() == plain
        assert max(map(len, plain.splitlines())) > 400
