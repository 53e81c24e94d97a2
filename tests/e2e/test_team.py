"""Operators among themselves, with the real programs: what they say to each other, what they hand
on, who is there, who is writing; and that no client hears of any of it."""

import re
import subprocess
import time

import pytest

from harness import CHATCTL, Daemon, RpcError, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, chatctl, connected, leave
from harness.tails import Tail

COLUMNS = 120
"""So wide that the prompt tells all."""

PACE = 0.2
"""Between the keys of somebody who types without haste."""


@pytest.fixture
def daemon():
    with Daemon(CONSOLE_CONFIG) as running:
        yield running


@pytest.fixture
def desks(daemon):
    """ann and bob, each at a console without colours."""
    pair = [
        chatctl(daemon, "--name", name, columns=COLUMNS, env={"NO_COLOR": "1"})
        for name in ("ann", "bob")
    ]
    pair[0].wait(r"^\* operator bob attached$")
    yield pair
    for desk in pair:
        leave(desk)


def met(daemon, ann, bob):
    """A client whom both have in focus, as it was alone when it came."""
    client, session = connected(ann, daemon)
    for desk in ann, bob:
        desk.wait_line(f"[{session}] > ")
    return client, session


def no_writer(operator):
    return operator.events_of("writing") == []


# --- what they say to each other ---


def test_what_is_said_to_the_operators_is_heard_by_them_and_by_no_client(daemon, desks, tmp_path):
    ann, bob = desks
    client, session = met(daemon, ann, bob)
    other, _ = connected(ann, daemon)
    operator = daemon.operator(name="witness")
    tail = Tail(daemon)
    path = tmp_path / "rows"
    with path.open("wb") as file:
        rows = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), "--timestamps", "none", "tail"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=file,
        )
    try:
        wait_until(
            lambda: sum(each["connections"] for each in operator.call("operators")) == 5,
            "both tails are there",
        )
        ann.enter("/ops Who knows the printer?")
        done = daemon.chatctl("--name", "eve", "ops", "Ask", "bob")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        for name, text in ("ann", "Who knows the printer?"), ("eve", "Ask bob"):
            row = f"* {name} to the operators: {text}"
            for desk in desks:
                desk.wait(f"^{re.escape(row)}$")
            tail.wait(event="ops", operator=name, text=text)
            wait_until(lambda: row in path.read_text().splitlines(), f"{row!r} in the tail")
    finally:
        rows.terminate()
        rows.wait()
        tail.end()
    bob.enter("/ops")
    bob.wait(r"^usage: /ops TEXT$")
    # What comes after it is all that clients get, and no conversation has it.
    bob.enter("/all that is all")
    for each in client, other:
        each.expect(b"that is all\n")
        assert each.leave() == b""
    assert daemon.chatctl("history", str(session)).stdout.count("\n") == 2
    assert daemon.chatctl("search", "printer").stderr == "chatctl: nothing was found\n"


def test_a_note_is_told_to_the_others_and_kept_for_all(daemon, desks):
    ann, bob = desks
    client, session = met(daemon, ann, bob)
    second, another = connected(ann, daemon)
    told = ["ann: likes tea", "ann: wants a receipt", "eve: pays late"]
    ann.enter(f"/note {session} likes tea")
    ann.enter("/note wants a receipt")  # the one in focus
    ann.wait(rf"^\[1\]\* note by {told[1]}$")
    done = daemon.chatctl("--name", "eve", "note", str(session), "pays late")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for desk in desks:
        for row in told:
            desk.wait(rf"^\[1\]\* note by {row}$")
    before = bob.text().count("eve: pays late")
    bob.enter("/note")
    wait_until(lambda: bob.text().count("eve: pays late") > before, "bob sees what is noted")
    bob.wait_line("[1] (2:1) > ")
    assert bob.text().splitlines()[-4:-1] == [f"[1]* note by {row}" for row in told]
    bob.enter("/note 2")
    bob.wait(r"^\[2\]\* nothing is noted$")
    done = daemon.chatctl("--timestamps", "none", "note", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"[1]* note by {row}" for row in told]
    # No client has heard of it.
    for each in client, second:
        assert each.leave() == b""


# --- whose a client is ---


