"""chatctl talk over TLS: against the real daemon, and against servers that are not the one that was
meant, or that speak no TLS. What it does without TLS is in test_talk.py."""

import contextlib
import os
import random
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import FOR_ONE_ORIGIN, GUARD, Daemon, wait_until
from harness.certificates import Authority
from test_talk import (
    LONG_FILE,
    OtherSide,
    Server,
    count_all,
    long_file,
    popen,
    run,
    server,  # noqa: F401, a fixture
    spawn,
    wait_until_asleep,
)

CONFIG = {"limits": FOR_ONE_ORIGIN}


@pytest.fixture(scope="module")
def other_authority():
    with Authority() as authority:
        yield authority


@pytest.fixture
def daemon(authority):
    with Daemon(CONFIG | {"listen": [authority.listener()]}) as daemon:
        yield daemon


def ca(authority):
    return ["--ca", str(authority.certificate)]


class SecureServer(Server):
    """A server with that certificate, which says what a test says."""

    def __init__(self, certificate, key, version=None):
        super().__init__()
        self.at = f"tls:localhost:{self.port}"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version:
            self.context.maximum_version = version
        self.context.load_cert_chain(certificate, key)

    def accept(self):
        accepted, _ = self.listener.accept()
        accepted.settimeout(GUARD)
        return OtherSide(self.context.wrap_socket(accepted, server_side=True))

    @contextlib.contextmanager
    def accepting(self):
        """Shakes hands with whoever comes, in the background."""

        def shake():
            with contextlib.suppress(OSError):
                self.accept().close()

        thread = threading.Thread(target=shake)
        thread.start()
        yield
        thread.join()


@pytest.fixture
def secure(authority):
    with SecureServer(*authority.sign("localhost")) as made:
        yield made


def close_all(process):
    for each in process.stdin, process.stdout, process.stderr:
        if each:
            each.close()


# A conversation.


def test_a_conversation_with_the_daemon_has_line_editing(daemon, authority):
    operator = daemon.operator()
    port = daemon.address[1]
    desk = spawn(*ca(authority), f"tls:localhost:{port}")
    desk.wait(rf"^\* connected to 127\.0\.0\.1:{port} \(localhost\) over TLS$")
    desk.wait_line("> ")
    desk.type("ello\x1b[D\x1b[D\x1b[D\x1b[Dh\x05 wörld\r")
    session = operator.wait_event("message", text="hello wörld")["session"]
    [each] = operator.call("sessions")
    assert each["tls"].startswith("TLSv1.3 TLS_") and each["dialect"] == "line"
    operator.call("send", to=session, text="two\nlines äöü 你好")
    desk.wait("^< two\n< lines äöü 你好$")
    operator.call("bye", session=session)
    assert desk.wait_end() == 0
    assert desk.text().splitlines()[1:] == [
        "> hello wörld",
        "< two",
        "< lines äöü 你好",
        "* the other side has closed the connection",
    ]


def test_ctrl_d_closes_the_sending_side_and_what_comes_is_still_heard(daemon, authority):
    operator = daemon.operator()
    desk = spawn(f"tls:localhost:{daemon.address[1]}", *ca(authority))
    desk.wait_line("> ")
    desk.type("a question\r\x04")
    session = operator.wait_event("asking")["session"]
    operator.call("send", to=session, text="an answer")
    assert desk.wait_end() == 0
    assert desk.text().splitlines()[-2:] == [
        "< an answer",
        "* the other side has closed the connection",
    ]


def test_a_piped_question_gets_its_answer(daemon, authority):
    operator = daemon.operator()
    port = daemon.address[1]
    asker = popen(f"tls:localhost:{port}", *ca(authority))
    asker.stdin.write(b"deploy?\n")
    asker.stdin.close()
    session = operator.wait_event("message", text="deploy?")["session"]
    wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
    operator.call("send", to=session, text="yes, go ahead")
    assert asker.wait(GUARD) == 0
    assert asker.stdout.read() == b"yes, go ahead\n"
    said = asker.stderr.read().decode()
    assert said == f"chatctl: connected to 127.0.0.1:{port} (localhost) over TLS\n"
    close_all(asker)


