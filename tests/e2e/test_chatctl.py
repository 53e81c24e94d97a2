"""chatctl as a script uses it: the same operations, and exit codes."""

import json
import os
import signal
import subprocess

import pytest

from harness import CHATCTL, CHATD, GUARD, Daemon, Home, speaking, wait_until

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


def test_chatctl_has_the_same_operations_and_its_exit_codes():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        done = daemon.chatctl("send", str(session), "from", "a", "script")
        assert done.returncode == 0, done.stderr
        client.expect(b"from a script\n")
        done = daemon.chatctl("send", "all", "-", input="from\na pipe\n")
        assert done.returncode == 0, done.stderr
        assert client.take(len(b"from\na pipe\n")) == b"from\na pipe\n"
        done = daemon.chatctl("--json", "list")
        assert [json.loads(line)["session"] for line in done.stdout.splitlines()] == [session] or (
            json.loads(done.stdout)[0]["session"] == session
        )
        assert client.address in daemon.chatctl("list").stdout
        assert daemon.chatctl("name", str(session), "Zoë").returncode == 0
        operator.wait_event("named", session=session, name="Zoë")
        assert daemon.chatctl("send", "99", "x").returncode == 4
        assert daemon.chatctl("bye", "99").returncode == 4
        assert daemon.chatctl("no-such-command").returncode == 2
        assert daemon.chatctl("send").returncode == 2
        assert daemon.chatctl("bye", str(session)).returncode == 0
        client.take_all()
        operator.wait_event("disconnected", session=session)
        client.close()
        with daemon.client() as kicked:
            session = operator.session_of(kicked)
            assert daemon.chatctl("kick", str(session), "some reason").returncode == 0
            assert "some reason" in operator.wait_event("disconnected", session=session)["reason"]
        assert daemon.chatctl("stop").returncode == 0
        daemon.check_end()


def test_what_is_sent_to_all_says_by_its_exit_code_who_refused():
    with Daemon() as daemon:
        done = daemon.chatctl("send", "all", "hello?")
        assert (done.returncode, done.stderr) == (0, "chatctl: nobody is connected\n")
        operator = daemon.operator()
        # Original clients take their bye and have not answered it yet.
        with daemon.original() as one:
            session = operator.session_of(one)
            operator.wait_event("message", session=session)
            assert operator.call("bye", session=session) == {"parting": True}
            done = daemon.chatctl("send", "all", "anybody?")
            assert done.returncode == 1
            assert done.stderr == f"chatctl: [{session}]* not sent: bye was already said to it\n"
            client, _ = speaking(daemon, operator)
            done = daemon.chatctl("send", "all", "anybody?")
            assert done.returncode == 7 and "bye was already said" in done.stderr
            client.expect(b"anybody?\n")
            done = daemon.chatctl("--json", "send", "all", "anybody?")
            assert done.returncode == 7 and len(json.loads(done.stdout)["refused"]) == 1
            client.close()


def test_an_empty_text_is_not_sent():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for words, piped in [
            (["send", str(session), ""], None),
            (["send", "all", "--", ""], None),
            (["send", str(session), "-"], ""),
            (["send", str(session), "-"], "\n"),
            (["ask", str(session), ""], None),
        ]:
            done = daemon.chatctl(*words, input=piped)
            assert (done.returncode, done.stdout) == (2, ""), words
            assert done.stderr == "chatctl: not sent: the text is empty\n"
        assert operator.events_of("sent") == []
        # A blank is a text, if somebody means it.
        assert daemon.chatctl("send", str(session), " ").returncode == 0
        client.expect(b" \n")
        client.close()


