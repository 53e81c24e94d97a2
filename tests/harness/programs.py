"""Real programs that are typed at and listened to, through pipes."""

import subprocess

from harness.waiting import GUARD


class Program:
    """A program with its three pipes. Leaving the `with` kills it if it still runs."""

    def __init__(self, argv, **how):
        self.process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **how,
        )

    def say(self, text, end="\n"):
        self.process.stdin.write((text + end).encode())
        self.process.stdin.flush()

    def expect(self, line):
        """Asserts that the next line of its output is this."""
        got = self.process.stdout.readline().decode()
        assert got == line + "\n", f"{got!r} instead of {line!r}; {self.complaint(got)}"

    def complaint(self, got):
        return "" if got else f"it said {self.process.stderr.read()!r}"

    def end_input(self):
        self.process.stdin.close()
        self.process.stdin = None

    def finish(self, *codes):
        """Closes its input, and returns the rest of its output when it has ended, which has to be
        with one of those codes; none: 0."""
        output, errors = self.process.communicate(timeout=GUARD)
        assert self.process.returncode in (codes or (0,)), (self.process.returncode, errors)
        return output.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
