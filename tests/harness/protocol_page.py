"""doc/protocol.md as a test reads it: its blocks of exchanges, what differs in them from run to
run, and operators line by line. Knows the page, not what is said on it."""

import json
import os
import re

from harness.clients import connect
from harness.daemons import REPOSITORY
from harness.waiting import GUARD

PAGE = REPOSITORY / "doc/protocol.md"
WRITE = os.environ.get("CHATD_PROTOCOL_WRITE") == "1"

# What differs from run to run, and what it looks like.
SHAPES = [
    (r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', "<time>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r'"version":"\d+\.\d+\.\d+"', "<version>"),
    (r'"lineage":"\d+"', "<lineage>"),
    (r'"(idle_ms|queued_bytes|recorded|longest_turn_ms)":[\d.]+', r"<\1>"),
    (r'"method":"lagged","params":\{"seq":\d+', "<lagged>"),
    (r'"lost":\d+\}\}', "<lost>"),
    (r"/\S*/chatd\.toml", "<path>"),
    (r'"sessions":\d+,"connects"', "<sessions>"),  # of an origin: those that close count as well
]


def shape(line):
    for pattern, name in SHAPES:
        line = re.sub(pattern, name, line)
    return line


def blocks(lines, kind):
    """The line numbers of each block of that kind."""
    inside = None
    for number, line in enumerate(lines):
        if line == f"```{kind}":
            inside = []
        elif line == "```" and inside is not None:
            yield inside
            inside = None
        elif inside is not None:
            inside.append(number)


def kind_of(wanted):
    """The name of an event, None for an answer."""
    if wanted.startswith("?"):
        return wanted[1:] or None
    return json.loads(wanted).get("method")


class Line:
    """A connection to the control socket, line by line."""

    def __init__(self, daemon):
        self.socket = connect(str(daemon.control_path))
        self.socket.settimeout(GUARD)
        self.file = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def expect(self, wanted, answers=False):
        """Waits for a line of that shape. Events that the page leaves out may come before it;
        another answer only with `answers`."""
        skipped = []
        for line in iter(self.line, None):
            event = json.loads(line).get("method")
            if shape(line) == shape(wanted):
                return line
            if WRITE and event == kind_of(wanted):
                return line
            assert answers or event, f"the answer is\n{line}\nand not\n{wanted}"
            skipped.append(line)
        raise AssertionError(f"not\n{wanted}\nbut\n" + "\n".join(skipped))

    def line(self):
        """The next line; None if none comes."""
        try:
            return self.file.readline().decode().rstrip("\n") or None
        except TimeoutError:
            return None

    def close(self):
        self.file.close()
        self.socket.close()
