"""A `chatctl tail`, read as a program reads it."""

import json
import subprocess
import threading

from harness.daemons import CHATCTL
from harness.waiting import GUARD, wait_until


class Tail:
    """A `chatctl --json tail` and every event that it printed."""

    def __init__(self, daemon, *args):
        self.process = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--json", "tail", *args],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.events = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def wait(self, **fields):
        def find():
            for event in list(self.events):
                if all(event.get(key) == value for key, value in fields.items()):
                    return event
            return None

        return wait_until(find, f"{fields} in the tail, after {self.events[-3:]}")

    def end(self):
        self.process.terminate()
        self.process.wait(GUARD)
        self.thread.join(GUARD)
        self.process.stderr.close()
        self.process.stdout.close()

    def numbers(self):
        return [event["seq"] for event in self.events]
