"""`chatctl tail` followed for days: over restarts of the daemon, from where it was, and
no longer than somebody reads it. And the bot of doc/examples that lives on it."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess

from harness import CHATCTL, GUARD, REPOSITORY, Daemon, Home, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, chatctl
from harness.tails import Tail

BOT = REPOSITORY / "doc/examples/answer-bot"


def test_a_tail_outlives_the_daemon_and_misses_and_repeats_nothing():
    home = Home()
    try:
        with Daemon(home=home) as daemon:
            tail = Tail(daemon, "--since", "0")
            operator = daemon.operator()
            client, _ = speaking(daemon, operator, b"before\n")
            tail.wait(text="before")
            client.close()
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator, b"after\n")
            tail.wait(text="after")
            client.close()
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator, b"and again\n")
            tail.wait(text="and again")
            client.close()
            tail.end()
        numbers = tail.numbers()
        assert numbers == list(range(1, len(numbers) + 1))
        assert [e["text"] for e in tail.events if e["event"] == "message"] == [
            "before",
            "after",
            "and again",
        ]
    finally:
        home.remove()


def test_a_tail_follows_a_daemon_that_counts_anew():
    home = Home()
    try:
        config = {"transcript": {"enabled": False}}
        with Daemon(config, home=home) as daemon:
            tail = Tail(daemon, "--since", "0")
            operator = daemon.operator()
            for _ in range(10):
                client, _ = speaking(daemon, operator, b"before\n")
                client.close()
            wait_until(lambda: len(tail.events) >= 10, "the tail follows")
            client.close()
        with Daemon(config, home=home) as daemon:
            operator = daemon.operator()
            client, _ = speaking(daemon, operator, b"after\n")
            assert tail.wait(text="after")["seq"] < 10
            client.close()
            tail.end()
    finally:
        home.remove()


def test_a_tail_that_nobody_reads_any_more_ends_though_nothing_happens():
    with Daemon() as daemon:
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "tail", "--since", "0"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        assert tail.stdout.readline()
        tail.stdout.close()
        assert tail.wait(GUARD) == 0
        assert tail.stderr.read() == b""
        tail.stderr.close()
        client.close()


def test_a_tail_into_a_file_goes_on(tmp_path):
    with Daemon() as daemon, open(tmp_path / "events", "w+b") as file:
        operator = daemon.operator()
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--name", "file", "tail"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=file,
        )
        operator.wait_event("operator", name="file", state="attached")
        for word in b"first", b"second":
            client, _ = speaking(daemon, operator, word + b"\n")
            wait_until(lambda: b"] " + word in (tmp_path / "events").read_bytes(), word)
            client.close()
        assert tail.poll() is None
        tail.terminate()
        tail.wait(GUARD)


def test_a_warning_is_read_as_its_sentence_in_a_tail_and_in_the_console(tmp_path):
    config = CONSOLE_CONFIG | {"transcript": {"path": "@HOME@/transcript.db"}}
    with Daemon(config) as daemon, open(tmp_path / "events", "w+b") as file:
        operator = daemon.operator()
        desk = chatctl(daemon)
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--name", "file", "tail"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=file,
        )
        operator.wait_event("operator", name="file", state="attached")
        with sqlite3.connect(daemon.home.path / "transcript.db", isolation_level=None) as lock:
            lock.execute("BEGIN IMMEDIATE")
            client, _ = speaking(daemon, operator)
            broken = operator.wait_event("warning")["text"]
            lock.execute("ROLLBACK")
        lock.close()
        mended = operator.wait_event("warning")["text"]
        assert "cannot be written" in broken and "written again" in mended
        # A line of the screen is as wide as the screen.
        wide = desk.screen.columns
        for text in broken, mended:
            line = f"* warning: {text}"
            desk.wait(rf"^{re.escape(line[:wide].rstrip())}$")
            wait_until(
                lambda line=line: f" {line}\n" in (tmp_path / "events").read_text(), f"{line!r}"
            )
        client.close()
        tail.terminate()
        tail.wait(GUARD)
        desk.type("\x04")
        assert desk.wait_end() == 0


def test_a_tail_without_a_daemon_at_the_beginning_does_not_wait():
    with Daemon() as daemon:
        pass
    done = subprocess.run(
        [CHATCTL, "--socket", str(daemon.control_path), "tail"], capture_output=True, timeout=GUARD
    )
    assert done.returncode == 3


@contextlib.contextmanager
def bot(daemon):
    """The example, with chatctl on its path."""
    process = subprocess.Popen(
        [str(BOT), "--cursor", str(daemon.home.path / "cursor")]
        + ["--socket", str(daemon.control_path)],
        env=daemon.env | {"PATH": f"{os.path.dirname(CHATCTL)}:{os.environ['PATH']}", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(GUARD)


def attached_bot(operator):
    """Waits until the bot's tail is attached."""
    operator.wait_event("operator", name="bot", state="attached")


def test_the_example_of_a_bot_answers_and_goes_on_where_it_was():
    home = Home()
    try:
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            with bot(daemon) as process:
                attached_bot(operator)
                client, session = speaking(daemon, operator, b"help?\n")
                client.expect(b"Ask me time? or who?; a person reads everything else.\n")
                client.send(b"is it cold?\n")
                client.send(b"who?\n")
                client.expect(b"1 connected, you among them.\n")
                # Killed. What is asked meanwhile is answered later.
                process.send_signal(signal.SIGKILL)
                process.wait(GUARD)
            client.send(b"help?\n")
            operator.wait_event("message", text="help?", session=session)
            with bot(daemon):
                client.expect(b"Ask me time? or who?; a person reads everything else.\n")
                client.send(b"who?\n")
                client.expect(b"1 connected, you among them.\n")
            assert len(operator.events_of("sent", operator="bot")) + len(
                operator.events_of("sent", operator="bot-2")
            ) == 4
            client.close()
    finally:
        home.remove()


def test_the_example_of_a_bot_goes_on_while_operators_type():
    with Daemon() as daemon:
        ann, bob = daemon.operator(name="ann"), daemon.operator(name="bob")
        with bot(daemon) as process:
            attached_bot(ann)
            client, session = speaking(daemon, ann)
            with client:
                bob.call("writing", session=session)
                ann.wait_event("writing", session=session, operator="bob")
                client.send(b"who?\n")
                client.expect(b"1 connected, you among them.\n")
                assert process.poll() is None


def test_the_example_of_a_bot_outlives_the_daemon():
    home = Home()
    try:
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            running = contextlib.ExitStack()
            running.enter_context(bot(daemon))
            attached_bot(operator)
            client, _ = speaking(daemon, operator, b"who?\n")
            client.expect(b"1 connected, you among them.\n")
            client.close()
        with running, Daemon(home=home) as daemon, daemon.client() as client:
            client.send(b"who?\n")
            client.expect(b"1 connected, you among them.\n")
    finally:
        home.remove()
