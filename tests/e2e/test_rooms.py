"""A room stands in for `ncat --chat`: the same conversation with both. And what ncat does not have:
operators, names, and a restart that drops nobody."""

import re
import subprocess
from contextlib import contextmanager

import pytest

from harness import Client, Daemon, hand_over, wait_until
from harness.network import free_port

ROOM = {"listen": [{"address": "127.0.0.1", "port": 0, "room": "lab"}]}


@contextmanager
def ncat_chat():
    """Yields how to connect to an `ncat --chat`."""
    port = free_port()
    argv = ["ncat", "--verbose", "--chat", "-l", "127.0.0.1", str(port)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    try:
        assert any("Listening" in line for line in process.stderr)
        yield lambda: Client(("127.0.0.1", port))
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def chatd_room():
    with Daemon(ROOM) as daemon:
        yield daemon.client


class Member:
    """What one hears, without announcements: pairs of a name and a text."""

    def __init__(self, connect):
        self.client = connect()

    def say(self, text):
        self.client.send(text.encode() + b"\n")

    def hear(self):
        while True:
            line = self.client.take_line().decode().rstrip("\n")
            name, _, text = line.partition("> ")
            if line.startswith("<") and name != "<announce":
                return name[1:], text


@pytest.mark.parametrize("server", [ncat_chat, chatd_room], ids=["ncat --chat", "a room"])
def test_the_same_conversation(server):
    with server() as connect:
        ann, ben, cy = (Member(connect) for _ in range(3))
        # Each is known to be there when it has been heard.
        for member, word in ((ann, "I am ann"), (ben, "I am ben"), (cy, "I am cy")):
            member.say(word)
        names = {}
        for member, words in ((ann, ["ben", "cy"]), (cy, [])):
            for word in words:
                name, text = member.hear()
                assert text == f"I am {word}"
                names[word] = name
        assert len(set(names.values())) == len(names)
        ben.say("hello, everybody")
        assert ann.hear() == (names["ben"], "hello, everybody")
        cy.say("hello, ben")
        assert ann.hear() == (names["cy"], "hello, ben")
        cy.client.close()
        ben.say("where is cy?")
        assert ann.hear() == (names["ben"], "where is cy?")
        for member in (ann, ben):
            member.client.close()


def test_operators_hear_and_speak_and_names_are_kept_across_a_restart():
    with Daemon(ROOM) as daemon:
        operator = daemon.operator()
        ann, ben = daemon.client(), daemon.client()
        ann.send(b"/name ann\nhello\n")
        named = operator.wait_event("named", name="ann")
        assert "operator" not in named
        session = operator.wait_event("message", text="hello")["session"]
        assert named["session"] == session
        ann.expect(b"* you are ann now\n")
        ben.send(b"hi\n")
        heard = ann.take_line() + ann.take_line()
        assert re.fullmatch(rb"\* guest-\d+ has come\n<guest-\d+> hi\n", heard)
        operator.call("send", to=session, text="you alone")
        ann.expect(b"you alone\n")
        operator.call("send", to="all", text="all of you")
        for client in (ann, ben):
            client.expect(b"all of you\n")
        hand_over(daemon)
        ann.send("grüß dich 🦊\n".encode())
        ben.expect("<ann> grüß dich 🦊\n".encode())
        ann.send(b"bye\n")
        ben.expect(b"* ann has left\n")
        ann.expect_end()
        for client in (ann, ben):
            client.close()


def test_talk_that_a_kicked_client_has_not_taken_is_no_message_of_the_counters():
    with Daemon(ROOM) as daemon:
        operator = daemon.operator()
        with daemon.client() as ben:
            ben.send(b"is anybody here?\n")
            operator.wait_event("message", text="is anybody here?")
            descriptors = daemon.fds()
            deaf = daemon.client(receive_buffer=4096)
            deaf.send(b"hello\n")
            session = operator.wait_event("message", text="hello")["session"]
            for number in range(100):
                ben.send(b"%d " % number + b"x" * 2000 + b"\n")
            operator.wait_event("message", text="99 " + "x" * 2000)
            operator.call("kick", session=session)
            gone = operator.wait_event("disconnected", session=session)
            assert "lost" not in gone
            deaf.reset()  # what its machine had not acknowledged never will be
            wait_until(lambda: daemon.fds() == descriptors, "nothing is left of it")
            stats = operator.call("stats")
            assert (stats["messages_out"], stats["delivered"], stats["lost"]) == (0, 0, 0)
