"""Readers that stand still: a console whose pipe is full, an operator that is stopped, a
reader of the log that has stopped or gone. Nobody else notices, and nothing is lost."""

import os
import re
import signal
import socket
import subprocess
import time

import pytest
from harness import CHATCTL, LONG, Client, Daemon, wait_until
from witness import Witness

FAST = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}
PLAIN = {"console": {"timestamps": "none"}}

MESSAGES = 6000
PADDING = b"x" * 500


def flood(witness, first=0, count=MESSAGES):
    """3 MB of messages: more than any pipe and the 1 MiB that waits for an operator."""
    with Client(witness.daemon.address) as client:
        session = witness.operator.session_of(client)
        for number in range(first, first + count):
            client.send(b"%d " % number + PADDING + b"\n")
            if number % 1000 == 0:
                witness.is_served()
        last = f"{first + count - 1} {PADDING.decode()}"
        witness.operator.wait_event("message", session=session, text=last)
        client.leave()
    witness.operator.wait_event("disconnected", session=session)


def stand_still(witness):
    """Waits; in the long form for a minute."""
    end = time.monotonic() + (60 if LONG else 2)
    while time.monotonic() < end:
        witness.is_served()
        time.sleep(0.1)


def numbers_in(text):
    return [int(number) for number in re.findall(r"^\[\d+\] (\d+) x+$", text, re.MULTILINE)]


def test_a_console_whose_pipe_is_full_stops_nobody_and_shows_all_when_it_is_read():
    read, write = os.pipe()
    with Daemon(FAST | PLAIN, console="on", stdin=subprocess.PIPE, stdout=write) as daemon:
        os.close(write)
        witness = Witness(daemon)
        flood(witness)
        stand_still(witness)
        wait_until(
            lambda: witness.operator.call("stats")["operators"] == 1, "the console is detached"
        )
        shown = b""
        while not re.search(rb"^\[\d+\] %d x" % (MESSAGES - 1), shown, re.MULTILINE):
            shown += os.read(read, 1 << 20)
        assert numbers_in(shown.decode()) == list(range(MESSAGES))
        # It goes on, in both directions.
        daemon.type(f"@{witness.session} from the console")
        witness.client.expect(b"from the console\n")
        assert witness.sums()["sessions"] == 1
        witness.is_served()
        # A pipe that nobody reads does not keep the daemon from stopping.
        flood(witness, count=1000)
    os.close(read)


@pytest.mark.parametrize("words", [[], ["tail"]], ids=["the console", "tail"])
def test_an_operator_that_is_stopped_is_detached_and_misses_nothing(words, tmp_path):
    with Daemon(FAST) as daemon:
        witness = Witness(daemon)
        with open(tmp_path / "shown", "wb") as shown:
            chatctl = subprocess.Popen(
                [CHATCTL, "--socket", str(daemon.control_path), *words],
                env=daemon.env,
                stdin=subprocess.PIPE,
                stdout=shown,
            )

        def seen():
            text = (tmp_path / "shown").read_text()
            return [int(number) for number in re.findall(r" (\d+) xxx", text)]

        try:
            witness.operator.wait_event("operator", state="attached")
            flood(witness, count=10)
            wait_until(lambda: len(seen()) == 10, "it shows what is said")
            chatctl.send_signal(signal.SIGSTOP)
            flood(witness, first=10)
            wait_until(lambda: witness.operator.call("stats")["operators"] == 1, "it is detached")
            stand_still(witness)
            chatctl.send_signal(signal.SIGCONT)
            wait_until(lambda: seen()[-1:] == [MESSAGES + 9], "it has caught up")
            assert seen() == list(range(MESSAGES + 10))
        finally:
            chatctl.kill()
            chatctl.wait()
            chatctl.stdin.close()
        witness.operator.wait_event("operator", state="detached")
        wait_until(lambda: witness.operator.call("stats")["operators"] == 1, "it is gone")
        witness.all_is_back(memory=24 << 20)


@pytest.mark.parametrize("kind", ["stops", "goes"])
def test_a_reader_of_the_log_that_stops_or_goes_stops_nobody(kind):
    """A reader like journald: under systemd, standard error is a stream socket to it."""
    ours, theirs = socket.socketpair()
    config = FAST | {"log": {"level": "trace"}, "listen": [{"address": "unix:@HOME@/c.sock"}]}
    with Daemon(config, stderr=theirs, listeners=0) as daemon:
        daemon.endpoints = [f"unix:{daemon.home.path}/c.sock"]
        theirs.close()
        witness = Witness(daemon)
        if kind == "goes":
            ours.close()
        with Client(daemon.address) as client:
            for number in range(20):
                for _ in range(200):
                    client.send(b"said at trace " + PADDING + b"\n")
                witness.is_served()
                client.send(b"%d\n" % number)
                witness.operator.wait_event("message", text=str(number))
            client.leave()
        stand_still(witness)
        witness.all_is_back(memory=8 << 20)
        if kind == "stops":
            # It reads again: what was lost is said, and the log goes on.
            said = b""
            while not re.search(rb"log lines? (was|were) lost here", said):
                said += ours.recv(1 << 20)
                with Client(daemon.address) as client:
                    client.leave()
            assert b"said at trace" in said
            ours.close()
