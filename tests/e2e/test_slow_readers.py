"""Clients that read slowly at the end of their session: what is queued arrives to the last byte
for as long as they read at all, while the daemon serves others; whoever takes nothing is let go,
and the operators hear what was lost with it."""

import signal
import threading
import time

import pytest

from harness import LONG, Client, Daemon, hand_over

QUEUED = 300_000
LIMITS = {"limits": {"output_hard": "1MiB", "output_soft": "0B"}}
# 2 KiB/s takes two minutes and a half.
PIECE, PAUSE = (512, 0.25) if LONG else (512, 0.015)


class Reader(threading.Thread):
    """Reads a little at a time, up to the end of file."""

    def __init__(self, client):
        super().__init__()
        self.client, self.got, self.error = client, b"", None
        self.start()

    def run(self):
        try:
            while data := self.client.socket.recv(PIECE):
                self.got += data
                time.sleep(PAUSE)
        except OSError as error:
            self.error = error


def text_of(count):
    """That many bytes in lines of 1,000, each another one."""
    return [f"{i:0999d}" for i in range(count // 1000)]


def fill(operator, session, texts):
    for text in texts:
        operator.call("send", to=session, text=text)


@pytest.mark.parametrize("how", ["an operator's bye", "its own bye", "a stop"])
def test_a_slow_reader_gets_all_that_was_sent_before_the_end(how):
    texts = text_of(QUEUED)
    expected = "".join(text + "\n" for text in texts).encode()
    with Daemon(LIMITS | {"service": {"stop_grace": "0s"}}) as daemon:
        operator = daemon.operator()
        slow = daemon.client(receive_buffer=4096)
        slow.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        fill(operator, session, texts)
        if how == "an operator's bye":
            operator.call("bye", session=session)
        elif how == "its own bye":
            slow.send(b"bye\n")
        else:
            daemon.process.send_signal(signal.SIGTERM)
        reader = Reader(slow)
        if how != "a stop":
            with daemon.client() as other:  # it is served meanwhile
                other.send(b"and me?\n")
                other_session = operator.wait_event("message", text="and me?")["session"]
                operator.call("send", to=other_session, text="you, too")
                other.expect(b"you, too\n")
                assert reader.is_alive(), "the slow one should still read"
                assert operator.session(session)["state"] == "closing"
        reader.join()
        assert reader.error is None and reader.got == expected
        if how != "a stop":
            gone = operator.wait_event("disconnected", session=session)
            assert "lost" not in gone
            stats = operator.call("stats")
            assert stats["lost"] == 0 and stats["delivered"] == len(texts) + 1
        slow.close()
        if how == "a stop":
            daemon.check_end()


def test_a_slow_asker_gets_its_answer_to_the_last_byte():
    text = "0123456789abcdef" * (QUEUED // 16)
    with Daemon(LIMITS) as daemon:
        operator = daemon.operator()
        slow = daemon.client(receive_buffer=4096)
        slow.send(b"the whole story, please\n")
        slow.close_sending()
        session = operator.wait_event("asking")["session"]
        operator.call("send", to=session, text=text)
        reader = Reader(slow)
        reader.join()
        assert reader.error is None and reader.got == text.encode() + b"\n"
        gone = operator.wait_event("disconnected", session=session)
        assert gone["reason"] == "answered" and "lost" not in gone
        slow.close()


def test_what_is_still_on_its_way_goes_on_from_the_next_process():
    texts = text_of(QUEUED)
    with Daemon(LIMITS) as daemon:
        operator = daemon.operator()
        slow = daemon.client(receive_buffer=4096)
        slow.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        fill(operator, session, texts)
        operator.call("bye", session=session)
        hand_over(daemon)
        after = daemon.operator()
        assert after.session(session)["state"] == "closing"
        reader = Reader(slow)
        reader.join()
        assert reader.error is None
        assert reader.got == "".join(text + "\n" for text in texts).encode()
        gone = after.wait_event("disconnected", session=session)
        assert "lost" not in gone
        slow.close()


def test_one_that_takes_nothing_is_let_go_and_its_loss_is_told():
    texts = text_of(QUEUED)
    with Daemon(LIMITS) as daemon:
        operator = daemon.operator()
        deaf = daemon.client(receive_buffer=4096)
        deaf.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        fill(operator, session, texts)
        operator.call("bye", session=session)
        began = time.monotonic()
        gone = operator.wait_event("disconnected", session=session)
        assert 25 < time.monotonic() - began
        # What its kernel took is not lost; all else is.
        assert 0 < gone["lost"] < len(texts)
        stats = operator.call("stats")
        assert stats["lost"] == gone["lost"]
        assert stats["delivered"] == len(texts) - gone["lost"]
        with pytest.raises(ConnectionResetError):  # the text was cut off, and that can be seen
            deaf.take_all()
        deaf.close()


def test_at_the_end_of_the_grace_a_stop_tells_what_is_lost():
    texts = text_of(QUEUED)
    with Daemon(LIMITS | {"service": {"stop_grace": "2s"}}) as daemon:
        operator = daemon.operator()
        deaf = daemon.client(receive_buffer=4096)
        deaf.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        fill(operator, session, texts)
        daemon.process.send_signal(signal.SIGTERM)
        gone = operator.wait_event("disconnected", session=session)
        assert gone["reason"] == "the daemon stops" and gone["lost"] > 0
        daemon.check_end()
        deaf.close()


def test_a_kick_waits_for_nothing_and_tells_what_is_lost():
    texts = text_of(QUEUED)
    with Daemon(LIMITS) as daemon:
        operator = daemon.operator()
        deaf: Client = daemon.client(receive_buffer=4096)
        deaf.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        fill(operator, session, texts)
        operator.call("kick", session=session)
        gone = operator.wait_event("disconnected", session=session)
        assert gone["lost"] > 0
        stats = operator.call("stats")
        assert stats["lost"] == gone["lost"] and stats["sessions"] == 0
        deaf.close()
