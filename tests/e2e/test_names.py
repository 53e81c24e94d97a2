"""What clients are called: by an operator, by the configuration, and never two the same."""

import json

import pytest

from harness import Daemon, Home, RpcError, hand_over, speaking
from harness.desk import CONSOLE_CONFIG, chatctl, leave


@pytest.fixture
def home():
    made = Home()
    yield made
    made.remove()


def test_no_name_is_given_twice():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as one, daemon.client() as two:
            first, second = operator.session_of(one), operator.session_of(two)
            operator.call("name", session=first, name="Zo\u00eb")
            with pytest.raises(RpcError) as refused:
                operator.call("name", session=second, name="Zoe\u0308")
            assert refused.value.code == -32602
            assert refused.value.message == f"name is that of session {first}"
            operator.call("name", session=first, name="Zoe\u0308")  # its own
            operator.call("name", session=first, name="")
            operator.call("name", session=second, name="Zoe\u0308")


def test_the_configuration_names_clients_by_where_they_come_from(home):
    listen = [{"address": "127.0.0.1", "port": 0}, {"address": f"unix:{home.path}/clients"}]
    home.write_config({"listen": listen, "names": {"127.0.0.0/8": "lab", "127.0.0.1": "printer"}})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        with daemon.client() as one, daemon.client() as two:
            first, second = operator.session_of(one), operator.session_of(two)
            event = operator.wait_event("named", session=first)
            assert event["name"] == "printer" and event["automatic"] is True
            assert "operator" not in event
            assert operator.wait_event("named", session=second)["name"] == "printer-2"
            assert operator.session(second)["name"] == "printer-2"
            # The address pays for it.
            (cost,) = operator.call("origins")
            assert cost["records"] == 4  # two came, and each was named
            # What an operator says beats it, over a hand-over, too.
            operator.call("name", session=first, name="door")
            hand_over(daemon)
            operator = daemon.operator()
            assert operator.session(first)["name"] == "door"
            with daemon.client() as three:
                third = operator.session_of(three)
                assert operator.wait_event("named", session=third)["name"] == "printer"
            # A reload is for those who come later.
            home.write_config({"listen": listen, "names": {"127.0.0.1": "hall"}})
            assert operator.call("reload")["changed"] == ["names"]
            assert operator.session(second)["name"] == "printer-2"
            with daemon.client() as four:
                fourth = operator.session_of(four)
                assert operator.wait_event("named", session=fourth)["name"] == "hall"


def test_history_and_search_by_a_name_have_what_was_said_under_it():
    with Daemon() as daemon:
        operator = daemon.operator(name="ann")
        sessions = []
        for words in ("one", "two"):
            with daemon.client() as client, daemon.client() as other:
                session, another = operator.session_of(client), operator.session_of(other)
                sessions.append(session)
                client.send(b"hello before\n")
                operator.wait_event("message", session=session)
                operator.call("name", session=session, name="Zo\u00eb")
                client.send(f"hello {words}\n".encode())
                other.send(b"hello from another\n")
                operator.wait_event("message", session=session)
                operator.wait_event("message", session=another)
                operator.call("send", to=[session, another], text=f"hello both {words}")
                operator.call("name", session=session, name="")
                client.send(b"hello after\n")
                operator.wait_event("message", session=session)
            operator.wait_event("disconnected", session=session)
        first, second = sessions

        def found(method, **params):
            messages = operator.call(method, **params)["messages"]
            return [(each["session"], each["text"], each["name"]) for each in messages]

        said = [
            (first, "hello one", "Zo\u00eb"),
            (first, "hello both one", "Zo\u00eb"),
            (second, "hello two", "Zo\u00eb"),
            (second, "hello both two", "Zo\u00eb"),
        ]
        assert found("history", name="Zoe\u0308") == said
        assert found("history", name="Zoe\u0308", session=first) == said[:2]
        assert found("search", name="Zo\u00eb", text="hello") == said[::-1]
        assert found("search", name="Zo\u00eb", text="both", limit=1) == said[3:]
        assert found("search", name="Zo\u00eb", session=second, text="hello") == said[:1:-1]
        assert found("history", name="zo\u00eb") == found("search", name="Zoe", text="hello") == []
        for name in ("", "a  b", "x" * 65):
            with pytest.raises(RpcError) as refused:
                operator.call("history", name=name)
            assert refused.value.code == -32602


def test_who_has_left_is_asked_about_by_its_name():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann, b"before\n")
        ann.call("name", session=session, name="Zo\u00eb")
        client.send(b"hello\n")
        ann.wait_event("message", text="hello")
        ann.call("send", to=session, text="an answer")
        client.leave()
        ann.wait_event("disconnected", session=session)
        other, another = speaking(daemon, ann, b"hello from another\n")
        said = ["[1 Zo\u00eb] hello", "[1 Zo\u00eb]< ann: an answer"]
        for name in "Zo\u00eb", "Zoe\u0308":  # however its letters are encoded
            done = daemon.chatctl("--name", "bob", "--timestamps", "none", "history", name)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.splitlines() == said
        done = daemon.chatctl("--json", "search", "--client", "Zo\u00eb", "hello")
        (found,) = map(json.loads, done.stdout.splitlines())
        assert (found["session"], found["text"], found["name"]) == (session, "hello", "Zo\u00eb")
        # Whoever has the name now is another one, and so is what it says.
        ann.call("name", session=another, name="Zo\u00eb")
        other.send(b"now I am\n")
        ann.wait_event("message", text="now I am")
        done = daemon.chatctl("--name", "bob", "--timestamps", "none", "history", "Zo\u00eb")
        assert done.stdout.splitlines() == [*said, "[2 Zo\u00eb] now I am"]
        ann.call("name", session=another, name="")
        for name in "nobody", "zo\u00eb":
            done = daemon.chatctl("history", name)
            nothing = (0, "", "chatctl: nothing was found\n")
            assert (done.returncode, done.stdout, done.stderr) == nothing
        desk = chatctl(daemon, "--name", "bob")
        desk.enter("/history Zo\u00eb")
        desk.wait(r"^\[1 Zo\u00eb\] hello\n\[1 Zo\u00eb\]< ann: an answer\n")
        desk.enter("/history nobody")
        desk.wait(r"nothing was found")
        leave(desk)
        other.close()


def test_whoever_has_left_is_said_to_have_left(home):
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
        operator.wait_event("disconnected", session=session)
        for method, params in (
            ("send", {"to": session, "text": "x"}),
            ("bye", {"session": session}),
            ("name", {"session": session, "name": "x"}),
            ("claim", {"session": session}),
            ("note", {"session": session, "text": "x"}),
        ):
            with pytest.raises(RpcError) as refused:
                operator.call(method, **params)
            assert refused.value.code == 1
            begin = f"no such session: {session}; it left "
            assert refused.value.message.startswith(begin), refused.value.message
            assert refused.value.message.endswith((" second ago", " seconds ago"))
        with pytest.raises(RpcError) as refused:
            operator.call("bye", session=session + 1)
        assert refused.value.message == f"no such session: {session + 1}"
        # That is not remembered by the next process.
        hand_over(daemon)
        with pytest.raises(RpcError) as refused:
            daemon.operator().call("bye", session=session)
        assert refused.value.message == f"no such session: {session}"