def test_a_session_can_be_called_by_its_name():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        other, _ = speaking(daemon, operator)
        operator.call("name", session=session, name="Zoë of York")
        # However its letters are encoded.
        for name in "Zoë of York", "Zoe\u0308 of York":
            done = daemon.chatctl("send", name, "hello")
            assert done.returncode == 0, done
            client.expect(b"hello\n")
        assert daemon.chatctl("claim", "Zoë of York").returncode == 0
        operator.wait_event("claimed", session=session)
        assert daemon.chatctl("release", "Zoë of York").returncode == 0
        for name in "Zoë", "zoë of york", "Zoe of York", "nobody":
            done = daemon.chatctl("bye", name)
            assert (done.returncode, done.stdout) == (4, "")
            assert done.stderr == (
                f"chatctl: no session is called '{name}'; chatctl list shows them all\n"
            )
        # Digits are an id, whoever is called what.
        assert daemon.chatctl("bye", "99").returncode == 4
        assert daemon.chatctl("bye", "").returncode == 2
        assert daemon.chatctl("kick", "Zoë of York", "noise").returncode == 0
        operator.wait_event("disconnected", session=session)
        for each in client, other:
            each.close()


def test_a_daemon_that_stands_still_is_waited_for_no_longer_than_it_was_said():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            for words in ["list"], ["send", str(session), "x"], ["history"], ["stop"], ["bye", "Zoe"]:
                done = daemon.chatctl("--timeout", "1s", *words)
                assert (done.returncode, done.stdout) == (8, ""), words
                assert done.stderr == "chatctl: the daemon has not answered within 1s\n"
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        # It has not even been greeted, so nothing is done later.
        assert operator.session(session)["state"] == "open"
        operator.call("send", to=session, text="only this")
        client.expect(b"only this\n")
        client.close()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--timeout", "5", "list"], "--timeout is a duration, such as 30s, 5m or 1h"),
        (["--timeout", "1s"], "--timeout belongs to a command"),
        (["--timeout", "1s", "tail"], "--timeout has no meaning for tail"),
    ],
)
def test_a_time_out_that_means_nothing_is_told(words, said):
    done = subprocess.run([CHATCTL, *words], capture_output=True, text=True, timeout=GUARD)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"chatctl: {said}; chatctl --help lists everything\n"


def test_help_is_help():
    def run(*words):
        done = subprocess.run([CHATCTL, *words], capture_output=True, text=True, timeout=GUARD)
        return done.returncode, done.stdout, done.stderr

    code, everything, _ = run("--help")
    assert code == 0 and everything.startswith("Usage: chatctl ")
    assert run("help") == (0, everything, "")
    code, ban, _ = run("help", "ban")
    assert code == 0 and ban.startswith("Usage: chatctl ban ADDRESS[/BITS] [DURATION] [--now]\n")
    for words in ["--help", "ban"], ["ban", "--help"], ["ban", "::1", "-h"]:
        assert run(*words) == (0, ban, "")
    assert run("help", "away")[1].startswith("In the console: /away TEXT\n")
    assert run("help", "bna") == (2, "", "chatctl: unknown command 'bna'; did you mean ban?\n")
    assert run("help", "ban", "unban")[0] == 2
    # A script would mean something else by the beginning of a command when there are more.
    assert run("rel") == (2, "", "chatctl: unknown command 'rel'; chatctl --help lists everything\n")
    assert run("hist") == (2, "", "chatctl: unknown command 'hist'; did you mean history?\n")


def test_the_line_ends_of_what_is_sent_are_lf():
    with Daemon() as daemon:
        client, session = speaking(daemon, daemon.operator())
        for words, piped in [
            (["-"], "one\r\ntwo\rthree\r\n"),
            (["one\r\ntwo\rthree"], None),
        ]:
            done = daemon.chatctl("send", str(session), *words, input=piped)
            assert done.returncode == 0, done.stderr
            assert client.take(len(b"one\ntwo\rthree\n")) == b"one\ntwo\rthree\n"
        client.close()


