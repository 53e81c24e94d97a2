"""chatd without a terminal: every kind of standard input that a service manager, a
container or a script gives it, and the console in plain lines on pipes."""

import os
import re
import subprocess

import pytest

from harness import SANITIZER, Daemon, scaled, speaking, wait_until

PLAIN = {"console": {"timestamps": "none"}}

CLOSED = ["/bin/sh", "-c", 'exec "$0" "$@" <&-']
ALL_CLOSED = ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&-']


def assert_alive_and_idle(daemon, seconds=2.0):
    """Asserts that over some seconds it uses and prints next to nothing, and that it serves
    a client and an operator before and after."""
    with daemon.operator() as operator:
        client, session = speaking(daemon, operator)
        client.close()
        wait_until(lambda: f"[{session}] connected" in daemon.log(), "what was said before is logged")
        logged = len(daemon.log())
        assert daemon.rests(seconds, 0.1 if SANITIZER else 0.03)
        said = daemon.log()[logged:]
        assert len(said.splitlines()) <= 5, said
        speaking(daemon, operator)[0].close()
    assert daemon.alive()
    assert len(daemon.log().splitlines()) <= 40, daemon.log()


@pytest.mark.parametrize("console", [None, "off", "on"], ids=["auto", "off", "on"])
@pytest.mark.parametrize("kind", ["/dev/null", "closed", "a file", "an empty file"])
def test_the_daemon_lives_on_and_idles_with_standard_input(kind, console, tmp_path):
    path = tmp_path / "input"
    path.write_text("this is in a file\n" * 100 if kind == "a file" else "")
    source = "/dev/null" if kind in ("/dev/null", "closed") else path
    with open(source, "rb") as stdin:
        prefix = CLOSED if kind == "closed" else ()
        with Daemon(PLAIN, console=console, stdin=stdin, prefix=prefix) as daemon:
            assert_alive_and_idle(daemon)


def test_the_daemon_lives_on_with_input_and_output_closed():
    with Daemon(console=None, prefix=ALL_CLOSED) as daemon:
        assert_alive_and_idle(daemon, seconds=1)


def test_with_a_pipe_that_nobody_writes_to_it_idles():
    read, write = os.pipe()
    try:
        with Daemon(console=None, stdin=read) as daemon:
            assert_alive_and_idle(daemon, seconds=2)
    finally:
        os.close(read)
        os.close(write)