def test_an_address_is_a_name_too_and_has_brackets(authority):
    with Daemon(CONFIG | {"listen": [authority.listener("::1", address="::1")]}) as daemon:
        operator = daemon.operator()
        for words in [f"tls:[::1]:{daemon.address[1]}"], ["tls:::1", str(daemon.address[1])]:
            asker = popen(*words, *ca(authority))
            asker.stdin.write(b"here?\n")
            asker.stdin.close()
            session = operator.wait_event("message", text="here?")["session"]
            operator.call("send", to=session, text="yes")
            assert (asker.wait(GUARD), asker.stdout.read()) == (0, b"yes\n")
            close_all(asker)


def test_the_server_is_told_the_name(authority):
    first, second = authority.sign("other.example"), authority.sign("localhost")
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
        asker = popen(f"tls:localhost:{daemon.address[1]}", *ca(authority))
        asker.stdin.write(b"who?\n")
        asker.stdin.close()
        session = operator.wait_event("message", text="who?")["session"]
        operator.call("send", to=session, text="localhost")
        assert (asker.wait(GUARD), asker.stdout.read()) == (0, b"localhost\n")
        close_all(asker)


def test_all_bytes_pass_as_they_are_in_both_directions(secure, authority):
    raw = random.Random(15).randbytes(1024 * 1024) + b"\r\n\x1b[31m no LF"
    hearer = popen(secure.at, *ca(authority))
    with secure.accept() as other:
        hearer.stdin.write(b"x" * 1_000_000 + b"\n")
        hearer.stdin.flush()
        assert other.take(1_000_001) == b"x" * 1_000_000 + b"\n"
        sender = threading.Thread(target=other.send, args=[raw])
        sender.start()
        assert hearer.stdout.read(len(raw)) == raw
        sender.join()
    assert hearer.wait(GUARD) == 0
    close_all(hearer)


def test_what_the_server_says_at_once_is_heard(secure, authority):
    """It comes with the end of the handshake, before anything else can."""
    hearer = popen(secure.at, *ca(authority), stdin=subprocess.DEVNULL)
    with secure.accept() as other:
        other.send(b"welcome\n")
        other.expect_end()
    assert hearer.communicate(timeout=GUARD)[0] == b"welcome\n"
    assert hearer.returncode == 0


def test_a_line_from_a_pipe_leaves_in_one_piece_and_the_last_gets_its_end(secure, authority):
    speaker = popen(secure.at, *ca(authority))
    with secure.accept() as other:
        speaker.stdin.write(b"hello\nand the l")
        speaker.stdin.flush()
        other.expect(b"hello\n")
        speaker.stdin.write(b"ast")
        speaker.stdin.close()
        # To its end, which is close_notify: Python's ssl takes a bare end of file for an error.
        assert other.take_all() == b"and the last\n"
        other.send(b"heard\n")
    assert (speaker.wait(GUARD), speaker.stdout.read()) == (0, b"heard\n")
    close_all(speaker)


def test_input_waits_for_a_server_that_does_not_read(secure, authority, tmp_path):
    with long_file(tmp_path) as file, popen(secure.at, *ca(authority), stdin=file) as speaker:
        with secure.accept() as other:
            wait_until_asleep(speaker.pid)
            assert os.lseek(file.fileno(), 0, os.SEEK_CUR) < LONG_FILE // 2
            assert count_all(other) == LONG_FILE + 1
        assert speaker.wait(GUARD) == 0


def test_a_flood_waits_for_a_reader_that_stands_still(secure, authority):
    hearer = popen(secure.at, *ca(authority))
    piece, pieces = b"0123456789abcde\n" * 4096, 1024
    sent = 0

    def send():
        nonlocal sent
        for _ in range(pieces):
            other.send(piece)
            sent += 1

    def stands_still():
        before = sent
        time.sleep(0.5)  # It sends more than once in this time, unless it waits.
        return 0 < before == sent

    with secure.accept() as other:
        sender = threading.Thread(target=send)
        sender.start()
        wait_until(stands_still, "it waits")
        assert sent < pieces
        assert hearer.stdout.read(len(piece) * pieces) == piece * pieces
        sender.join()
    assert hearer.wait(GUARD) == 0
    close_all(hearer)


# The end.


