"""The tools of the tests that run the real programs: a daemon in a folder of its own, an
operator on its control socket, clients on raw sockets. They know the interface and nothing
of the daemon's inside.

Nothing here waits for a fixed time: every wait is for a condition, and ends in an
AssertionError that says what did not come. The guard times are generous: they
make a test end, and say nothing about speed.

    with Daemon({"session": {"settle": "20ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hello\\n")
            message = operator.wait_event("message", text="hello")
            operator.call("send", to=message["session"], text="hi")
            client.expect(b"hi\\n")
"""

from harness.clients import Client, connect, parse_endpoint
from harness.daemons import (
    CHATCTL,
    CHATD,
    FOR_ONE_ORIGIN,
    REPOSITORY,
    Daemon,
    Home,
    hand_over,
    run_chatd,
    speaking,
    taking_turns,
    to_toml,
)
from harness.operators import Operator, RawControl, RpcError, code_of
from harness.waiting import GUARD, LONG, SANITIZER, scaled, wait_until
from harness.original_client import FIRST_WORDS, ORIGINAL_CLIENT, READ_SIZE, OriginalClient

__all__ = [
    "CHATCTL",
    "CHATD",
    "FIRST_WORDS",
    "FOR_ONE_ORIGIN",
    "GUARD",
    "LONG",
    "ORIGINAL_CLIENT",
    "READ_SIZE",
    "REPOSITORY",
    "SANITIZER",
    "Client",
    "Daemon",
    "Home",
    "Operator",
    "OriginalClient",
    "RawControl",
    "RpcError",
    "code_of",
    "connect",
    "hand_over",
    "parse_endpoint",
    "run_chatd",
    "scaled",
    "speaking",
    "taking_turns",
    "to_toml",
    "wait_until",
]
