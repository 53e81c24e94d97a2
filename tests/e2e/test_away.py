"""Away, with the real programs: clients are told once, whatever they are, and operators
see that they were."""

import json
import re
import subprocess

from harness import CHATCTL, Daemon, hand_over, speaking
from harness.desk import CONSOLE_CONFIG, chatctl


def test_clients_of_every_kind_are_told_once():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        ann.call("away", text="back at two")
        with daemon.client() as line:
            line.send(b"hello\n")
            line.expect(b"back at two\n")
            line.send(b"hello?\nbye\n")
            assert line.take_all() == b""
        with daemon.client() as telnet:
            telnet.send(b"\xff\xf1hello\r\n")
            telnet.expect(b"back at two\r\n")
        original = daemon.original()
        original.say("hello")
        assert original.hear() == "back at two"
        original.say("still there?")
        session = ann.wait_event("message", text="still there?")["session"]
        assert ann.session(session)["unread"] == 2
        assert ann.call("send", to=session, text="now I am")["delivered"] == [session]
        assert original.hear() == "now I am"
        original.close()
        sent = [e for e in ann.events_of("sent") if e.get("automatic")]
        assert [(e["operator"], e["text"]) for e in sent] == [("ann", "back at two")] * 3
        # As it was recorded.
        page = ann.call("history", limit=20)["messages"]
        assert [m["text"] for m in page if m.get("automatic")] == ["back at two"] * 3
        assert "automatic" not in page[-1] and page[-1]["text"] == "now I am"


def test_a_client_that_half_closes_is_told_nothing_and_gets_the_one_answer():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        ann.call("away", text="soon")
        with daemon.client() as client:
            client.send(b"question\n")
            session = ann.session_of(client)
            client.close_sending()
            ann.wait_event("asking", session=session)
            client.expect_silence(0.3)
            assert ann.session(session)["state"] == "asking"
            ann.call("send", to=session, text="the answer")
            assert client.take_all() == b"the answer\n"


def test_in_the_console_others_see_who_is_away_and_what_is_unread_stays():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = chatctl(daemon, "--name", "ann")
        bob = chatctl(daemon, "--name", "bob")
        ann.enter("/away back at two")
        ann.wait(r"^\* away; /back ends it$")
        ann.wait_line("(away) > ")
        bob.wait(r"^\* operator ann away: back at two$")
        client, session = speaking(daemon, daemon.operator(subscribe=True))
        # bob is there, and so is the test.
        bob.enter("/away me, too")
        bob.wait_line(f"[{session}] (away) > ")
        for one in daemon.operators:
            one.close()
        bob.wait(r"^\* operator root detached$")
        # A follower, and a script that looks at the list, cannot answer anybody.
        assert daemon.chatctl("list").returncode == 0
        other = daemon.client()
        other.send(b"anybody?\n")
        other.expect(b"me, too\n")
        for desk in (ann, bob):
            desk.wait(r"^\[2\]< bob \(away\): me, too$")
            desk.wait_line("[1] (2:1, away) > ")
        hand_over(daemon)
        for desk in (ann, bob):
            desk.wait("attached again")
        other.send(b"hello?\n")
        for desk in (ann, bob):
            desk.wait(r"^\[2\] hello\?$")
        third = daemon.client()
        third.send(b"and now?\n")
        third.expect(b"me, too\n")
        bob.enter("/back")
        bob.wait(r"^\* back$")
        ann.wait(r"^\* operator bob back$")
        other.send(b"one more\n")
        ann.wait(r"^\[2\] one more$")
        assert len(re.findall(r"^\[2\]< bob \(away\)", ann.text(), re.MULTILINE)) == 1
        for desk in (ann, bob):
            desk.enter("/quit")
            assert desk.wait_end() == 0
        for each in (client, other, third):
            each.close()


def test_two_consoles_of_an_operator_are_away_and_back_together():
    with Daemon(CONSOLE_CONFIG) as daemon:
        one, two = (chatctl(daemon, "--name", "ann") for _ in range(2))
        one.enter("/away back at two")
        for desk in (one, two):
            desk.wait_line("(away) > ")
        three = chatctl(daemon, "--name", "ann")
        three.wait_line("(away) > ")
        two.enter("/back")
        for desk in (one, two, three):
            desk.wait_line("> ")
        hand_over(daemon)
        one.wait("attached again")
        with daemon.client() as client:
            client.send(b"hello?\n")
            for desk in (one, two, three):
                desk.wait(r"hello\?$")
        for desk in (one, two, three):
            desk.enter("/quit")
            assert desk.wait_end() == 0


def test_a_tail_that_looks_on_does_not_keep_anybody_waiting():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--name", "log", "--json", "tail"],
            env=daemon.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        ann.wait_event("operator", name="log", state="attached")
        ann.call("away", text="out")
        with daemon.client() as client:
            client.send(b"hello\n")
            client.expect(b"out\n")
        for line in tail.stdout:
            event = json.loads(line)
            if event["event"] == "sent":
                break
        assert event["automatic"] is True and event["operator"] == "ann"
        tail.terminate()
        tail.wait()
        tail.stdout.close()
