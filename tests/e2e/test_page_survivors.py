"""chatd is killed, and started again by a service manager: visitors' pages come back by themselves,
and their sessions go on."""

import os
import threading

import pytest

from harness import FOR_ONE_ORIGIN, hand_over, scaled, speaking, wait_until
from harness.managers import (
    LOG_BEGIN,
    PLACE,
    RECORDS_BEGIN,
    Manager,
    crash,
    wait_recorded,
    wait_stored,
)
from harness.web import Page, WebSocket

RATES = {"messages_per_second": 1000000, "messages_burst": 1000000}
CONFIG = {"limits": FOR_ONE_ORIGIN | RATES}


def told(page, count):
    """The next messages: (from, text)."""
    frames = [page.hear("message") for _ in range(count)]
    return [(frame["from"], frame["text"]) for frame in frames]


def said(operator, session):
    """What the client of a session has said, as it is recorded."""
    messages = operator.call("history", session=session, limit=1000)["messages"]
    return [each["text"] for each in messages if each["direction"] == "in"]


def come_back(daemon, page, seen=0, **how):
    """The page, by another connection to that daemon."""
    page.close()
    return Page(daemon.address, resume=page.token, seen=seen, **how)


@pytest.mark.parametrize("transcripts", [True, False])
def test_a_page_goes_on_after_a_crash(transcripts):
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG | {"transcript": {"enabled": transcripts}})
        operator = daemon.operator()
        page = Page(daemon.address)
        first = page.say("one", "a")
        session = operator.wait_event("message", text="one")["session"]
        operator.call("send", to=session, text="hi")
        page.hear("message", text="hi")
        wait_recorded(manager, 1)
        assert manager.stored() == ["chatd-records"]  # it needs no descriptor
        second = page.say("two", "b")
        page.close()
        wait_until(lambda: operator.session(session)["state"] == "away", "the page is away")
        operator.call("send", to=session, text="are you there?")
        operator.call("name", session=session, name="Zoe")
        stats = operator.call("stats")
        if transcripts:
            wait_until(lambda: said(operator, session) == ["one", "two"], "it is recorded")
        crash(daemon)
        with manager.start() as daemon:
            daemon.wait_log("had ended without warning, and goes on with 1 of 1 sessions")
            operator = daemon.operator()
            entry = operator.session(session)
            assert (entry["name"], entry["state"], entry["unread"]) == ("Zoe", "away", 0)
            assert entry["address"].startswith("127.0.0.1:")
            after = operator.call("stats")
            for counter in "messages_in", "messages_out", "delivered":
                assert after[counter] == stats[counter], counter
            page = come_back(daemon, page, seen=second)
            assert page.session_resumed
            frame = page.hear("message")
            assert (frame["from"], frame["text"]) == ("operator", "are you there?")
            # What was taken is known, and is not said again.
            assert (page.say("one", "a"), page.say("two", "b")) == (first, second)
            assert page.say("three", "c") > frame["seq"]
            operator.wait_event("message", session=session, text="three")
            texts = [e["text"] for e in operator.events if e["method"] == "message"]
            assert texts == ["three"]
            # One that has lost its memory is told all of it.
            page = come_back(daemon, page)
            assert told(page, 5) == [
                ("visitor", "one"),
                ("operator", "hi"),
                ("visitor", "two"),
                ("operator", "are you there?"),
                ("visitor", "three"),
            ]
            if transcripts:
                assert said(operator, session) == ["one", "two", "three"]
            page.tell({"type": "bye"})
            page.hear("bye")
            page.expect_end(1000)
            operator.wait_event("disconnected", session=session)
            wait_recorded(manager, 0)


def test_a_page_that_was_there_when_the_daemon_was_killed():
    """Its own texts that nobody has taken are said again, and once."""
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        page = Page(daemon.address)
        seq = page.say("before", "a")
        session = operator.wait_event("message", text="before")["session"]
        wait_recorded(manager, 1)
        wait_until(lambda: said(operator, session) == ["before"], "it is recorded")
        operator.call("send", to=session, text="told just now")  # not taken from the socket yet
        crash(daemon)
        with manager.start() as daemon:
            operator = daemon.operator(subscribe=0)
            page = come_back(daemon, page, seen=seq)
            assert page.session_resumed
            assert told(page, 1) == [("operator", "told just now")]
            page.say("before", "a")
            page.say("after", "b")
            operator.wait_event("message", session=session, text="after")
            assert said(operator, session) == ["before", "after"]