def test_close_notify_is_the_end_of_what_the_server_says(secure, authority):
    hearer = popen(secure.at, *ca(authority))
    with secure.accept() as other:
        other.send(b"the last\n")
        other.socket.settimeout(0)
        with contextlib.suppress(ssl.SSLWantReadError):  # unless the answer has come already
            other.socket.unwrap()
        assert hearer.wait(GUARD) == 0  # the connection itself is open
        assert hearer.stdout.read() == b"the last\n"
        assert b"chatctl: the other side has closed the connection\n" in hearer.stderr.read()
    close_all(hearer)


def test_a_bare_end_of_file_is_the_end_too(secure, authority):
    hearer = popen(secure.at, *ca(authority))
    with secure.accept() as other:
        other.send(b"the last\n")
        other.close_sending()
        assert hearer.wait(GUARD) == 0
        assert hearer.stdout.read() == b"the last\n"
    close_all(hearer)


def test_a_broken_connection_has_an_exit_code_of_its_own(secure, authority):
    hearer = popen(secure.at, *ca(authority))
    other = secure.accept()
    other.send(b"before it broke\n")
    assert hearer.stdout.readline() == b"before it broke\n"
    other.reset()
    assert hearer.wait(GUARD) == 6
    assert b"chatctl: the connection broke: Connection reset by peer\n" in hearer.stderr.read()
    close_all(hearer)


def test_bytes_that_nobody_has_encrypted_are_never_shown(secure, authority):
    hearer = popen(secure.at, *ca(authority))
    other = secure.accept()
    with socket.socket(fileno=other.socket.detach()) as bare:
        bare.sendall(b"\x17\x03\x03\x00\x20" + b"forged by who is on the path 0123")
        assert hearer.wait(GUARD) == 6
    assert hearer.stdout.read() == b""
    assert b"chatctl: the connection broke: TLS failed: " in hearer.stderr.read()
    close_all(hearer)


# Who it is.


