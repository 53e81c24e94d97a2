"""What clients are called: by an operator, by the configuration, and never two the same."""

import pytest

from harness import Daemon, Home, RpcError, hand_over


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
