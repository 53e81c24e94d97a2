"""Signals that come when the daemon has no hands free: while another process takes its place,
and while it starts. None is lost. 25 hand-overs with a SIGTERM at a random moment; 1,000 with
CHATD_TEST_LONG=1."""

import contextlib
import random
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from harness import CHATD, LONG, Daemon, Home, hand_over, speaking, wait_until
from harness.managers import Manager

FAREWELL = {"session": {"farewell": "farewell"}}


@contextlib.contextmanager
def slow_transcript(home):
    """Meanwhile nothing can be written to it, so a hand-over waits, for two seconds at most."""
    with contextlib.closing(
        sqlite3.connect(home.path / "chatd" / "transcript.db", isolation_level=None, timeout=60)
    ) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def is_held(pid, number):
    """Whether the process lets this signal wait."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(re.search(r"SigBlk:\s+(\w+)", status)[1], 16)
    return bool(mask & 1 << (number - 1))


def record(operator, client, text):
    """Something that the transcript has to write."""
    client.send(text.encode() + b"\n")
    operator.wait_event("message", text=text)


def goes_on(daemon, client, session):
    client.send(b"after\n")
    daemon.operator(subscribe=0).wait_event("message", session=session, text="after")
    client.close()


def stops_well(daemon, client):
    client.expect(b"farewell\n")
    client.expect_end()
    client.close()
    daemon.check_end()


def test_a_hand_over_and_a_sigterm_at_a_random_moment_end_with_a_goodbye():
    moments = random.Random(seed := random.randrange(2**32))
    print(f"seed {seed}")
    with Daemon({}) as daemon:
        began = time.monotonic()
        hand_over(daemon)
        takes = time.monotonic() - began
    for number in range(1000 if LONG else 25):
        with Daemon(FAREWELL) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator)
            moment = moments.uniform(0, 1.5 * takes)
            with slow_transcript(daemon.home) if number % 2 else contextlib.nullcontext():
                record(operator, client, "last words")
                daemon.send_signal(signal.SIGUSR2)
                time.sleep(moment)
                daemon.send_signal(signal.SIGTERM)
            stops_well(daemon, client)


def test_a_sigterm_that_comes_while_the_transcript_is_slow_ends_the_hand_over():
    """Where the signal comes too early or too late for that, it is obeyed all the same, and it is
    tried again."""
    for _ in range(8):
        with Daemon(FAREWELL) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator)
            with slow_transcript(daemon.home):
                record(operator, client, "last words")
                daemon.send_signal(signal.SIGUSR2)
                daemon.wait_log("SIGUSR2: hands over")
                # With the process that checks the successor, the check has ended: from then on
                # the transcript is waited for.
                children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
                wait_until(lambda: not children.read_text(), "the check has ended", interval=0)
                daemon.send_signal(signal.SIGTERM)
            stops_well(daemon, client)
            if "does not hand over: SIGTERM has come" in daemon.log():
                assert "goes on with" not in daemon.log()
                return
    raise AssertionError("it never ended the hand-over")


def test_signals_of_every_kind_in_any_order_end_with_one_goodbye():
    kinds = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGUSR2]
    moments = random.Random(seed := random.randrange(2**32))
    print(f"seed {seed}")
    for number in range(6):
        moments.shuffle(kinds)
        print(kinds)
        with Daemon(FAREWELL) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator)
            with slow_transcript(daemon.home) if number % 2 else contextlib.nullcontext():
                record(operator, client, "last words")
                daemon.send_signal(signal.SIGUSR2)
                if number % 2:
                    daemon.wait_log("hands over 1 sessions")
                for kind in kinds:
                    daemon.send_signal(kind)
            stops_well(daemon, client)


def test_what_a_hand_over_leaves_undone_the_next_process_does():
    with Daemon({}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with slow_transcript(daemon.home):
            record(operator, client, "before")
            daemon.send_signal(signal.SIGUSR2)
            daemon.wait_log("hands over 1 sessions")
            for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGUSR2):
                daemon.send_signal(number)
        daemon.wait_log(
            r"goes on with 1 sessions\n(.*\n)*.*reloaded the configuration"
            r"(.*\n)*.*goes on with 1 sessions\n"
        )
        goes_on(daemon, client, session)


@pytest.mark.parametrize("slow", [False, True])
def test_a_restart_within_a_hand_over_keeps_the_sessions(slow):
    """The service manager asks to end while another process is about to take over."""
    for number in range(3):
        with Manager(store=100, job="restart") as manager:
            with manager.start({}) as daemon:
                operator = daemon.operator()
                client, session = speaking(daemon, operator)
                with slow_transcript(daemon.home) if slow else contextlib.nullcontext():
                    record(operator, client, "before")
                    daemon.send_signal(signal.SIGUSR2)
                    if slow:
                        daemon.wait_log("hands over 1 sessions")
                    else:
                        time.sleep(number * 0.02)
                    daemon.send_signal(signal.SIGTERM)
                daemon.check_end()
            with manager.start() as daemon:
                goes_on(daemon, client, session)


def test_a_restart_with_a_slow_transcript_keeps_the_sessions():
    with Manager(store=100, job="restart") as manager:
        with manager.start({}) as daemon:
            operator = daemon.operator()
            client, session = speaking(daemon, operator)
            with slow_transcript(daemon.home):
                record(operator, client, "before")
                for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2):
                    daemon.send_signal(number)
                    time.sleep(0.02)
            daemon.check_end()
        with manager.start() as daemon:
            goes_on(daemon, client, session)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_the_beginning_of_a_start_is_obeyed_when_it_has_started(number):
    home = Home()
    home.write_config({})
    for _ in range(10):
        starting = subprocess.Popen(
            [CHATD, "--config", str(home.config_path), "--console", "off"],
            env=home.env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        wait_until(lambda: is_held(starting.pid, number), "the signal would wait", interval=0)
        starting.send_signal(number)
        _, said = starting.communicate(timeout=60)
        assert starting.returncode == 0, said
        assert not home.control_path.exists()
    home.remove()


def test_whoever_does_not_serve_can_be_interrupted():
    """Into a pipe that is full, and that nobody reads, it would write for ever."""
    home = Home()
    home.write_config({})
    with subprocess.Popen(
        ["/bin/sh", "-c", 'dd if=/dev/zero bs=65536 count=1 2>&-; exec "$@"', "sh"]
        + [CHATD, "--config", str(home.config_path), "--print-config"],
        env=home.env,
        stdout=subprocess.PIPE,
    ) as printing:
        wait_until(
            lambda: Path(f"/proc/{printing.pid}/stat").read_text().split()[1:3] == ["(chatd)", "S"],
            "it waits",
        )
        printing.send_signal(signal.SIGINT)
        assert printing.wait(60) == -signal.SIGINT
    home.remove()
