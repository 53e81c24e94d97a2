"""The dialects of the client protocol, in bytes: how they are found out, what each
takes and gives, when a first byte may be sent, and every form of bye."""

import time

import pytest

from harness import FIRST_WORDS, Daemon, wait_until

IAC, DONT, DO, WONT, WILL, SB, GA, NOP, SE = 255, 254, 253, 252, 251, 250, 249, 241, 240

FOREVER = {"settle": "10s"}
"""No quiet is ever long enough within a test: only bytes decide."""

QUICK = {"settle": "20ms"}
"""For tests that wait for the quiet."""


def on_any_port(dialect):
    return [{"address": "127.0.0.1", "port": 0, "dialect": dialect}]


def texts(operator, session):
    return [event["text"] for event in operator.events_of("message", session=session)]


# Name: settings, pieces sent (None: wait until the next message is there), the
# messages they are, the dialect found out.
DETECTION = {
    "LF makes it line": (FOREVER, [b"hello\n"], ["hello"], "line"),
    "LF far from the first byte": (FOREVER, [b"x" * 5000, b"y\n"], ["x" * 5000 + "y"], "line"),
    "CR LF makes it line": (FOREVER, [b"hello\r\n"], ["hello"], "line"),
    "several lines in one piece": (FOREVER, [b"a\nb\r\nc\n"], ["a", "b", "c"], "line"),
    "one CR before LF is dropped": (FOREVER, [b"a\r\r\n"], ["a\r"], "line"),
    "a CR within a line stays": (FOREVER, [b"a\rb\n"], ["a\rb"], "line"),
    "IAC makes it telnet": (FOREVER, [bytes([IAC, NOP]) + b"hi\r\n"], ["hi"], "telnet"),
    "IAC after text": (FOREVER, [b"hi", bytes([IAC, NOP]), b"!\r\n"], ["hi!"], "telnet"),
    "LF before IAC": (FOREVER, [b"hi\n" + bytes([0xC3, 0xA9]) + b"\n"], ["hi", "é"], "line"),
    "quiet makes it original": (QUICK, [b"hello"], ["hello"], "original"),
    "quiet after each piece": (QUICK, [b"one", None, b"two"], ["one", "two"], "original"),
    "LF later makes it line": (QUICK, [b"hello", None, b"more\n"], ["hello", "more"], "line"),
    "LF later, for good": (
        QUICK,
        [b"hello", None, b"more\n", None, b"half", b" and half\n"],
        ["hello", "more", "half and half"],
        "line",
    ),
    "line is for good": (
        {"settle": "1ms"},
        [b"line\n", None, b"slow", b"ly\n"],
        ["line", "slowly"],
        "line",
    ),
}