def test_a_client_is_given_to_an_operator_who_is_there(daemon, desks):
    ann, bob = desks
    client, session = met(daemon, ann, bob)
    ann.enter("/claim")
    bob.wait_line("[1] (ann's) > ")
    bob.enter("/give 1 bob")  # one cannot help oneself
    bob.wait(r"^\[1\]\* not given: session 1 is claimed by ann; /claim 1 --force takes it$")
    ann.enter("/give 1 eve")
    ann.wait(r"^\[1\]\* not given: no operator is called eve; here: ann, bob$")
    ann.enter("/give 1 bob")
    ann.wait(r"^\[1\]\* is given to bob$")
    bob.wait(r"^\[1\]\* is given to you by ann$")
    ann.wait_line("[1] (bob's) > ")
    bob.wait_line("[1] (yours) > ")
    ann.enter("me, too")
    ann.wait(r"^\[1\]\* not sent: session 1 is claimed by bob; /claim 1 --force takes it$")
    bob.enter("from bob")
    client.expect(b"from bob\n")
    # Commands of the same name are the same operator's.
    done = daemon.chatctl("--name", "bob", "give", "1", "ann")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    bob.wait(r"^\[1\]\* is given to ann$")
    ann.wait(r"^\[1\]\* is given to you by bob$")
    done = daemon.chatctl("--name", "eve", "give", "1", "bob")
    assert done.returncode == 1 and "session 1 is claimed by ann" in done.stderr
    ann.enter("from ann")
    client.expect(b"from ann\n")
    assert client.leave() == b""


@pytest.mark.parametrize("how", ["away", "gone"])
def test_a_claim_of_who_is_not_there_locks_nobody_out(how, daemon, desks):
    ann, bob = desks
    client, session = met(daemon, ann, bob)
    other, _ = connected(ann, daemon)
    ann.enter("/focus 2")
    ann.wait_line("[2] > ")
    if how == "away":
        bob.enter("/claim")
        ann.wait(r"^\[1\]\* is claimed by bob$")
        client.send(b"anybody?\n")
        ann.wait(r"^\[1\]\|? anybody\?$")
        # While bob is there it is his to answer.
        ann.enter("/claim 1")
        ann.wait(r"^\[1\]\* not claimed: session 1 is claimed by bob; /claim 1 --force takes it$")
        ann.wait_line("[2] > ")
        bob.enter("/away at lunch")
        ann.wait(r"^\* operator bob away: at lunch$")
        holder, why = "bob", "bob is away"
    else:
        # Such a claim stays, and nobody of that name is attached.
        assert daemon.chatctl("--name", "eve", "claim", "1").returncode == 0
        client.send(b"anybody?\n")
        ann.wait(r"^\[1\]\|? anybody\?$")
        holder, why = "eve", "eve is not here"
    ann.wait_line("[2] (1:1) > ")
    ann.type("\x1ba")
    ann.wait_line(f"[1] ({holder}'s) > ")
    ann.enter("me, too")
    ann.wait(
        rf"^\[1\]\* not sent: session 1 is claimed by {holder}; {why}: claim it to take over;"
        r" /claim 1\s+takes it$"
    )
    ann.enter("/claim 1")
    ann.wait(rf"^\[1\]\* is yours now, taken from {holder}$")
    ann.enter("I am here")
    client.expect(b"I am here\n")
    if how == "away":
        bob.wait(r"^\[1\]\* was yours; taken from you by ann$")
        bob.enter("/back")
        bob.wait(r"^\* back$")
    # ann is there: now it takes force.
    bob.enter("/claim 1")
    bob.wait(r"^\[1\]\* not claimed: session 1 is claimed by ann; /claim 1 --force takes it$")
    for each in client, other:
        assert each.leave() == b""


# --- who is there ---


def test_who_is_there_and_who_is_away(daemon, desks):
    ann, bob = desks
    tail = Tail(daemon, "--name", "log")
    bob.wait(r"^\* operator log attached$")
    ann.enter("/away back at two")
    bob.wait(r"^\* operator ann away: back at two$")
    assert daemon.chatctl("--name", "eve", "list").returncode == 0
    bob.enter("/who")
    since = r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d"
    bob.wait(rf"^ann +away +{since} +back at two\nbob +present +{since}\nlog +watching +{since}\n>")
    tail.end()
    bob.wait(r"^\* operator log detached$")
    ann.enter("/back")
    bob.wait(r"^\* operator ann back$")
    bob.enter("/who")
    bob.wait(rf"^ann +present +{since}\nbob +present +{since}\n>")


