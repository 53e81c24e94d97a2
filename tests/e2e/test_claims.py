"""Claims, with the real programs: who answers a client, who may not, and who is told."""

import json

import pytest

from harness import Daemon, RpcError, hand_over, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, chatctl


def holder(operator, session):
    return operator.session(session)["claimed_by"]


def test_two_answer_one_client_at_once_and_the_second_is_told_who_has_it():
    with Daemon() as daemon:
        ann = daemon.operator(name="ann")
        bob = daemon.operator(name="bob")
        client, session = speaking(daemon, ann)
        claims = [one.begin("claim", session=session) for one in (ann, bob)]
        sends = [one.begin("send", to=session, text=f"{one.name} here") for one in (ann, bob)]
        refused = []
        for one, claim, send in zip((ann, bob), claims, sends):
            try:
                one.finish(claim)
                one.finish(send)
            except RpcError as error:
                refused.append((one, error, send))
        ((loser, error, send),) = refused
        winner = bob if loser is ann else ann
        assert (error.code, error.message) == (2, f"session {session} is claimed by {winner.name}")
        with pytest.raises(RpcError, match=f"claimed by {winner.name}"):
            loser.finish(send)
        client.expect(f"{winner.name} here\n".encode())
        assert [e["operator"] for e in loser.events_of("claimed")] == [winner.name]
        client.close()


def test_a_claim_of_chatctl_stays_until_it_is_released():
    with Daemon() as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        one = str(session)
        done = daemon.chatctl("--name", "bot", "--json", "claim", one)
        assert (done.returncode, json.loads(done.stdout)) == (0, {})
        ann.wait_event("claimed", session=session, operator="bot")
        wait_until(lambda: ann.call("stats")["operators"] == 1, "the command has ended")
        assert holder(ann, session) == "bot"
        (listed,) = map(json.loads, daemon.chatctl("--json", "list").stdout.splitlines())
        assert listed["claimed_by"] == "bot"
        assert "bot" in daemon.chatctl("list").stdout
        for refused in (["send", one, "x"], ["bye", one], ["kick", one], ["release", one]):
            done = daemon.chatctl("--name", "cat", *refused)
            assert done.returncode == 1, refused
            assert f"session {one} is claimed by bot; bot is not here: claim it" in done.stderr
            assert done.stdout == ""
        with daemon.operator(name="bot"):
            done = daemon.chatctl("--name", "cat", "claim", one)
            assert done.returncode == 1
            assert done.stderr.endswith(f"session {one} is claimed by bot\n") and done.stdout == ""
        assert daemon.chatctl("--name", "bot", "send", one, "from bot").returncode == 0
        assert daemon.chatctl("--name", "cat", "send", "all", "for all").returncode == 0
        client.expect(b"from bot\nfor all\n")
        assert daemon.chatctl("claim", "99").returncode == 4
        assert daemon.chatctl("release", "99").returncode == 4
        assert daemon.chatctl("--name", "cat", "claim", "--force", one).returncode == 0
        ann.wait_event("claimed", session=session, operator="cat")
        assert ann.events_of("claimed")[-1]["from"] == "bot"
        assert daemon.chatctl("--name", "cat", "release", one).returncode == 0
        ann.wait_event("released", session=session, operator="cat")
        assert holder(ann, session) is None
        client.close()


def test_in_the_console_the_loser_sees_who_took_it():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = chatctl(daemon, "--name", "ann")
        bob = chatctl(daemon, "--name", "bob")
        client = daemon.client()
        client.send(b"hi\n")
        for desk in (ann, bob):
            desk.wait(r"^\[1\] hi$")
            desk.wait_line("[1] > ")
        ann.enter("/claim")
        ann.wait(r"^\[1\]\* is yours now$")
        ann.wait_line("[1] (yours) > ")
        bob.wait(r"^\[1\]\* is claimed by ann$")
        bob.wait_line("[1] (ann's) > ")
        bob.enter("may I?")
        bob.wait(r"not sent: session 1 is claimed by ann; /claim 1 --force takes\s+it")
        bob.enter("bye")
        bob.wait(r"bye: session 1 is claimed by ann")
        ann.enter("an answer")
        client.expect(b"an answer\n")
        bob.wait(r"^\[1\]< ann: an answer$")
        bob.enter("/claim 1 --force")
        bob.wait(r"^\[1\]\* is yours now, taken from ann$")
        ann.wait(r"^\[1\]\* was yours; taken from you by bob$")
        ann.wait_line("[1] (bob's) > ")
        ann.enter("still mine?")
        ann.wait(r"not sent: session 1 is claimed by bob")
        bob.enter("/release")
        bob.wait(r"^\[1\]\* is released$")
        ann.wait(r"^\[1\]\* is released by bob$")
        ann.enter("/claim")
        bob.wait(r"is claimed by ann$")
        ann.enter("/quit")
        assert ann.wait_end() == 0
        bob.wait(r"^\* operator ann detached$")
        bob.wait_line("[1] > ")
        bob.enter("free again")
        client.expect(b"free again\n")
        bob.enter("/quit")
        assert bob.wait_end() == 0
        client.close()


def test_a_claim_outlives_the_daemon_as_long_as_its_holder_comes_back():
    with Daemon(CONSOLE_CONFIG) as daemon:
        first = daemon.operator()
        one, one_id = speaking(daemon, first)
        two, two_id = speaking(daemon, first)
        first.call("claim", session=two_id)
        first.close()
        first = daemon.operator()
        wait_until(lambda: holder(first, two_id) is None, "it is free")
        # Two come back in any order, each under the name it had.
        desks = [chatctl(daemon, "--name", name) for name in ("ann", "bob")]
        for desk, session in zip(desks, (one_id, two_id)):
            desk.enter(f"/claim {session}")
            desk.wait("is yours now")
        holders = [holder(first, one_id), holder(first, two_id)]
        assert holders == ["ann", "bob"]
        hand_over(daemon)
        after = daemon.operator(name="after")
        assert [holder(after, one_id), holder(after, two_id)] == holders
        for desk, client, session in zip(desks, (one, two), (one_id, two_id)):
            desk.wait("attached again")
            desk.enter(f"@{session} goes on")
            client.expect(b"goes on\n")
            desk.enter("/quit")
            assert desk.wait_end() == 0
            client.close()


def test_a_claim_of_a_console_lets_commands_of_the_same_user_through():
    """And it is not lost because one of them ends."""
    with Daemon(CONSOLE_CONFIG) as daemon:
        witness = daemon.operator(name="witness")
        client, session = speaking(daemon, witness)
        desk = chatctl(daemon)
        desk.enter(f"/claim {session}")
        desk.wait("is yours now")
        done = daemon.chatctl("send", str(session), "by a command")
        assert (done.returncode, done.stderr) == (0, ""), done
        client.expect(b"by a command\n")
        desk.wait(r"< by a command$")
        wait_until(lambda: witness.call("stats")["operators"] == 2, "the command has ended")
        assert holder(witness, session) is not None
        done = daemon.chatctl("--name", "somebody", "send", str(session), "by another")
        assert done.returncode == 1 and "is claimed by" in done.stderr
        desk.enter("/quit")
        assert desk.wait_end() == 0
        witness.wait_event("released", session=session)
        client.close()


def test_an_operator_who_does_not_come_back_loses_the_claim():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann", subscribe=False)
        client, session = speaking(daemon, daemon.operator(name="bob"))
        ann.call("claim", session=session)
        hand_over(daemon)
        after = daemon.operator(name="after")
        assert holder(after, session) == "ann"
        after.wait_event("released", session=session, operator="ann", timeout=30)
        client.close()