def test_either_token_is_good_until_the_page_has_said_something():
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        page = Page(daemon.address)
        page.say("hello")
        wait_recorded(manager, 1)
        for lost in True, False:
            former, page = page, come_back(daemon, page)  # its welcome: lost or not
            crash(daemon)
            daemon = manager.start()
            operator = daemon.operator()
            page = come_back(daemon, former if lost else page)
            assert page.session_resumed
            page.say("this is the token that I have")
        wait_recorded(manager, 1)
        crash(daemon)
        with manager.start() as daemon:
            assert not Page(daemon.address, resume=former.token).session_resumed
            assert come_back(daemon, page).session_resumed
            operator = daemon.operator()
            wait_until(lambda: len(operator.call("sessions")) == 2, "there are two sessions")


def test_a_stranger_gets_a_session_of_its_own():
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        page = Page(daemon.address)
        page.say("a secret")
        session = operator.wait_event("message")["session"]
        wait_recorded(manager, 1)
        crash(daemon)
        with manager.start() as daemon:
            operator = daemon.operator()
            with Page(daemon.address, resume="0" * 32) as stranger:
                assert not stranger.session_resumed
                assert operator.wait_event("connected")["session"] > session
                operator.call("send", to=session, text="for the visitor")
                stranger.say("anything")
            page = come_back(daemon, page)
            assert told(page, 2) == [("visitor", "a secret"), ("operator", "for the visitor")]


@pytest.mark.parametrize(
    "place, bytes_",
    [
        (0, b"\3"),  # which half of the record is in force
        (4, bytes(4)),  # which half of the log is
        (4, b"\xff"),
        (8, b"\xff" * 8),  # how long they are
        (LOG_BEGIN + 4, b"\xff" * 8),  # the sum of its first part
        (LOG_BEGIN + 8, b"\xff" * 8),  # the length of that
        (LOG_BEGIN + 24, bytes(8)),
    ],
)
def test_what_is_damaged_costs_that_session_alone(place, bytes_):
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        client, other = speaking(daemon, operator)  # before its address speaks HTTP
        wait_stored(manager, 1)
        of_other = manager.recorded()
        page = Page(daemon.address)
        page.say("hello")
        session = operator.wait_event("message", text="hello")["session"]
        wait_recorded(manager, 2)
        [of_page] = [place for place in manager.recorded() if place not in of_other]
        crash(daemon)
        os.pwrite(manager.records(), bytes_, RECORDS_BEGIN + of_page * PLACE + place)
        with manager.start() as daemon:
            daemon.wait_log("goes on with 1 of 2 sessions")
            if place > 0:
                daemon.wait_log(f"session {session} is lost: the crash record of its page")
            operator = daemon.operator()
            page = come_back(daemon, page)
            assert not page.session_resumed
            page.say("again")
            assert operator.wait_event("message", text="again")["session"] > session
            client.send(b"here\n")
            operator.wait_event("message", session=other, text="here")
            wait_recorded(manager, 2)
        client.close()


def test_crashes_restarts_and_hand_overs_in_turn():
    rounds = scaled(6)
    with Manager(store=100, job="restart") as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        client, other = speaking(daemon, operator)  # before its address speaks HTTP
        page = Page(daemon.address)
        page.say("hello")
        session = operator.wait_event("message", text="hello")["session"]
        shown, seen = [], 0
        for number in range(rounds):
            wait_recorded(manager, 2)
            operator.call("send", to=session, text=f"before {number}")
            operator.close()
            if number % 3 == 0:
                daemon.stop()
                daemon = manager.start()
            elif number % 3 == 1:
                hand_over(daemon)
            else:
                page.close()  # away, over several processes
            crash(daemon)
            daemon = manager.start()
            operator = daemon.operator()
            operator.call("send", to=session, text=f"after {number}")
            page = come_back(daemon, page, seen=seen)
            assert page.session_resumed
            while f"after {number}" not in shown:
                frame = page.hear("message")
                if frame["from"] == "operator":
                    shown.append(frame["text"])
                seen = frame["seq"]
            page.tell({"type": "seen", "seq": seen})
            seen = page.say(f"mine {number}")
            operator.wait_event("message", session=session, text=f"mine {number}")
            client.send(b"me too\n")
            operator.wait_event("message", session=other, text="me too")
            wait_until(lambda: said(operator, session)[-1] == f"mine {number}", "it is recorded")
        assert shown == [f"{when} {n}" for n in range(rounds) for when in ("before", "after")]
        assert said(operator, session) == ["hello", *(f"mine {n}" for n in range(rounds))]
        daemon.stop()
        client.close()


