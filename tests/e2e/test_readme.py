"""README's conversation happens as it is written: this opens its terminals, types what is
typed there, and compares line by line what the screens show in the end."""

import re

import pexpect

from harness import GUARD, REPOSITORY, Daemon, wait_until
from harness.desk import Desk

COLUMNS = 80

# What differs from run to run.
SHAPES = [
    (r"\d\d:\d\d:\d\d", "<time>"),
    (r"127\.0\.0\.1:\d+", "<address>"),
    (r"operator \S+;", "operator <name>;"),
    (r" +\d+s$", " <idle>"),
]

TYPED = re.compile(r"((?:\[\d+\] )?(?:\(.*?\) )?> )(.+)")
"""A line of the operator: the prompt, and what is typed."""


def shape(line):
    for pattern, name in SHAPES:
        line = re.sub(pattern, name, line)
    return line


def terminals():
    """The command and the lines of each terminal of the page, the operator's first."""
    page = (REPOSITORY / "README.md").read_text()
    section = page.split("\n## A conversation\n")[1].split("\n## ")[0]
    for block in re.findall(r"^```\n\$ (.*?)^```$", section, re.MULTILINE | re.DOTALL):
        command, *lines = block.splitlines()
        yield command.partition("  #")[0].rstrip(), lines


def seen(desk):
    return desk.text().rstrip("\n").split("\n")


class Visitor:
    """A client at a terminal of its own. What it types is echoed there."""

    def __init__(self, daemon, command, lines):
        self.lines = lines
        # The nc of Debian, whichever others are installed.
        script = 'nc() { nc.openbsd "$@"; }; ' + command.replace("8080", str(daemon.port))
        assert script.endswith(f" 127.0.0.1 {daemon.port}"), command
        child = pexpect.spawn("/bin/sh", ["-c", script], dimensions=(24, COLUMNS), timeout=GUARD)
        self.desk = Desk(child, COLUMNS)

    def says(self, text):
        """Types the line once all that stands above it is on the screen."""
        if text in self.lines:
            above = self.lines[: self.lines.index(text)]
            wait_until(lambda: seen(self.desk) == (above or [""]), f"{above}")
            self.desk.enter(text)

    def check_end(self):
        wait_until(lambda: seen(self.desk) == self.lines, f"{self.lines}, not {seen(self.desk)}")
        if "bye" in self.lines:
            self.desk.type("\x04")  # As the page says: nc itself does not end before its input.
        self.desk.wait_end()
        assert seen(self.desk) == self.lines


def test_the_conversation_happens_as_it_is_written():
    (command, lines), *others = terminals()
    assert command == "./run.sh" and len(others) == 2
    visitors = {}
    env = {"TERM": "xterm", "LANG": "C.UTF-8"}
    with Daemon(console=None, terminal=True, env=env) as daemon:
        desk = Desk(daemon.terminal, COLUMNS)
        stays = []  # All but what is typed and, with Enter, becomes what was sent.
        for line in lines:
            assert len(line) <= COLUMNS, line
            if typed := TYPED.fullmatch(line):
                prompt, text = typed.groups()
                desk.wait_line(prompt)
                desk.type(text)
                desk.wait_line(line)
                desk.enter()
                stays += [line] if text.startswith("/") else []
                continue
            if connects := re.search(r" \[(\d+)\]\* connected from ", line):
                number = int(connects[1])
                visitors[number] = Visitor(daemon, *others[number - 1])
            elif says := re.search(r" \[(\d+)\] (.*)", line):
                visitors[int(says[1])].says(says[2])
            elif leaves := re.search(r" \[(\d+)\]\* disconnected: bye$", line):
                visitors[int(leaves[1])].says("bye")
            stays.append(line)
            wanted = [shape(each) for each in stays]
            wait_until(
                lambda wanted=wanted: [shape(each) for each in seen(desk)][: len(wanted)] == wanted,
                f"{line!r} in the place that it has in README.md, after {seen(desk)}",
            )
        desk.wait_line("> ")
        assert [shape(line) for line in seen(desk)] == [*map(shape, stays), ">"]
        for visitor in visitors.values():
            visitor.check_end()
        desk.enter("/quit")
        assert desk.wait_end() == 0
