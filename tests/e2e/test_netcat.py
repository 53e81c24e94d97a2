"""The programs that people have at hand: three netcats, socat and telnet, as Debian
packages them, typed at and piped into."""

import subprocess
import time

import pexpect
import pytest

from harness import GUARD, Daemon, wait_until

TALKING = {
    "nc.openbsd": ["nc.openbsd", "HOST", "PORT"],
    "nc.openbsd -N": ["nc.openbsd", "-N", "HOST", "PORT"],
    "nc.traditional": ["nc.traditional", "-q", "60", "HOST", "PORT"],
    "ncat": ["ncat", "HOST", "PORT"],
    "socat": ["socat", "-t60", "-", "TCP:HOST:PORT"],
}
"""How each is called. The last words wait for an answer after the end of the input."""

ASKING = [name for name in TALKING if name != "nc.openbsd"]
"""Those that close their sending side when their input ends, and go on reading."""


def command(name, daemon):
    return [
        word.replace("HOST", daemon.host).replace("PORT", str(daemon.port))
        for word in TALKING[name]
    ]


def start(argv):
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def type_line(program, text):
    program.stdin.write(text.encode() + b"\n")
    program.stdin.flush()


@pytest.mark.parametrize("name", TALKING)
def test_a_conversation_shows_each_line_on_the_other_side_as_it_was_typed(name):
    with Daemon() as daemon:
        operator = daemon.operator()
        program = start(command(name, daemon))
        session = operator.wait_event("connected")["session"]
        said = ["hello", "schöne Grüße 🦊", "  blanks and\ttabs  ", "%s %n \\n", "last"]
        for turn, text in enumerate(said):
            type_line(program, text)
            assert operator.wait_event("message", session=session)["text"] == text
            operator.call("send", to=session, text=f"answer {turn} — wörld")
            operator.call("send", to=session, text=f"and more {turn}")
            assert program.stdout.readline().decode() == f"answer {turn} — wörld\n"
            assert program.stdout.readline().decode() == f"and more {turn}\n"
        assert operator.session(session)["dialect"] == "line"
        type_line(program, "bye")
        operator.wait_event("disconnected", session=session)
        out, err = program.communicate(timeout=GUARD)
        assert (out, err) == (b"", b"")


@pytest.mark.parametrize("name", ASKING)
def test_a_question_from_a_pipe_gets_its_answer_and_ends(name):
    with Daemon() as daemon:
        operator = daemon.operator()
        program = start(command(name, daemon))
        program.stdin.write(b"deploy?\n")
        program.stdin.close()
        program.stdin = None
        message = operator.wait_event("message")
        assert message["text"] == "deploy?"
        session = message["session"]
        wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
        operator.call("send", to=session, text="yes, now")
        out, err = program.communicate(timeout=GUARD)
        assert (out, err, program.returncode) == (b"yes, now\n", b"", 0)
        operator.wait_event("disconnected", session=session)


def test_a_netcat_that_keeps_its_side_open_stays_until_bye():
    with Daemon() as daemon:
        operator = daemon.operator()
        program = start(command("nc.openbsd", daemon))
        program.stdin.write(b"deploy?\n")
        program.stdin.close()
        program.stdin = None
        session = operator.wait_event("message", text="deploy?")["session"]
        operator.call("send", to=session, text="yes")
        assert program.stdout.readline() == b"yes\n"
        operator.call("send", to=session, text="now")
        assert program.stdout.readline() == b"now\n"
        assert operator.session(session)["state"] == "open"
        operator.call("bye", session=session)
        operator.wait_event("disconnected", session=session)
        out, _ = program.communicate(timeout=GUARD)
        assert b"\r" not in out and b"\xff" not in out


def test_a_shell_takes_the_answer_into_a_variable():
    with Daemon() as daemon:
        operator = daemon.operator()
        script = "answer=$(echo 'deploy?' | nc.openbsd -N $0 $1); printf '<%s>' \"$answer\""
        shell = start(["/bin/sh", "-c", script, daemon.host, str(daemon.port)])
        session = operator.wait_event("message", text="deploy?")["session"]
        operator.call("send", to=session, text="yes, tomorrow")
        out, err = shell.communicate(timeout=GUARD)
        assert (out, err) == (b"<yes, tomorrow>", b"")


def test_a_question_without_a_newline_gets_an_answer_that_comes_five_seconds_later():
    with Daemon() as daemon:
        operator = daemon.operator()
        script = "printf 'q' | nc.openbsd -N $0 $1"
        shell = start(["/bin/sh", "-c", script, daemon.host, str(daemon.port)])
        session = operator.wait_event("message", text="q")["session"]
        time.sleep(5)  # A person thinks; the time is the point of this test.
        assert shell.poll() is None
        operator.call("send", to=session, text="the answer")
        out, err = shell.communicate(timeout=GUARD)
        assert (out.rstrip(b"\n"), err) == (b"the answer", b"")
        operator.wait_event("disconnected", session=session)


def test_telnet_in_a_terminal():
    with Daemon() as daemon:
        operator = daemon.operator()
        telnet = pexpect.spawn("telnet", [daemon.host, str(daemon.port)], timeout=GUARD)
        telnet.expect(rb"Escape character is '\^\]'\.\r+\n")
        session = operator.wait_event("connected")["session"]
        shown = b""
        for turn, text in enumerate(["hello", "schöne Grüße", "  two  blanks"]):
            telnet.send(text.encode() + b"\r")
            assert operator.wait_event("message", session=session)["text"] == text
            operator.call("send", to=session, text=f"answer {turn} — wörld")
            telnet.expect_exact(f"answer {turn} — wörld\r\n".encode())
            shown += telnet.before + telnet.after
        telnet.send(b"bye\r")
        telnet.expect(rb"Connection closed by foreign host")
        shown += telnet.before
        telnet.expect(pexpect.EOF)
        telnet.close()
        operator.wait_event("disconnected", session=session)
        # The terminal itself writes CR LF for a line; there is no other CR.
        assert b"\r" not in shown.replace(b"\r\n", b"")
        assert b"^M" not in shown and b"\xff" not in shown and b"^@" not in shown


def test_two_kinds_of_client_talk_at_the_same_time():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.original() as original:
            first = operator.session_of(original)
            program = start(command("ncat", daemon))
            second = operator.wait_event("connected")["session"]
            type_line(program, "from netcat")
            operator.wait_event("message", session=second, text="from netcat")
            operator.wait_event("message", session=first, text="This is from Client")
            answer = operator.call("send", to="all", text="to both")
            assert sorted(answer["delivered"]) == sorted([first, second])
            assert original.hear() == "to both"
            assert program.stdout.readline() == b"to both\n"
            original.say("bye")
            type_line(program, "bye")
            program.communicate(timeout=GUARD)
            assert original.hear() == ""
        for session in (first, second):
            operator.wait_event("disconnected", session=session)
