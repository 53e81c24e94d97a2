"""chatctl while the daemon is replaced, again and again, and a client talks all the time:
the console and the tail attach again by themselves, the line that is being typed stays,
and no event is lost or told twice."""

import contextlib
import re
import threading

import pytest
from harness import Daemon, hand_over, wait_until
from harness.desk import chatctl, connected
from harness.tails import Tail

HANDOVERS = 6
CONFIG = {
    "console": {"timestamps": "none"},
    "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
}


class Talker:
    """A client of that daemon that says "word 0", "word 1", ... as fast as it is let."""

    def __init__(self, daemon):
        self.client = daemon.client()
        self.said = 0
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self._talk)

    def _talk(self):
        while not self.enough.wait(0.002):
            self.client.send(b"word %d\n" % self.said)
            self.said += 1

    def __enter__(self):
        self.thread.start()
        return self

    def stop(self):
        """Stops it; returns how much it said."""
        self.enough.set()
        self.thread.join()
        return self.said

    def __exit__(self, *_):
        self.stop()
        self.client.close()


@contextlib.contextmanager
def attached(daemon):
    """A console of chatctl; checks that it ends well."""
    desk = chatctl(daemon)
    yield desk
    desk.text()
    desk.type("\x05\x15\x04")
    assert desk.wait_end() == 0


def shown(desk):
    return [int(word) for word in re.findall(r"^\[2\] word (\d+)$", desk.text(), re.MULTILINE)]


def heard(tail):
    return [event["text"] for event in tail.events if event["event"] == "message" and event["session"] == 2]


@pytest.mark.parametrize("transcripts", [True, False])
def test_the_line_being_typed_outlives_every_hand_over(transcripts):
    config = CONFIG | {"transcript": {"enabled": transcripts}}
    with Daemon(config) as daemon, attached(daemon) as desk:
        tail = Tail(daemon, "--since", "0")
        client, _ = connected(desk, daemon)  # and in focus, before and after
        typed = ""
        with Talker(daemon) as talker:
            for number in range(HANDOVERS):
                # Typed in part before and in part while nobody is there, it is one line.
                desk.type(f"before {number}, ")
                thread = threading.Thread(target=hand_over, args=(daemon,))
                thread.start()
                desk.type(f"meanwhile {number}; ")
                thread.join()
                typed += f"before {number}, meanwhile {number}; "
                wait_until(
                    lambda: desk.text().count("* the connection to the daemon had ended") > number,
                    "the console attaches again",
                )
                before = talker.said
                wait_until(lambda: talker.said > before + 5, "it talks on")
            said = talker.stop()
            desk.wait(rf"^\[2\] word {said - 1}$")
            desk.enter("end")
            client.expect(f"{typed}end\n".encode())
        assert shown(desk) == list(range(said))
        tail.wait(event="sent")
        tail.end()
        assert heard(tail) == [f"word {number}" for number in range(said)]
        assert tail.numbers() == list(range(1, len(tail.events) + 1))
        client.close()


def test_hand_overs_that_leave_no_time_to_attach_in_between():
    with Daemon(CONFIG) as daemon, attached(daemon) as desk:
        tail = Tail(daemon, "--since", "0")
        client, session = connected(desk, daemon)
        desk.type(f"@{session} half")
        with Talker(daemon) as talker:
            for _ in range(HANDOVERS):
                hand_over(daemon)
            said = talker.stop()
        desk.wait(rf"^\[2\] word {said - 1}$")
        desk.enter(" and half")
        client.expect(b"half and half\n")
        assert shown(desk) == list(range(said))
        tail.wait(event="sent")
        tail.end()
        assert heard(tail) == [f"word {number}" for number in range(said)]
        client.close()
