"""Sessions in which nothing happens."""

import time

from harness import Daemon


def test_a_session_without_a_byte_ends_after_idle_timeout_with_a_reason():
    with Daemon({"session": {"idle_timeout": "300ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            client.expect_end()
        assert "idle" in operator.wait_event("disconnected", session=session)["reason"]


def test_a_session_that_never_spoke_ends_too():
    with Daemon({"session": {"idle_timeout": "300ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            client.expect_end()
        assert "idle" in operator.wait_event("disconnected", session=session)["reason"]


def test_bytes_of_either_side_keep_a_session_alive():
    with Daemon({"session": {"idle_timeout": "1500ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            began = time.monotonic()
            from_operator = False
            while time.monotonic() - began < 3.5:
                time.sleep(0.3)  # The pace of the conversation; it waits for nothing.
                from_operator = not from_operator
                if from_operator:
                    operator.call("send", to=session, text="still there?")
                    client.expect(b"still there?\n")
                else:
                    client.send(b"yes\n")
                    operator.wait_event("message", session=session, text="yes")
            client.expect_end()
        operator.wait_event("disconnected", session=session)


def test_without_idle_timeout_a_silent_session_stays():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            client.expect_silence(2)
            client.send(b"hi\n")
            operator.wait_event("message", session=session, text="hi")