@pytest.mark.parametrize("name", DETECTION)
def test_a_dialect_is_found_out_from_bytes(name):
    settings, pieces, messages, dialect = DETECTION[name]
    with Daemon({"session": settings}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            expected = iter(messages)
            for piece in pieces:
                if piece is None:
                    assert operator.wait_event("message")["text"] == next(expected)
                else:
                    client.send(piece)
            for text in expected:
                assert operator.wait_event("message")["text"] == text
            session = operator.session_of(client)
            assert operator.session(session)["dialect"] == dialect
            assert texts(operator, session) == messages


@pytest.mark.parametrize("dialect", ["line", "telnet"])
def test_a_line_that_comes_byte_by_byte_is_the_same_line(dialect):
    start = bytes([IAC, NOP]) if dialect == "telnet" else b""
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            client.send_slowly(start + "größer €\r\nzweite\n".encode())
            operator.wait_event("message", text="zweite")
            assert texts(operator, session) == ["größer €", "zweite"]
            assert operator.session(session)["dialect"] == dialect


# Name: what the client sends in pieces, what it gets back at once, what is said.
NEGOTIATION = {
    "WILL gets DONT": ([bytes([IAC, WILL, 24])], bytes([IAC, DONT, 24]), ""),
    "DO gets WONT": ([bytes([IAC, DO, 1])], bytes([IAC, WONT, 1]), ""),
    "WONT and DONT get nothing": ([bytes([IAC, WONT, 24, IAC, DONT, 1])], b"", ""),
    "each in its order": (
        [bytes([IAC, DO, 3, IAC, WILL, 24, IAC, WILL, 31, IAC, DO, 1])],
        bytes([IAC, WONT, 3, IAC, DONT, 24, IAC, DONT, 31, IAC, WONT, 1]),
        "",
    ),
    "split at every byte": (
        [bytes([IAC]), bytes([WILL]), bytes([24]), bytes([IAC, DO]), bytes([1])],
        bytes([IAC, DONT, 24, IAC, WONT, 1]),
        "",
    ),
    "within text": (
        [b"be" + bytes([IAC, WILL, 39]) + b"fore"],
        bytes([IAC, DONT, 39]),
        "before",
    ),
    "a subnegotiation is swallowed": (
        [bytes([IAC, SB, 24, 0]) + b"xterm, bye" + bytes([IAC, IAC, IAC, SE]) + b"text"],
        b"",
        "text",
    ),
    "a subnegotiation in pieces": (
        [bytes([IAC, SB, 31, 0, 80]), bytes([0, 24, IAC]), bytes([SE]) + b"text"],
        b"",
        "text",
    ),
    "commands of two bytes are swallowed": ([bytes([IAC, NOP, IAC, GA]) + b"text"], b"", "text"),
    "IAC IAC is a byte 255, which is not UTF-8": (
        [bytes([IAC, NOP]) + b"a" + bytes([IAC, IAC]) + b"b"],
        b"",
        "a\ufffdb",
    ),
}


@pytest.mark.parametrize("name", NEGOTIATION)
def test_telnet_options_are_refused_byte_by_byte(name):
    pieces, answer, text = NEGOTIATION[name]
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            for piece in pieces:
                client.send(piece)
            client.expect(answer)
            client.send(b" end\r\n")
            assert operator.wait_event("message", session=session)["text"] == text + " end"
            assert operator.session(session)["dialect"] == "telnet"
            operator.call("send", to=session, text="ok — né")
            client.expect("ok — né\r\n".encode())


def test_lines_to_a_telnet_client_end_with_cr_lf_and_to_a_line_client_with_lf():
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as line, daemon.client() as telnet:
            line.send(b"hi\n")
            telnet.send(bytes([IAC, NOP]) + b"hi\r\n")
            for _ in range(2):
                operator.wait_event("message", text="hi")
            operator.call("send", to="all", text="one\ntwo")
            operator.call("send", to="all", text="three")
            line.expect(b"one\ntwo\nthree\n")
            telnet.expect(b"one\r\ntwo\r\nthree\r\n")


# Name: the dialect of the listener, bytes sent, the messages, bytes of the answer "ok".
FIXED = {
    "line does not settle": ("line", QUICK, [b"no newline", b" yet\n"], ["no newline yet"], b"ok\n"),
    "line takes IAC for text": ("line", QUICK, [b"a\xff\xf1b\n"], ["a\ufffd\ufffdb"], b"ok\n"),
    "telnet needs no IAC": ("telnet", QUICK, [b"hello\r\n"], ["hello"], b"ok\r\n"),
    "original without quiet": ("original", FOREVER, [b"hello"], ["hello"], b"ok"),
    "original, again": ("original", FOREVER, [b"one", None, b"two"], ["one", "two"], b"ok"),
}


@pytest.mark.parametrize("name", FIXED)
def test_a_listener_can_fix_the_dialect(name):
    dialect, settings, pieces, messages, answer = FIXED[name]
    config = {"listen": on_any_port(dialect), "session": settings}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            assert operator.session(session)["dialect"] == dialect
            expected = iter(messages)
            for piece in pieces:
                if piece is None:
                    assert operator.wait_event("message")["text"] == next(expected)
                else:
                    client.send(piece)
                    time.sleep(0.03)  # So that pieces arrive as pieces.
            for text in expected:
                assert operator.wait_event("message")["text"] == text
            operator.call("send", to=session, text="ok")
            client.expect(answer)


# The first byte to a client.


def test_a_silent_client_is_there_after_a_second_and_is_spoken_to_at_once():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            assert time.monotonic() - client.connecting_at >= 0.99
            answer = operator.call("send", to=session, text="at once")
            assert answer == {"delivered": [session], "held": [], "refused": []}
            client.expect(b"at once\n")


def test_a_silent_client_may_still_turn_out_to_be_anything():
    with Daemon({"session": {"greeting": "Welcome"} | QUICK}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            client.expect(b"Welcome\n")
            client.send(bytes([IAC, DO, 1]) + b"hi\r\n")
            client.expect(bytes([IAC, WONT, 1]))
            operator.wait_event("message", text="hi")
            assert operator.session(session)["dialect"] == "telnet"


@pytest.mark.parametrize(
    "first, greeting",
    [(b"hi\n", b"Welcome\n"), (bytes([IAC, NOP]) + b"hi\r\n", b"Welcome\r\n")],
    ids=["line", "telnet"],
)
def test_a_client_that_speaks_is_greeted_before_the_second_has_passed(first, greeting):
    # That it is before, and not after, shows in what it gets: telnet's own line end.
    with Daemon({"session": {"greeting": "Welcome"} | FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(first)
            session = operator.session_of(client)
            client.expect(greeting)
            operator.wait_event("message", text="hi")
            operator.call("send", to=session, text="ok")
            client.expect(greeting.replace(b"Welcome", b"ok"))


def test_an_original_client_is_never_greeted():
    with Daemon({"session": {"greeting": "Welcome"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text=FIRST_WORDS)
            client.socket.settimeout(1.3)  # longer than a silent client waits
            with pytest.raises(TimeoutError):
                client.hear()
            client.socket.settimeout(60)
            operator.call("send", to=session, text="the answer")
            assert client.hear() == "the answer"


def test_nothing_is_sent_to_an_original_client_before_it_has_spoken():
    """Its first words may come late, but within the second."""
    with Daemon({"session": {"greeting": "Welcome"} | QUICK}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.expect_silence(0.6)
            client.send(b"late")
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text="late")
            operator.call("send", to=session, text="answer")
            client.expect(b"answer")


def test_what_was_held_for_an_original_client_goes_out_as_lines_once_it_is_line():
    with Daemon({"session": {"original_hold": "0s"} | QUICK}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hello")
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text="hello")
            operator.call("send", to=session, text="one")
            client.expect(b"one")
            for text in ("two", "three"):
                assert operator.call("send", to=session, text=text)["held"] == [session]
            client.send(b"I have a newline\n")
            client.expect(b"two\nthree\n")
            operator.call("send", to=session, text="four")
            client.expect(b"four\n")


# Text.

REPAIR = {
    "a lone continuation byte": b"a\x80b",
    "an overlong slash": b"a\xc0\xafb",
    "a truncated character": b"a\xe2\x82b",
    "a truncated character of four bytes": b"a\xf0\x9f\xa6b",
    "a surrogate": b"a\xed\xa0\x80b",
    "above U+10FFFF": b"a\xf4\x90\x80\x80b",
    "at the end of the line": b"a\xe2\x82",
    "nothing but": b"\x80\x80\xc3",
    "good ones between": "é".encode() + b"\xc3" + "🦊".encode() + b"\xf0\x9f",
}


@pytest.mark.parametrize("name", REPAIR)
def test_each_maximal_ill_formed_part_becomes_one_replacement_character(name):
    data = REPAIR[name]
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(data + b"\n")
            session = operator.session_of(client)
            message = operator.wait_event("message", session=session)
            assert message["text"] == data.decode("utf-8", "replace")


@pytest.mark.parametrize("dialect", ["line", "telnet", "original"])
def test_a_message_longer_than_max_message_is_cut_there_and_marked(dialect):
    config = {
        "listen": on_any_port(dialect),
        "session": {"max_message": "8KiB", "settle": "200ms"},
        "limits": {"messages_per_second": 100000, "messages_burst": 100000},
    }
    end = b"" if dialect == "original" else b"\n"
    with Daemon(config) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"x" * 8192 + end)
            session = operator.session_of(client)
            message = operator.wait_event("message", session=session)
            assert (message["text"], "cut" in message) == ("x" * 8192, False)
            client.send(b"y" * 8193 + end)
            message = operator.wait_event("message", session=session)
            assert (message["text"], message.get("cut")) == ("y" * 8192, True)
            client.send(b"z" * 100_000 + end)
            message = operator.wait_event("message", session=session)
            assert (message["text"], message.get("cut")) == ("z" * 8192, True)
            client.send(("é" * 5000).encode() + b"!" + end)
            message = operator.wait_event("message", session=session)
            assert (message["text"], message.get("cut")) == ("é" * 4096, True)
            client.send(("a" + "é" * 5000).encode() + end)
            message = operator.wait_event("message", session=session)
            assert (message["text"], message.get("cut")) == ("a" + "é" * 4095, True)
            client.send(b"a short one" + end)
            message = operator.wait_event("message", session=session)
            assert (message["text"], "cut" in message) == ("a short one", False)


# Bye.

BYES = {
    "bye": b"bye\n",
    "with CR": b"bye\r\n",
    "in capitals": b"BYE\n",
    "with blanks around": b" \t bye  \n",
    "mixed": b"  ByE \r\n",
    "to telnet": bytes([IAC, NOP]) + b"bye\r\n",
    "after another line": b"before\nbye\n",
    "to telnet, with an option within": b"b" + bytes([IAC, NOP]) + b"ye\r\n",
}


@pytest.mark.parametrize("name", BYES)
def test_a_line_that_says_bye_ends_that_session_and_no_other(name):
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as other, daemon.client() as client:
            client.send(BYES[name])
            session = operator.session_of(client)
            client.expect_end()
            operator.wait_event("disconnected", session=session)
            assert texts(operator, session) == BYES[name].count(b"before") * ["before"]
            other.send(b"still here\n")
            operator.wait_event("message", text="still here")


def test_a_line_that_only_contains_bye_is_a_message():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            lines = ["bye!", "goodbye", "bye bye", "by e", "\u00a0bye", "ｂｙｅ"]
            client.send("".join(line + "\n" for line in lines).encode())
            for line in lines:
                assert operator.wait_event("message", session=session)["text"] == line


def test_bye_at_the_end_of_the_input_needs_no_newline():
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hello\nbye")
            session = operator.session_of(client)
            client.close_sending()
            client.expect_end()
            operator.wait_event("disconnected", session=session)
            assert texts(operator, session) == ["hello"]


@pytest.mark.parametrize("who", ["client", "operator"])
def test_everything_queued_before_bye_arrives_and_then_the_end(who):
    """The client has small buffers and reads nothing until bye was said; and it
    has sent more than anybody reads after a bye, which must not become a reset."""
    text = "x" * 1000
    config = {"limits": {"messages_per_second": 100000, "messages_burst": 100000}}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        with daemon.client(receive_buffer=4096) as client:
            client.send(b"hello\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            for _ in range(200):
                assert operator.call("send", to=session, text=text)["delivered"] == [session]
            if who == "client":
                client.send(b"bye\n" + b"and what nobody reads any more\n" * 3000)
            else:
                client.send(b"and what nobody answers any more\n" * 3000)
                operator.call("bye", session=session)
            heard = client.take_all()
            assert heard.startswith((text.encode() + b"\n") * 200)
            assert heard[200 * 1001 :] in (b"", b"bye\n")
        operator.wait_event("disconnected", session=session)


def test_the_operators_bye_ends_a_line_session_and_no_other():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as other, daemon.client() as client:
            client.send(b"hi\n")
            other.send(b"hi\n")
            session, staying = operator.session_of(client), operator.session_of(other)
            operator.wait_event("message", session=session)
            operator.call("send", to=session, text="so long")
            operator.call("bye", session=session)
            assert client.take_all() in (b"so long\n", b"so long\nbye\n")
            operator.wait_event("disconnected", session=session)
            assert [s["session"] for s in operator.call("sessions")] == [staying]


def test_kick_ends_a_session_at_once_with_the_reason_for_operators():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("kick", session=session, reason="enough")
            event = operator.wait_event("disconnected", session=session)
            assert "enough" in event["reason"]
            wait_until(lambda: client.socket.recv(100) == b"", "the client sees the end")


def test_session_ids_count_up_from_one_and_are_not_used_again():
    with Daemon() as daemon:
        operator = daemon.operator()
        for expected in range(1, 6):
            with daemon.client() as client:
                assert operator.session_of(client) == expected
                client.send(b"bye\n")
                client.expect_end()
            operator.wait_event("disconnected", session=expected)