def refused(at, *words):
    done = run(at, *words, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_certificate_for_another_name_is_refused(daemon, authority):
    operator = daemon.operator()
    port = daemon.address[1]
    assert refused(f"tls:127.0.0.1:{port}", *ca(authority)) == (
        9,
        f"chatctl: 127.0.0.1:{port} has a certificate that is for localhost, "
        "and not for 127.0.0.1\n",
    )
    with SecureServer(*authority.sign("other.example")) as other, other.accepting():
        assert refused(other.at, *ca(authority)) == (
            9,
            f"chatctl: localhost:{other.port} has a certificate that is for other.example, "
            "and not for localhost\n",
        )
    assert not [each for each in operator.events if each["method"] == "connected"]


def test_an_authority_that_nobody_knows_is_refused(daemon, authority, other_authority):
    at = f"tls:localhost:{daemon.address[1]}"
    unknown = (
        f"chatctl: localhost:{daemon.address[1]} has a certificate of an authority that is not "
        "known here"
    )
    assert refused(at) == (9, f"{unknown}; --ca FILE says whom else to trust\n")
    assert refused(at, *ca(other_authority)) == (9, f"{unknown}\n")


def test_a_certificate_that_has_expired_is_refused(authority):
    with SecureServer(*authority.sign("localhost", days=-1)) as server, server.accepting():
        code, said = refused(server.at, *ca(authority))
    assert code == 9
    assert said.startswith(
        f"chatctl: localhost:{server.port} has a certificate that expired at 20"
    )


def test_a_server_that_this_machine_trusts_needs_no_option(daemon, authority, monkeypatch):
    """Its store is OpenSSL's, and that has variables of its own."""
    operator = daemon.operator()
    env = os.environ | {"SSL_CERT_FILE": str(authority.certificate)}
    monkeypatch.setattr("test_talk.ENV", env)
    asker = popen(f"tls:localhost:{daemon.address[1]}")
    asker.stdin.write(b"here?\n")
    asker.stdin.close()
    session = operator.wait_event("message", text="here?")["session"]
    operator.call("send", to=session, text="yes")
    assert (asker.wait(GUARD), asker.stdout.read()) == (0, b"yes\n")
    close_all(asker)


def test_a_client_certificate_is_a_verified_name(authority, other_authority, tmp_path):
    listen = authority.listener(tls_client_ca=str(authority.certificate))
    with Daemon(CONFIG | {"listen": [listen]}) as daemon:
        operator = daemon.operator()
        at = f"tls:localhost:{daemon.address[1]}"
        certificate, key = authority.sign("ann")
        both = tmp_path / "both.pem"
        with open(certificate) as one, open(key) as two:
            both.write_text(one.read() + two.read())
        for own in ["--certificate", certificate, "--key", key], ["--certificate", str(both)]:
            asker = popen(at, *ca(authority), *own)
            asker.stdin.write(b"it is me\n")
            asker.stdin.close()
            assert operator.wait_event("connected")["verified"] == "ann"
            session = operator.wait_event("message", text="it is me")["session"]
            operator.call("send", to=session, text="so it is")
            assert (asker.wait(GUARD), asker.stdout.read()) == (0, b"so it is\n")
            close_all(asker)
        certificate, key = other_authority.sign("mallory")
        stranger = popen(at, *ca(authority), "--certificate", certificate, "--key", key)
        assert stranger.wait(GUARD) == 6
        assert b"the connection broke: TLS failed: " in stranger.stderr.read()
        close_all(stranger)


# No TLS.


def test_a_server_of_plain_text_is_told_and_nothing_is_said_to_it(server, authority):  # noqa: F811
    asker = popen(f"tls:{server.at}", *ca(authority))
    asker.stdin.write(b"a secret\n")
    asker.stdin.flush()
    with server.accept() as other:
        heard = other.take(11)
        assert heard[:3] == b"\x16\x03\x01" and heard[5] == 1  # a ClientHello
        other.send(b"Welcome! This is plain text.\n")
        assert asker.wait(GUARD) == 3
        assert b"a secret" not in other.take_all()
    assert asker.stdout.read() == b""
    assert asker.stderr.read().decode() == f"chatctl: {server.at} answers, but not in TLS\n"
    close_all(asker)


def test_a_server_that_hangs_up_or_says_nothing_is_told(server, authority):  # noqa: F811
    asker = popen(f"tls:{server.at}", *ca(authority))
    with server.accept() as other:
        other.take(11)
        other.close_sending()
        assert asker.wait(GUARD) == 3
        assert asker.stderr.read().decode() == (
            f"chatctl: {server.at} closed the connection in the handshake; "
            "perhaps it speaks no TLS\n"
        )
    close_all(asker)
    asker = popen(f"tls:{server.at}", *ca(authority))
    with server.accept() as other:
        other.take(11)
        assert asker.wait(GUARD) == 3
        assert asker.stderr.read().decode() == (
            f"chatctl: {server.at} does not answer in TLS; perhaps it speaks none\n"
        )
    close_all(asker)


def test_an_old_version_is_not_taken(authority):
    old = SecureServer(*authority.sign("localhost"), version=ssl.TLSVersion.TLSv1_2)
    with old, old.accepting():
        assert refused(old.at, *ca(authority)) == (
            3,
            f"chatctl: localhost:{old.port} does not speak TLS 1.3\n",
        )


def test_a_server_that_is_not_there_is_named_with_its_reason():
    with Server() as server:
        port = server.port
    assert refused(f"tls:127.0.0.1:{port}") == (
        3,
        f"chatctl: cannot reach 127.0.0.1:{port}: Connection refused\n",
    )


@pytest.mark.parametrize(
    "words, said",
    [
        (["tls:"], "tls:: the host is missing"),
        (["tls:unix:/x"], "tls:unix:/x: a unix socket has no name to be checked"),
        (["tls:h:1", "2"], "tls:h:1: the port is given twice"),
        (["h", "--ca", "/x"], "files of TLS have no meaning without tls: before the server"),
        (["tls:h", "--key", "/x"], "--key belongs to --certificate"),
        (["tls:h", "--ca"], "--ca: its value is missing"),
        (["tls:h", "--ca="], "--ca: the name of a file is missing"),
        (["tls:h", "--ca", "/no/file"], "/no/file: No such file or directory"),
        (["tls:h", "--ca", "/dev/null"], "/dev/null: it is not a file"),
        (["tls:h", "--ca", __file__], f"{__file__}: there is no certificate in it"),
        (["tls:h", "--certificate", "/no/file"], "/no/file: No such file or directory"),
    ],
)
def test_a_wrong_command_line_is_told_and_nobody_is_called(words, said):
    done = run(*words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"chatctl: {said}")