def test_killed_at_any_moment_nothing_is_lost_that_was_confirmed():
    """What an operator was told is sent, is shown once; what was taken is not said again."""
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        page = Page(daemon.address)
        page.say("hello")
        session = operator.wait_event("message", text="hello")["session"]
        shown, seen, sent, taken = [], 0, [], {}
        for crashes in range(scaled(8)):
            wait_recorded(manager, 1)

            def talk(page=page, crashes=crashes):
                try:
                    for number in range(10_000):
                        name = f"{crashes}-{number}"
                        taken[name] = page.say(f"text {name}", name)
                except (OSError, AssertionError):
                    pass

            talking = threading.Thread(target=talk)
            talking.start()
            for number in range(20 + 7 * crashes):
                text = f"{crashes}/{number}"
                assert operator.call("send", to=session, text=text)["delivered"] == [session]
                sent.append(text)
            crash(daemon)
            talking.join()
            daemon = manager.start()
            operator = daemon.operator()
            page = come_back(daemon, page, seen=seen)
            assert page.session_resumed
            while len(shown) < len(sent):
                frame = page.hear("message")
                assert frame["seq"] > seen
                seen = frame["seq"]
                if frame["from"] == "operator":
                    shown.append(frame["text"])
            assert shown == sent
            before = len([e for e in operator.events if e["method"] == "message"])
            for name, seq in list(taken.items())[-50:]:
                assert page.say(f"text {name}", name) == seq
            assert page.say("over", f"over-{crashes}") > max(taken.values())
            operator.wait_event("message", session=session, text="over")
            assert [e["text"] for e in operator.events if e["method"] == "message"][before:] == [
                "over"
            ]
        daemon.stop()


def test_pages_over_tls_go_on_though_their_connections_do_not(authority):
    with Manager(store=100) as manager:
        wrap = authority.wrap()
        daemon = manager.start(CONFIG | {"listen": [authority.listener()]})
        operator = daemon.operator()
        page = Page(daemon.address, wrap=wrap)
        page.say("hello")
        session = operator.wait_event("message", text="hello")["session"]
        tls = operator.session(session)["tls"]
        with WebSocket(daemon.address, wrap=wrap) as program:
            program.send("hello, too")
            operator.wait_event("message", text="hello, too")
            wait_recorded(manager, 1)
            crash(daemon)
            with manager.start() as daemon:
                daemon.wait_log("goes on with 1 of 2 sessions")
                operator = daemon.operator()
                assert operator.session(session)["tls"] == tls
                assert come_back(daemon, page, wrap=wrap).session_resumed


def test_the_record_of_a_page_is_of_its_size():
    """A page that says little takes little of the machine's memory, and gives it back."""
    with Manager(store=100) as manager:
        daemon = manager.start(CONFIG)
        operator = daemon.operator()
        memory = lambda: os.fstat(manager.records()).st_blocks * 512  # noqa: E731
        with Page(daemon.address) as page:
            page.say("hello")
            session = operator.wait_event("message", text="hello")["session"]
            wait_recorded(manager, 1)
            little = memory()
            assert little <= 32768
            for number in range(40):
                operator.call("send", to=session, text=f"{number}" + "x" * 2000)
                page.tell({"type": "seen", "seq": page.hear("message")["seq"]})
            assert memory() >= 80_000
            page.tell({"type": "bye"})
            page.hear("bye")
            page.expect_end(1000)
        wait_recorded(manager, 0)
        wait_until(lambda: memory() <= little, "the memory is given back")
        daemon.stop()