def test_others_see_who_is_writing_as_long_as_they_do(daemon, desks):
    ann, bob = desks
    client, session = met(daemon, ann, bob)
    witness = daemon.operator(name="witness")
    # What is typed to be a command is said to nobody.
    for line in "/note likes tea", "@1 a hint", "/search tea":
        ann.type(line)
        ann.wait(rf"> {re.escape(line)}$")
        ann.enter()
    ann.enter("/ops those were commands")
    witness.wait_event("ops", text="those were commands")
    assert no_writer(witness)

    tail, own = Tail(daemon, "--name", "log"), daemon.operator(name="ann")
    ann.wait(r"^\* operator log attached$")
    ann.type("half")
    bob.wait_line("[1] (ann is writing) > ")
    # Whoever goes on is heard of again, before the others take it that this is over.
    told = ["half"]
    while len(witness.events_of("writing", session=1, operator="ann")) < 2:
        assert len(told) < 1000, "it is told once and never again"
        time.sleep(PACE)
        ann.type(".")
        told.append(".")
        assert "(ann is writing)" in bob.text(last=1)
    # After some seconds without a key it is over.
    bob.wait_line("[1] > ")
    bob.enter("/focus")
    bob.wait_line("> ")
    ann.type("!")
    bob.wait_line("(ann is writing to [1]) > ")
    ann.enter()
    text = "".join(told) + "!"
    client.expect(f"a hint\n{text}\n".encode())
    row = f"[1]< ann: {text}"
    bob.wait(f"^{re.escape(row)}$")
    bob.wait_line("> ")
    # With the answer it is over at once.
    assert "is writing" not in bob.raw.rpartition(row)[2]

    # Neither ann herself hears of it, nor who only looks on, nor who comes later.
    tail.wait(event="sent", text=text)
    assert [each for each in tail.events if each["event"] == "writing"] == []
    tail.end()
    own.wait_event("sent", text=text)
    late = daemon.operator(name="late", subscribe=0)
    late.wait_event("sent", text=text)
    assert no_writer(own) and no_writer(late)
    assert client.leave() == b""


def test_commands_that_come_and_go_are_heard_of_by_nobody_and_need_no_place():
    config = CONSOLE_CONFIG | {"control": {"max_operators": 2}}
    with Daemon(config) as daemon:
        witness = daemon.operator(name="witness")
        desk = chatctl(daemon, "--name", "ann")
        witness.wait_event("operator", name="ann", state="attached")
        client, session = connected(desk, daemon)
        one = str(session)
        with pytest.raises(RpcError) as refused:
            daemon.operator(name="one too many")
        assert refused.value.code == 4
        commands = [
            ["send", one, "hello"],
            ["note", one, "likes tea"],
            ["note", one],
            ["name", one, "Zoe"],
            ["ops", "hello"],
            ["claim", one],
            ["give", one, "ann"],
            ["claim", one, "--force"],
            ["release", one],
            ["ban", "192.0.2.7", "1h"],
            ["unban", "192.0.2.7"],
            ["list"],
            ["history", one],
            ["search", "hello"],
            ["bans"],
            ["origins"],
            ["stats"],
            ["reload"],
            ["kick", one, "enough"],
        ]
        for words in commands:
            done = daemon.chatctl("--name", "eve", *words)
            assert (done.returncode, done.stderr) == (0, ""), (words, done)
        client.expect(b"hello\n")
        desk.wait(r"^\[1 Zoe\]\* disconnected: kicked by eve: enough$")
        assert "operator eve" not in desk.text()
        # Whoever attaches and goes is heard of: that of ann comes after all that could have come.
        leave(desk)
        witness.wait_event("operator", name="ann", state="detached")
        assert {each["name"] for each in witness.events_of("operator")} <= {"witness", "ann"}
        client.close()
