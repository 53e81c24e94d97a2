"""What a terminal would show: just enough of a VT100 to follow a line editor. It
knows every sequence that the console uses; any other is an error, for it came from
somewhere else."""

import re
import unicodedata

SEQUENCE = re.compile(r"\x1b\[([?>]?)([\d;]*)([A-Za-z@])")
TITLE = re.compile(r"\x1b\]2;([^\x00-\x1f\x7f-\x9f]*)\x07")


PLAIN = re.compile(r"[ -~]+")


def _width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """A screen of unlimited height: what scrolls off a real one is kept."""

    def __init__(self, columns=80):
        self.columns = columns
        self.lines = [[]]
        self.row = self.column = 0
        self.unfinished = ""
        self.title = "the terminal's own"
        self.kept_titles = []
        self.bells = 0

    def resize(self, columns):
        """As xterm does it: lines are not broken anew, and what has no room any more is gone."""
        self.columns = columns
        for line in self.lines:
            del line[columns:]
        self.column = min(self.column, columns - 1)

    def forget(self):
        """All that stands above the line with the cursor."""
        del self.lines[: self.row]
        self.row = 0

    def feed(self, text):
        text, self.unfinished = self.unfinished + text, ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                at += self._plain(text, at) or self._character(text[at])
                continue
            match = TITLE.match(text, at)
            if match is not None:
                self.title = match.group(1)
                at = match.end()
                continue
            match = SEQUENCE.match(text, at)
            if match is None:
                if re.fullmatch(r"\x1b(\[[?>]?[\d;]*|\](2(;[^\x00-\x1f]*)?)?)?", text[at:]):
                    self.unfinished = text[at:]
                    return
                raise AssertionError(f"an escape sequence of somebody else: {text[at:at + 20]!r}")
            self._sequence(*match.groups())
            at = match.end()

    def _plain(self, text, at):
        """Shows a run of printable ASCII in one piece. Returns its length."""
        match = PLAIN.match(text, at, at + self.columns - self.column)
        if match is None:
            return 0
        line = self.lines[self.row]
        line.extend(" " * (self.column - len(line)))
        line[self.column : self.column + len(match.group())] = match.group()
        self.column += len(match.group())
        return len(match.group())

    def _character(self, character):
        """Returns 1."""
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down(1)
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\x07":
            self.bells += 1
        elif character == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        else:
            assert character >= " " and not "\x7f" <= character <= "\x9f", repr(character)
            width = _width(character)
            if self.column + width > self.columns:
                self.column = 0
                self._down(1)
            line = self.lines[self.row]
            line.extend(" " * (self.column - len(line)))
            if width == 0:
                line[self.column - 1] += character
            else:
                line[self.column : self.column + width] = [character] + [""] * (width - 1)
                self.column += width
        return 1

    def _down(self, count):
        self.row += count
        while len(self.lines) <= self.row:
            self.lines.append([])

    def _sequence(self, mark, numbers, final):
        number = int(numbers.split(";")[0] or 0)
        count = max(1, number)
        self.column = min(self.column, self.columns - 1) if final in "ACDKP@" else self.column
        line = self.lines[self.row]
        if mark or final == "m":
            pass
        elif final == "t" and numbers == "22;2":
            self.kept_titles.append(self.title)
        elif final == "t" and numbers == "23;2":
            self.title = self.kept_titles.pop()
        elif final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self._down(count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final == "K" and number == 0:
            del line[self.column :]
        elif final == "J" and number == 0:
            del line[self.column :]
            del self.lines[self.row + 1 :]
        elif final == "P":
            del line[self.column : self.column + count]
        elif final == "@":
            line.extend(" " * (self.column - len(line)))
            line[self.column : self.column] = [" "] * count
        else:
            raise AssertionError(f"an escape sequence of somebody else: {numbers}{final}")

    def text(self, last=0):
        """All, or the last so many lines."""
        return "\n".join("".join(line).rstrip() for line in self.lines[-last:])

    def current(self):
        """The line with the cursor."""
        return "".join(self.lines[self.row])
