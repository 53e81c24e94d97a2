"""TLS at the same port: whoever begins with a ClientHello gets it, all others go on as before; and
a session outlives the process that has shaken hands."""

import socket
import ssl

import pytest

from harness import FOR_ONE_ORIGIN, GUARD, Daemon, Home, RpcError, hand_over, run_chatd
from harness.certificates import Authority, Secure
from harness.web import Page, WebSocket, request

CONFIG = {"limits": FOR_ONE_ORIGIN}


@pytest.fixture
def daemon(authority):
    with Daemon(CONFIG | {"listen": [authority.listener()]}) as daemon:
        yield daemon


def test_plain_and_secure_clients_meet_at_one_port(daemon, authority):
    operator = daemon.operator()
    context = authority.client()
    with Secure(daemon.address, context) as client, daemon.client() as plain:
        assert client.socket.version() == "TLSv1.3"
        client.send(b"secret\n")
        plain.send(b"open\n")
        said = {}
        for _ in range(2):
            event = operator.wait_event("message")
            said[event["text"]] = event["session"]
        sessions = {each["session"]: each for each in operator.call("sessions")}
        assert sessions[said["secret"]]["tls"].startswith("TLSv1.3 TLS_")
        assert "tls" not in sessions[said["open"]]
        operator.call("send", to=said["secret"], text="yes")
        client.expect(b"yes\n")
        operator.call("bye", session=said["secret"])
        client.expect_end()


def test_everything_else_works_within_it(daemon, authority):
    operator = daemon.operator()
    wrap = authority.wrap()
    assert request(daemon.address, wrap=wrap).status == 200
    with WebSocket(daemon.address, wrap=wrap) as program, Page(daemon.address, wrap=wrap) as page:
        program.send("from a program")
        operator.wait_event("message", text="from a program")
        page.say("from a page")
        event = operator.wait_event("message", text="from a page")
        [tls] = [each["tls"] for each in operator.call("sessions") if each["session"] == event["session"]]
        assert tls.startswith("TLSv1.3")


def test_an_asker_hears_its_answer_after_half_an_end(daemon, authority):
    operator = daemon.operator()
    context = authority.client()
    for bare in True, False:
        raw = socket.create_connection(daemon.address, timeout=GUARD)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        tls.write(b"deploy?\n")
        if not bare:
            with pytest.raises(ssl.SSLWantReadError):
                tls.unwrap()
        raw.sendall(outgoing.read())
        if bare:
            raw.shutdown(socket.SHUT_WR)
        session = operator.wait_event("asking")["session"]
        operator.call("send", to=session, text="yes")
        data = b""
        while piece := raw.recv(65536):
            data += piece
        incoming.write(data)
        if bare:
            assert tls.read() == b"yes\n"
        operator.wait_event("disconnected", session=session)
        raw.close()


