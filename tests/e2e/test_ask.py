"""`chatctl ask`: a question of a script to one client, whose next message is the answer."""

import contextlib
import json
import subprocess

from harness import CHATCTL, GUARD, Daemon, Home, hand_over, speaking


@contextlib.contextmanager
def asking(daemon, *args, options=()):
    """A chatctl that asks; what it printed is read with its end."""
    process = subprocess.Popen(
        [CHATCTL, "--socket", str(daemon.control_path), *options, "ask", *args],
        env=daemon.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end_of(process):
    out, err = process.communicate(timeout=GUARD)
    return process.returncode, out, err


def asked(operator, client):
    """Waits until the client has the question, and chatctl the daemon's word for it."""
    client.expect(b"deploy?\n")
    operator.call("stats")  # is answered in a later turn


def test_the_next_message_of_the_client_is_the_answer():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"not the answer\n")
        other, _ = speaking(daemon, operator)
        with asking(daemon, str(session), "deploy", "now?") as process:
            client.expect(b"deploy now?\n")
            other.send(b"nor this\n")
            operator.wait_event("message", text="nor this")
            client.send("yes, \x1b[1mZürich\n".encode() + b"and more\n")
            # As it was said: whatever reads it takes it as bytes.
            assert end_of(process) == (0, "yes, \x1b[1mZürich\n", "")
        for each in client, other:
            each.close()


def test_the_answer_as_json_is_the_event_as_in_a_tail():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        operator.call("name", session=session, name="Zoë")
        with asking(daemon, "Zoë", "deploy?", options=["--json"]) as process:
            client.expect(b"deploy?\n")
            client.send(b"yes\n")
            code, out, err = end_of(process)
        answer = operator.wait_event("message", text="yes")
        answer["event"] = answer.pop("method")
        assert (code, json.loads(out), err) == (0, answer, "")
        client.close()


def test_a_client_that_answers_at_once_is_heard():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for number in range(20):
            with asking(daemon, str(session), f"{number}?") as process:
                client.expect(f"{number}?\n".encode())
                client.send(f"{number}!\n".encode())
                assert end_of(process) == (0, f"{number}!\n", "")
        client.close()


def test_an_original_client_answers_when_it_has_got_the_question():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("send", to=session, text="and you?")
            with asking(daemon, str(session), "deploy?") as process:
                operator.wait_event("sent", text="deploy?", state="held")
                # This is what makes it listen, and no answer to what it has not read.
                assert client.hear() == "and you?"
                client.say("fine")
                operator.wait_event("delivered")
                assert client.hear() == "deploy?"
                client.say("yes")
                assert end_of(process) == (0, "yes\n", "")


def test_the_question_may_come_from_standard_input_and_have_its_time_out_behind_it():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for words, got in [
            (["-", "--timeout", "1s"], b"a\nb\n"),
            (["all", "of it", "--timeout=1s"], b"all of it\n"),
        ]:
            done = daemon.chatctl("ask", str(session), *words, input="a\nb\n")
            assert done.returncode == 8, done
            assert done.stdout == ""
            assert done.stderr == f"chatctl: [{session}]* has not answered within 1s\n"
            assert client.take(len(got)) == got
        # Behind "--" it is text.
        with asking(daemon, str(session), "--", "use", "--timeout", "5m") as process:
            client.expect(b"use --timeout 5m\n")
            client.send(b"I shall\n")
            assert end_of(process) == (0, "I shall\n", "")
        client.close()


def test_who_leaves_without_an_answer_is_told():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with asking(daemon, str(session), "deploy?") as process:
            client.expect(b"deploy?\n")
            client.close()
            code, out, err = end_of(process)
        assert (code, out) == (4, "")
        assert err.startswith(f"chatctl: [{session}]* left before it answered: "), err


def test_nobody_is_asked_who_cannot_answer():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"is it open?\n")
            session = operator.session_of(client)
            client.close_sending()
            operator.wait_event("asking", session=session)
            done = daemon.chatctl("ask", str(session), "deploy?")
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr == (
                f"chatctl: [{session}]* not asked: it waits for one answer, and says no more\n"
            )
            assert operator.events_of("sent") == []
            assert daemon.chatctl("send", str(session), "no").returncode == 0
            client.expect(b"no\n")
        assert daemon.chatctl("ask", "99", "deploy?").returncode == 4
        assert daemon.chatctl("ask", "nobody", "deploy?").returncode == 4
        for words in ["ask"], ["ask", "1"], ["ask", "1", ""], ["ask", "", "x"]:
            assert daemon.chatctl(*words).returncode == 2, words


def test_a_client_that_another_operator_has_claimed_is_not_asked():
    with Daemon() as daemon:
        operator = daemon.operator(name="ann")
        client, session = speaking(daemon, operator)
        operator.call("claim", session=session)
        done = daemon.chatctl("--name", "bob", "ask", str(session), "deploy?")
        assert done.returncode == 1 and "claimed by ann" in done.stderr, done
        client.close()


def test_the_answer_is_heard_over_a_hand_over():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with asking(daemon, str(session), "deploy?") as process:
            asked(operator, client)
            hand_over(daemon)
            client.send(b"yes\n")
            code, out, _ = end_of(process)
        assert (code, out) == (0, "yes\n")
        client.close()


def test_a_daemon_that_does_not_come_back_is_waited_for_no_longer_than_the_client():
    home = Home()
    try:
        daemon = Daemon(home=home)
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with asking(daemon, str(session), "deploy?", options=["--timeout", "3s"]) as process:
            asked(operator, client)
            daemon.kill()
            code, out, err = end_of(process)
        assert (code, out) == (8, "")
        assert "the daemon has gone; waiting for it" in err
        assert err.endswith(f"chatctl: [{session}]* has not answered within 3s\n")
        client.close()
    finally:
        home.remove()


def test_another_daemon_does_not_know_the_client():
    home = Home()
    config = {"transcript": {"enabled": False}}
    try:
        daemon = Daemon(config, home=home)
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with asking(daemon, str(session), "deploy?") as process:
            asked(operator, client)
            daemon.kill()
            client.close()
            with Daemon(config, home=home):
                code, out, err = end_of(process)
        assert (code, out) == (4, "")
        assert "left before it answered: the daemon has lost its sessions" in err
    finally:
        home.remove()