def test_a_pipe_that_ends_ends_the_console_and_not_the_daemon():
    with Daemon(PLAIN, console=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        operator = daemon.operator(name="witness")
        assert operator.call("stats")["operators"] == 2
        daemon.process.stdin.close()
        operator.wait_event("operator", state="detached")
        assert operator.call("stats")["operators"] == 1
        assert_alive_and_idle(daemon, seconds=2)


def plain_console(config=None, **how):
    """A daemon with a console on pipes, as a script would have it."""
    how.setdefault("stdout", subprocess.PIPE)
    return Daemon(PLAIN | (config or {}), console=None, stdin=subprocess.PIPE, **how)


def test_lines_go_in_and_lines_come_out():
    with plain_console() as daemon:
        client = daemon.client()
        daemon.wait_output(r"^\[1\]")
        client.send("grüß dich\n".encode())
        daemon.wait_output(r"^\[1\] grüß dich$")
        daemon.type("hello — wörld")
        client.expect("hello — wörld\n".encode())
        client.send(b"a tab\there\n")
        daemon.wait_output(r"^\[1\] a tab\there$")
        other = daemon.client()
        other.send(b"me too\n")
        daemon.wait_output(r"^\[2\] me too$")
        daemon.type("still to the first")
        client.expect(b"still to the first\n")
        daemon.type("@2 to the second")
        other.expect(b"to the second\n")
        daemon.type("/all to both")
        client.expect(b"to both\n")
        other.expect(b"to both\n")
        daemon.type("/focus 2")
        daemon.type("now the second")
        other.expect(b"now the second\n")
        daemon.type("//list")
        other.expect(b"/list\n")
        daemon.type("/name 2 Zoë")
        daemon.wait_output("Zoë")
        other.send(b"who am I?\n")
        daemon.wait_output(r"^\[2 Zoë\] who am I\?$")
        daemon.type("/list")
        daemon.wait_output(re.escape(client.address))
        daemon.wait_output(re.escape(other.address))
        daemon.type("/kick 1 for a reason")
        assert client.take_all() == b""
        daemon.type("bye")
        assert other.take_all() in (b"", b"bye\n")
        daemon.wait_output(r"^\[2 Zoë\] .*")
        assert b"\x1b" not in daemon.stdout and b"\r" not in daemon.stdout
        client.close()
        other.close()


def test_a_text_without_a_focus_is_refused_with_a_hint_and_reaches_nobody():
    with plain_console() as daemon:
        operator = daemon.operator()
        first = daemon.client()
        first.send(b"hi\n")
        session = operator.session_of(first)
        operator.wait_event("message", session=session)
        first.leave()
        operator.wait_event("disconnected")
        other, _ = speaking(daemon, operator)
        another, _ = speaking(daemon, operator)
        other.leave()
        operator.wait_event("disconnected")
        daemon.wait_output(r"^\[2\](.*\n)*\[2\]")
        daemon.type("for the one that has left")
        wait_until(lambda: "/focus" in daemon.output() + daemon.log(), "the hint")
        daemon.type("/focus 3")
        daemon.type("for you")
        another.expect(b"for you\n")
        assert operator.events_of("sent", text="for the one that has left") == []
        another.close()


def test_an_unknown_command_is_answered_with_the_nearest_one():
    with plain_console() as daemon:
        daemon.type("/lst")
        wait_until(lambda: "/list" in daemon.output() + daemon.log(), "the nearest command")


def test_quit_ends_a_foreground_daemon():
    with plain_console() as daemon:
        daemon.type("/quit")
        daemon.check_end()


def test_a_last_line_without_a_newline_counts():
    with plain_console() as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        daemon.wait_output(r"^\[1\] hi$")
        daemon.process.stdin.write(b"the last words")
        daemon.process.stdin.flush()
        daemon.process.stdin.close()
        client.expect(b"the last words\n")
        client.close()


def test_a_message_of_several_lines_has_its_prefix_on_every_line():
    with plain_console({"session": {"settle": "10s"}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        operator.call("send", to=session, text="first line\nsecond line")
        client.expect(b"first line\nsecond line\n")
        daemon.wait_output(r"second line")
        for line in daemon.output().splitlines():
            if "line" in line:
                assert line.startswith("[1]"), line
        client.close()


def test_a_reader_of_the_console_that_goes_away_harms_nobody():
    read, write = os.pipe()
    with plain_console(stdout=write) as daemon:
        os.close(write)
        os.close(read)
        operator = daemon.operator()
        for _ in range(5):
            speaking(daemon, operator)[0].close()
        assert_alive_and_idle(daemon, seconds=1)


def test_a_reader_of_the_console_that_does_not_read_stops_nobody():
    read, write = os.pipe()
    limits = {"messages_per_second": 1000000, "messages_burst": 1000000}
    try:
        with plain_console({"limits": limits}, stdout=write) as daemon:
            operator = daemon.operator()
            client, session = speaking(daemon, operator)
            count = scaled(3000)
            for sent in range(0, count, 100):
                client.send((b"x" * 1000 + b"\n") * 100)
                wait_until(
                    lambda: len(operator.events_of("message")) == sent + 101,
                    "every message reaches the other operator",
                )
            operator.call("send", to=session, text="you are served")
            client.expect(b"you are served\n")
            client.close()
            before = daemon.rss()
            assert_alive_and_idle(daemon, seconds=1)
            # A sanitizer keeps what was freed for a while.
            assert daemon.rss() - before < (32 if SANITIZER else 4) << 20
    finally:
        os.close(read)
        os.close(write)