def test_plain_text_is_told_where_tls_is_required(authority):
    with Daemon(CONFIG | {"listen": [authority.listener(tls="required")]}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hello\n")
            client.expect(b"This port speaks TLS only.\n")
            client.expect_end()
        with Secure(daemon.address, authority.client()) as client:
            client.send(b"hello\n")
            operator.wait_event("message", text="hello")
        assert [each["method"] for each in operator.events].count("connected") == 1


def test_a_client_certificate_is_a_verified_name(authority):
    listen = authority.listener(tls_client_ca=str(authority.certificate))
    with Daemon(CONFIG | {"listen": [listen]}) as daemon, Authority() as other:
        operator = daemon.operator()
        with Secure(daemon.address, authority.client("ann")) as client:
            client.send(b"hello\n")
            assert operator.wait_event("connected")["verified"] == "ann"
            assert operator.call("sessions")[0]["verified"] == "ann"
        with Secure(daemon.address, authority.client()) as client:
            client.send(b"nobody\n")
            assert "verified" not in operator.wait_event("connected")
        stranger = authority.client()
        stranger.load_cert_chain(*other.sign("mallory"))
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            with Secure(daemon.address, stranger) as client:
                client.send(b"hello\n")
                client.take(1)
        assert all(each.get("verified") != "mallory" for each in operator.events)


def test_a_verified_name_can_be_given_another(authority):
    listen = authority.listener(tls_client_ca=str(authority.certificate))
    names = {"verified:door.example": "front door", "127.0.0.0/8": "somebody"}
    with Daemon(CONFIG | {"listen": [listen], "names": names}) as daemon:
        operator = daemon.operator()
        for name, shown in ("door.example", "front door"), (None, "somebody"):
            with Secure(daemon.address, authority.client(*[name] if name else [])) as client:
                client.send(b"hello\n")
                session = operator.wait_event("message")["session"]
                named = operator.wait_event("named", session=session)
                assert (named["name"], named["automatic"]) == (shown, True)


def test_a_page_is_verified_only_while_it_comes_with_its_certificate(authority):
    listen = authority.listener(tls_client_ca=str(authority.certificate))
    with Daemon(CONFIG | {"listen": [listen]}) as daemon:
        operator = daemon.operator()

        def way(session):
            entry = operator.session(session)
            return entry.get("verified"), entry.get("tls", "").partition(" ")[0]

        with Page(daemon.address, wrap=authority.wrap("ann")) as page:
            page.say("hello")
            session = operator.wait_event("message", text="hello")["session"]
            assert way(session) == ("ann", "TLSv1.3")
        with Page(daemon.address, resume=page.token) as page:
            assert page.session_resumed
            assert way(session) == (None, "")
        with Page(daemon.address, resume=page.token, wrap=authority.wrap()) as page:
            assert way(session) == (None, "TLSv1.3")
        with Page(daemon.address, resume=page.token, wrap=authority.wrap("ann")) as page:
            assert way(session) == ("ann", "TLSv1.3")
            operator.close()
            hand_over(daemon)
            operator = daemon.operator()
            assert way(session) == ("ann", "TLSv1.3")


def test_certificates_are_chosen_by_name_and_renewed_by_a_reload(authority):
    first, second = authority.sign("one.example"), authority.sign("two.example")
    config = f"""
[[listen]]
address = "127.0.0.1"
port = 0
tls_certificate = "{first[0]}"
tls_key = "{first[1]}"
[[listen.certificate]]
tls_certificate = "{second[0]}"
tls_key = "{second[1]}"
[control]
path = "@CONTROL@"
"""
    with Daemon(config) as daemon:
        operator = daemon.operator()

        def serial(name):
            with Secure(daemon.address, authority.client(), name=name) as client:
                return client.socket.getpeercert()["serialNumber"]

        one, two = serial("one.example"), serial("two.example")
        assert one != two
        authority.sign("two.example")
        operator.call("reload")
        assert serial("one.example") == one and serial("two.example") != two
        with open(second[0], "w", encoding="ascii") as file:
            file.write("no certificate\n")
        with pytest.raises(RpcError) as refused:
            operator.call("reload")
        assert second[0] in refused.value.message
        assert serial("one.example") == one


def test_a_session_outlives_the_process_that_has_shaken_hands(daemon, authority):
    operator = daemon.operator()
    context = authority.client()
    clients = [Secure(daemon.address, context) for _ in range(20)]
    sessions = []
    for number, client in enumerate(clients):
        client.send(f"{number}\n".encode())
        sessions.append(operator.wait_event("message", text=str(number))["session"])
    for turn in range(3):
        operator.close()
        hand_over(daemon)
        operator = daemon.operator()
        for session, client in zip(sessions, clients):
            operator.call("send", to=session, text=f"turn {turn}")
            client.expect(f"turn {turn}\n".encode())
            client.send(f"heard {turn}\n".encode())
            operator.wait_event("message", session=session, text=f"heard {turn}")
    for client in clients:
        client.close()


def test_a_session_of_tls_1_2_is_ended_as_it_should_be(authority):
    with Daemon(CONFIG | {"listen": [authority.listener(tls_minimum="1.2")]}) as daemon:
        operator = daemon.operator()
        old = authority.client(version=ssl.TLSVersion.TLSv1_2)
        with Secure(daemon.address, old) as client, Secure(daemon.address, authority.client()) as new:
            client.send(b"old\n")
            operator.wait_event("message", text="old")
            new.send(b"new\n")
            session = operator.wait_event("message", text="new")["session"]
            operator.close()
            hand_over(daemon)
            assert client.socket.recv(100) == b""  # close_notify, not a cut
            operator = daemon.operator()
            assert [each["session"] for each in operator.call("sessions")] == [session]


def test_handshakes_that_stop_hold_nobody_up(daemon, authority):
    operator = daemon.operator()
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
    stuck = [daemon.client(source="127.0.0.2") for _ in range(60)]
    for client in stuck:
        client.send(hello)
    # Somebody from elsewhere, and then one who has to wait until some of them have given way.
    for source in "127.0.0.1", "127.0.0.2":
        with Secure(daemon.address, authority.client(), source=source) as client:
            client.send(f"from {source}\n".encode())
            operator.wait_event("message", text=f"from {source}")
    for client in stuck:
        client.close()


def test_what_is_no_tls_is_refused_by_an_alert(daemon):
    operator = daemon.operator()
    with daemon.client() as client:
        client.send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00" + bytes(8))
        assert client.take(1) == b"\x15"
    assert not [each for each in operator.events if each["method"] == "connected"]


def test_a_configuration_is_checked_with_its_certificates(authority):
    home = Home()
    try:
        good, key = authority.sign("localhost", days=30)
        soon, soon_key = authority.sign("soon.example", days=3)
        base = {"address": "127.0.0.1", "port": 0}
        home.write_config({"listen": [base | {"tls_certificate": good, "tls_key": key}]})
        assert run_chatd("--config", home.config_path, "--check-config", home=home).returncode == 0
        home.write_config({"listen": [base | {"tls_certificate": soon, "tls_key": soon_key}]})
        checked = run_chatd("--config", home.config_path, "--check-config", home=home)
        assert checked.returncode == 0 and "expires on" in checked.stdout + checked.stderr
        home.write_config({"listen": [base | {"tls_certificate": good, "tls_key": soon_key}]})
        checked = run_chatd("--config", home.config_path, "--check-config", home=home)
        assert checked.returncode != 0 and "localhost" in checked.stderr
    finally:
        home.remove()
