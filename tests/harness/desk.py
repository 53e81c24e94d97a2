"""An operator at a terminal: a console in a pty, whose output is read all the time and
followed on a screen. Knows the keys and the greeting of a console, and no other meaning."""

import codecs
import os
import re
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
            f"{pattern!r} on the screen",
        )

    def wait_line(self, line):
        """Waits until the line with the cursor is this."""
        wait_until(lambda: self.current() == line, f"{line!r}, not {self.current()!r}")

    def wait_end(self):
        wait_until(lambda: not self.child.isalive(), "it ends")
        self.thread.join(GUARD)
        return self.child.exitstatus


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