def test_a_command_is_announced_to_nobody():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for words in [["list"], ["bans"], ["stats"], ["history"], ["search", "hi"], ["help"]]:
            done = daemon.chatctl(*words)
            assert (done.returncode, done.stderr) == (0, "") and done.stdout
        assert daemon.chatctl("--name", "bob", "send", str(session), "x").returncode == 0
        wait_until(lambda: operator.call("stats")["operators"] == 1, "the commands have gone")
        # Of somebody who does attach, and comes after all of them, it is heard.
        daemon.operator(name="last").close()
        operator.wait_event("operator", name="last", state="detached")
        heard = {event["name"] for event in operator.events_of("operator")}
        assert heard - {operator.name} == {"last"}
        daemon.wait_log("operator last detached")
        assert daemon.log().count(" attached") == 2, daemon.log()
        # One's own words have no name before them.
        assert "< x" in daemon.chatctl("--name", "bob", "history").stdout
        assert "< bob: x" in daemon.chatctl("--name", "ann", "history").stdout
        client.close()


def test_dashes_before_a_text_are_not_part_of_it():
    with Daemon() as daemon:
        client, session = speaking(daemon, daemon.operator())
        for words, text in [
            (["--", "-v", "--"], "-v --"),
            (["--", "--"], "--"),
            (["--json", "--"], "--json --"),
        ]:
            done = daemon.chatctl("send", str(session), *words)
            assert (done.returncode, done.stderr) == (0, "")
            assert client.take_line() == f"{text}\n".encode()
        done = daemon.chatctl("send", "--", str(session), "--", "x")
        assert client.take_line() == b"-- x\n"
        client.close()


@pytest.mark.parametrize(
    "words, said",
    [
        (["--color=blue", "list"], "--color is auto, always or never"),
        (["--timestamps", "date", "list"], "--timestamps is none, time or datetime"),
        (["--socket=", "list"], "--socket: the path of a socket is missing"),
        (["--socket", "", "list"], "--socket: the path of a socket is missing"),
    ],
)
def test_a_wrong_value_of_an_option_is_told_with_the_right_ones(words, said):
    done = subprocess.run([CHATCTL, *words], capture_output=True, text=True, timeout=GUARD)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"chatctl: {said}; chatctl --help lists everything\n"


@pytest.mark.parametrize(
    "program, words",
    [
        (CHATCTL, ["--help"]),
        (CHATCTL, ["completion", "bash"]),
        (CHATD, ["--help"]),
        (CHATD, ["--print-config"]),
    ],
)
def test_a_result_that_could_not_be_printed_is_a_failure(program, words):
    home = Home()
    try:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [program, *words],
                env=home.env,
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=GUARD,
            )
        assert done.returncode == 1
        assert "writing to standard output: No space left on device" in done.stderr
    finally:
        home.remove()


def test_chatctl_without_a_daemon_is_exit_code_3():
    home = Home()
    try:
        done = subprocess.run(
            [CHATCTL, "--socket", str(home.control_path), "list"],
            env=home.env,
            capture_output=True,
            text=True,
            timeout=GUARD,
        )
        assert done.returncode == 3
        assert str(home.control_path) in done.stderr and done.stdout == ""
    finally:
        home.remove()


@needs_root
def test_chatctl_without_permission_is_exit_code_5():
    with Daemon() as daemon:
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            + [CHATCTL, "--socket", str(daemon.control_path), "list"],
            env=daemon.env,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=GUARD,
        )
        assert done.returncode == 5, done
        assert str(daemon.control_path) in done.stderr


def test_chatctl_tail_follows_events_from_since_on():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--json", "tail", "--since", "0"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        seen = []
        while not any(e.get("text") == "hi" for e in seen):
            line = tail.stdout.readline()
            assert line, "tail ended"
            seen.append(json.loads(line))
        client.send(b"live\n")
        while not any(e.get("text") == "live" for e in seen):
            line = tail.stdout.readline()
            assert line, "tail ended"
            seen.append(json.loads(line))
        tail.terminate()
        tail.wait(GUARD)
        tail.stdout.close()
        client.close()
