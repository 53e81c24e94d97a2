"""Requests over HTTP are no sessions, and cost what connections of an origin may cost: they are
counted and limited, and neither an event nor a line of the log each."""

import re

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, hand_over, wait_until
from harness.web import PAGE, Page, WebSocket, request

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def ask(daemon, source, count=1):
    """What comes of that many requests at once from that address; empty if one was refused."""
    clients = [daemon.client(source=source) for _ in range(count)]
    answers = []
    for client in clients:
        with client:
            try:
                client.send(GET)
                answers.append(client.take_all())
            except OSError:
                answers.append(b"")
    return answers


def origin_of(operator, address):
    [found] = [each for each in operator.call("origins") if each["origin"] == address]
    return found


def test_requests_are_counted_and_are_neither_events_nor_lines_of_the_log():
    with Daemon({"limits": FOR_ONE_ORIGIN}) as daemon:
        operator = daemon.operator()
        before = len(daemon.log().splitlines())
        for _ in range(100):
            assert request(daemon.address).status == 200
            assert request(daemon.address, raw=b"GET / HTTP/1.1\r\n\r\n").status == 400
        stats = operator.call("stats")
        assert stats["requests"] == 200
        assert stats["accepted"] == 0 and stats["sessions"] == 0
        assert stats["events"] == 1  # the operator has attached
        lines = daemon.log().splitlines()[before:]
        assert len(lines) < 10, lines
        assert stats["refused"] == 100  # those that were no good requests
        operator.close()
        hand_over(daemon)
        after = daemon.operator().call("stats")
        assert (after["requests"], after["refused"]) == (200, 100)
        assert not operator.events_of("connected")


def test_an_address_that_asks_too_often_is_refused_and_others_are_not():
    limits = {"connects_per_second": 1}  # and 5 at once
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        answers = ask(daemon, "127.0.0.2", 40)
        served = sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
        assert served + answers.count(b"") == 40
        # On a machine that is slow some more are, one for each second.
        assert served >= 5 and answers.count(b"") >= 10
        [other] = ask(daemon, "127.0.0.3")
        assert other.startswith(b"HTTP/1.1 200 ")
        stats = operator.call("stats")
        assert stats["refused"] == answers.count(b"") and stats["requests"] == served + 1
        assert origin_of(operator, "127.0.0.2")["refused"] == answers.count(b"")
        assert origin_of(operator, "127.0.0.3")["refused"] == 0


def test_a_banned_address_gets_neither_the_page_nor_a_websocket():
    with Daemon({"limits": FOR_ONE_ORIGIN}) as daemon:
        operator = daemon.operator()
        operator.call("ban", address="127.0.0.2")
        assert ask(daemon, "127.0.0.2") == [b""]
        assert ask(daemon, "127.0.0.3")[0].startswith(b"HTTP/1.1 200 ")
        assert operator.call("stats")["requests"] == 1


def test_sessions_of_browsers_count_as_those_of_their_origin():
    with Daemon({"limits": {"sessions_per_address": 2}}) as daemon:
        operator = daemon.operator()
        with WebSocket(daemon.address) as program, Page(daemon.address) as page:
            program.send("hello")
            operator.wait_event("message", text="hello")
            page.say("hi")
            wait_until(lambda: len(operator.call("sessions")) == 2, "both are sessions")
            assert origin_of(operator, "127.0.0.1")["sessions"] == 2
            with daemon.client() as third:
                third.expect_end()
            assert operator.call("stats")["refused"] == 1


def come_back(daemon, page):
    return Page(daemon.address, resume=page.token)


def away(operator, count):
    return sum(each["state"] == "away" for each in operator.call("sessions")) == count


@pytest.mark.parametrize("limit", ["sessions_per_address", "sessions"])
def test_a_page_comes_back_where_no_other_client_has_a_place(limit):
    limits = {"sessions_per_address": 0} | {limit: 2}
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator()
        with Page(daemon.address) as first, Page(daemon.address) as second:
            first.say("one")
            second.say("two")
            with daemon.client() as third:
                third.expect_end()
            first.close()
            wait_until(lambda: away(operator, 1), "its page is away")
            # The place is not another's.
            refused = operator.call("stats")["refused"]
            with daemon.client() as other:
                other.send(b"hello\n")
                other.expect_end()
            with WebSocket(daemon.address) as other:
                assert other.receive() is None
            with WebSocket(daemon.address, protocol=PAGE) as other:
                other.send('{"type": "hello"}')
                other.expect_end(1008)
                assert other.close_reason == "there is no place for another visitor"
            assert operator.call("stats")["refused"] == refused + 3
            assert request(daemon.address).status == 200  # the page itself, on its way back
            with come_back(daemon, first) as first:
                assert first.session_resumed
                first.say("back")
                with daemon.client() as third:
                    third.expect_end()
            # Both at once.
            second.close()
            wait_until(lambda: away(operator, 2), "both pages are away")
            with come_back(daemon, first) as first, come_back(daemon, second) as second:
                assert first.session_resumed and second.session_resumed
                assert origin_of(operator, "127.0.0.1")["sessions"] == 2


@pytest.mark.parametrize("days, warned", [(3, True), (13, True), (15, False)])
def test_operators_are_warned_of_a_certificate_that_expires_within_14_days(authority, days, warned):
    listener = authority.listener()
    certificate = listener["tls_certificate"]
    with Daemon({"listen": [listener]}) as daemon:
        operator = daemon.operator()
        assert not operator.events_of("warning")
        authority.sign("localhost", days=days)
        operator.call("reload")
        operator.call("stats")  # what a reload warns of comes before its answer
        texts = [each["text"] for each in operator.events_of("warning")]
        if warned:
            [text] = texts
            assert re.fullmatch(rf"{re.escape(certificate)} expires on \d{{4}}-\d\d-\d\d", text)
        else:
            assert texts == []


def test_a_start_warns_of_a_certificate_in_its_log_and_transcript(authority):
    listener = authority.listener(days=3)
    certificate = listener["tls_certificate"]
    config = {"listen": [listener], "transcript": {"path": "@HOME@/transcript.db"}}
    with Daemon(config) as daemon:
        daemon.wait_log(re.escape(certificate) + r" expires on \d{4}")
        with daemon.operator(subscribe=0) as operator:
            assert operator.wait_event("warning")["text"].startswith(certificate)
