"""An operator at a terminal: a console in a pty, whose output is read all the time and
followed on a screen. Knows the keys and the greeting of a console, and no other meaning."""

import codecs
import ctypes
import os
import re
import select
import threading

import pexpect

from harness.daemons import CHATCTL
from harness.screen import Screen
from harness.waiting import GUARD, wait_until

CONSOLE_CONFIG = {
    "console": {"timestamps": "none"},
    "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
}
"""For a daemon whose consoles show no times and whose clients have no limit in practice."""

RULE = "──"
PROMPT = re.compile(r"(?:\[(\d+)[^\]]*\] )?(?:\((.*)\) )?> ?")


def _terminal_of(master):
    """The path of the terminal behind it (os.ptsname() is not in every Python yet)."""
    path = ctypes.create_string_buffer(64)
    assert ctypes.CDLL(None).ptsname_r(master, path, len(path)) == 0
    return path.value.decode()


class Desk:
    """An operator at a terminal. While `reading` is set, a thread reads its output and follows
    it on a screen."""

    def __init__(self, child, columns=80):
        self.child = child
        self.raw = ""
        self.screen = Screen(columns)
        self.fault = None
        self.reading = threading.Event()
        self.reading.set()
        self.parked = threading.Event()  # the reader waits for `reading`
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        # Not by pexpect, which polls the child at each read: two threads must not do that.
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        while True:
            if not self.reading.is_set():
                self.parked.set()
                self.reading.wait()
                self.parked.clear()
            try:
                data = os.read(self.child.child_fd, 65536)
            except OSError:  # EIO: no process has the terminal any more.
                return
            with self.changed:
                text = decoder.decode(data)
                self.raw += text
                try:
                    self.screen.feed(text)
                except AssertionError as fault:
                    self.fault = self.fault or fault
                self.changed.notify_all()

    def type(self, text):
        """Types keys; Enter is a carriage return."""
        while text:
            # A terminal queues 4 KiB of a line: more must not be sent at once.
            self.child.send(text[:1000])
            text = text[1000:]

    def enter(self, text=""):
        self.type(text + "\r")

    def wait_taken(self):
        """Waits until the console has read all that was typed: from then on a pause is one."""

        def is_taken():
            # Not kept open, for then it would never hang up.
            terminal = os.open(_terminal_of(self.child.child_fd), os.O_RDONLY | os.O_NOCTTY)
            try:
                return not select.select([terminal], [], [], 0)[0]
            finally:
                os.close(terminal)

        wait_until(is_taken, "it reads what was typed", interval=0.002)

    def resize(self, columns, rows=24):
        """Another size of the window; returns when the console has shown that it knows."""
        with self.changed:
            before = len(self.raw)
            self.screen.resize(columns)
            self.child.setwinsize(rows, columns)
        wait_until(lambda: len(self.raw) > before, f"it is drawn for {columns} columns")

    def text(self, last=0):
        with self.changed:
            if self.fault:
                raise self.fault
            return self.screen.text(last)

    def current(self):
        with self.changed:
            return self.screen.current()

    def wait(self, pattern):
        """Waits for the regular expression in the last 200 lines; returns the match."""
        return wait_until(
            lambda: re.search(pattern, self.text(last=200), re.MULTILINE),
            lambda: f"{pattern!r} on the screen:\n{self.text(last=24)}",
        )

    def wait_line(self, line):
        """Waits until the line with the cursor is this."""
        wait_until(lambda: self.current() == line, lambda: f"{line!r}, not {self.current()!r}")

    def wait_end(self):
        wait_until(lambda: not self.child.isalive(), "it ends")
        self.thread.join(GUARD)
        return self.child.exitstatus


def shell_of(daemon):
    """A shell that somebody types at, once it has its prompt."""
    shell = pexpect.spawn(
        "/bin/bash",
        ["--norc", "--noprofile", "--noediting", "-i"],
        env=daemon.env | {"TERM": "xterm", "PS1": "shell> "},
        encoding="utf-8",
        timeout=GUARD,
    )
    shell.expect("shell> ")
    return shell


def chatctl(daemon, *args, columns=80, env=None):
    """A Desk with chatctl's console, without timestamps unless `args` say otherwise."""
    child = pexpect.spawn(
        CHATCTL,
        ["--socket", str(daemon.control_path), "--timestamps", "none", *args],
        env=daemon.env | {"TERM": "xterm", "LANG": "C.UTF-8"} | (env or {}),
        cwd=str(daemon.home.path),
        dimensions=(24, columns),
        encoding="utf-8",
        codec_errors="backslashreplace",
        timeout=GUARD,
    )
    desk = Desk(child, columns)
    # However much has come after the greeting.
    wait_until(
        lambda: "* operator " in desk.raw and desk.current().endswith("> "), "it says who it is"
    )
    return desk


def connected(desk, daemon, first_words=b"hi\n"):
    """A client that has spoken, once its words are on the screen; and its id."""
    known = len(re.findall(r"^\[\d+[^\]]*\]\* connected", desk.text(), re.MULTILINE))
    client = daemon.client()
    client.send(first_words)
    session = known + 1
    desk.wait(rf"^\[{session}\]\|? {first_words.decode().strip()}$")
    return client, session


def prompt_of(desk):
    """The client in focus and what is told beside it, of a prompt behind which nothing stands;
    None while a line does, or while something is being printed."""
    found = PROMPT.fullmatch(desk.current())
    return found and (found[1] and int(found[1]), found[2] or "")


def arrive(desk, keys, session):
    """The rows that are shown when the operator turns to that client by these keys."""
    before = len(desk.text().splitlines())

    def rows():
        """From the conversation's head on: above it stands the prompt, if a command was typed."""
        shown = desk.text().splitlines()[before - 1 :]
        heads = [i for i, row in enumerate(shown) if re.match(rf"{RULE} \[{session}\b", row)]
        return shown[heads[0] :] if heads else []

    def is_there():
        return rows() and (prompt_of(desk) or (None,))[0] == session

    desk.type(keys)
    wait_until(is_there, f"{session} after {keys!r}")
    return rows()[:-1]


def leave(desk):
    """Leaves it as it was, whatever stands in its line."""
    desk.text()
    desk.type("\x05\x15\x04")
    assert desk.wait_end() == 0
