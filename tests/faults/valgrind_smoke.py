"""A chatd under valgrind that does a bit of everything. Run by tests/valgrind.sh, which
reads the report."""

import os
import signal

from harness import Daemon, RpcError
from harness.certificates import Secure
from harness.web import Page, WebSocket, request

VALGRIND = os.environ["CHATD_VALGRIND"].split()


def browse(daemon, operator, authority):
    """A page, over TLS too, that comes back, and a program with a WebSocket."""
    assert request(daemon.address).status == 200
    for text, wrap in ("in the open", None), ("in secret", authority.wrap()):
        with Page(daemon.address, wrap=wrap) as page:
            page.say(text)
            session = operator.wait_event("message", text=text)["session"]
        with Page(daemon.address, wrap=wrap, resume=page.token) as page:
            operator.call("send", to=session, text="to a page")
            page.hear("message", text="to a page")
            page.tell({"type": "bye"})
            operator.wait_event("disconnected", session=session)
    with WebSocket(daemon.address) as program:
        program.send("from a program")
        operator.wait_event("message", text="from a program")
    with Secure(daemon.address, authority.client()) as client:
        client.send(b"secret\n")
        operator.wait_event("message", text="secret")


def test_it_serves_and_stops(authority):
    config = {"session": {"greeting": "hello", "farewell": "so long", "bye_grace": "1s"}}
    config["listen"] = [authority.listener()]
    config["service"] = {"seccomp": False}  # valgrind needs more calls than the daemon
    with Daemon(config, prefix=VALGRIND) as daemon:
        operator = daemon.operator()
        clients = [daemon.client() for _ in range(5)]
        clients[0].send("grüß dich\n".encode())
        clients[1].send(b"\xff\xfd\x03telnet \xff\xff\r\n")
        clients[2].send(b"original")
        clients[3].send(b"x" * 20_000 + b"\nquestion\n")
        sessions = [operator.session_of(client) for client in clients]
        for session in sessions[:4]:
            operator.wait_event("message", session=session)
        clients[3].close_sending()
        operator.call("send", to="all", text="to all")
        operator.call("send", to=sessions[3], text="the answer")
        operator.wait_event("disconnected", session=sessions[3])
        for session in sessions[:3]:
            operator.call("send", to=session, text="to you " * 300)
        operator.call("name", session=sessions[0], name="zoë")
        operator.call("bye", session=sessions[2])
        operator.call("kick", session=sessions[1], reason="enough")
        clients[4].reset()
        operator.wait_event("disconnected", session=sessions[4])
        assert operator.call("history", limit=10)["messages"]
        assert operator.call("search", text="question")["messages"]
        browse(daemon, operator, authority)
        operator.call("sessions")
        operator.call("stats")
        operator.call("reload")
        operator.send_raw(b'{"jsonrpc": "2.0", "id": "x", "method": "nothing"}\nno json\n')
        try:
            operator.call("send", to=99, text="nobody")
        except RpcError as refused:
            assert refused.code == 1
        with daemon.operator(subscribe=0) as late:
            late.wait_event("named")
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log("reloaded the configuration", timeout=60)
        for client in clients[:4]:
            client.close()
