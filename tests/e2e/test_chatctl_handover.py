"""chatctl while the daemon is replaced, again and again, and a client talks all the time:
the console and the tail attach again by themselves, the line that is being typed stays,
and no event is lost or told twice."""

import contextlib
import re
import threading

import pytest
from harness import Daemon, hand_over, wait_until
from harness.desk import Desk, chatctl, connected
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


@pytest.mark.parametrize("listener", ["127.0.0.1:0", "unix:@HOME@/clients.sock"])
def test_the_focus_and_what_is_put_away_outlive_a_hand_over(listener):
    where = {"address": listener}
    if not listener.startswith("unix:"):
        where = {"address": "127.0.0.1", "port": 0}
    with Daemon(CONFIG | {"listen": [where]}) as daemon, attached(daemon) as desk:
        clients = [connected(desk, daemon)[0] for _ in range(3)]
        desk.type("for the first\x1b2")
        desk.wait(r"^\[2\].* >$")
        # One whose client leaves is told of, and kept.
        desk.type("for the second\x1b3")
        assert daemon.chatctl("kick", "2").returncode == 0
        desk.wait(r"^\* \[2\] has left; what you had begun for it is kept")
        hand_over(daemon)
        desk.wait("attached again")
        desk.wait(r"^\[3\].* >$")
        shown = desk.text()
        assert "the focus is cleared" not in shown and "may have left" not in shown
        assert shown.count("for the second") == 1, shown  # it is told once
        desk.type("\x1b1")
        desk.wait(r"^\[1\].* > for the first$")
        desk.enter()
        clients[0].expect(b"for the first\n")
        desk.enter("/focus 2")
        desk.wait(r"> for the second$")
        desk.type("\x15")
        for client in clients:
            client.close()


def test_what_was_being_typed_in_the_daemons_own_console_can_be_recalled():
    env = {"TERM": "xterm"}
    with Daemon(CONFIG, console=None, terminal=True, env=env) as daemon:
        desk = Desk(daemon.terminal)
        client, _ = connected(desk, daemon)
        desk.type("half a line")
        desk.wait_line("[1] > half a line")
        hand_over(daemon)
        desk.wait(r"^\(1:1\) >$")  # it begins anew, without a focus
        desk.type("\x1b[A")
        desk.wait(r"^\(1:1\) > half a line$")
        desk.type("\x15")
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
