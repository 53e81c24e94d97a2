"""Where the keys of TLS are not: in core files, in logs, in transcripts and crash records, in any
file at all. What a process leaves to the next has them, in memory that only root can open."""

import hashlib
import hmac
import os
import re
import signal
import stat

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, hand_over, speaking, wait_until
from harness.certificates import Secure
from harness.managers import Manager

WITH_CORES = ["prlimit", "--core=unlimited"]


@pytest.fixture
def secure(authority):
    return authority.listener()


def leaves_core(daemon):
    """Makes it abort, and returns whether the kernel has written a core for that."""
    daemon.send_signal(signal.SIGABRT)
    how = os.waitid(os.P_PID, daemon.pid, os.WEXITED | os.WNOWAIT)
    assert how.si_status == signal.SIGABRT
    daemon.kill()
    return how.si_code == os.CLD_DUMPED or bool(list(daemon.home.path.glob("core*")))


@pytest.fixture
def cores():
    """This machine writes core files, so that one that is missing says something."""
    daemon = Daemon({}, prefix=WITH_CORES)
    try:
        if not leaves_core(daemon):
            pytest.skip("no core is written here")
    finally:
        daemon.home.remove()


@pytest.mark.usefixtures("cores")
def test_who_has_a_certificate_leaves_no_core(secure):
    with_key = Daemon({"listen": [secure]}, prefix=WITH_CORES)
    assert not leaves_core(with_key)
    with_key.home.remove()


@pytest.mark.usefixtures("cores")
def test_who_got_a_certificate_by_a_reload_leaves_no_core(secure):
    daemon = Daemon({}, prefix=WITH_CORES)
    daemon.home.write_config({"listen": [secure]})
    with daemon.operator() as operator:
        operator.call("reload")
    assert not leaves_core(daemon)
    daemon.home.remove()


@pytest.mark.usefixtures("cores")
def test_who_has_sessions_over_tls_and_no_certificate_leaves_no_core(secure, authority):
    daemon = Daemon({"listen": [secure]}, prefix=WITH_CORES)
    with Secure(daemon.address, authority.client()) as client:
        with daemon.operator() as operator:
            client.send(b"hello\n")
            operator.wait_event("message", text="hello")
        daemon.home.write_config({})
        hand_over(daemon)
        with daemon.operator() as operator:
            client.send(b"still here\n")
            operator.wait_event("message", text="still here")
        assert not leaves_core(daemon)
    daemon.home.remove()


def expand_label(secret, label, size, digest):
    """HKDF-Expand-Label of RFC 8446, 7.1, of at most one block."""
    full = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
    return hmac.new(secret, info + b"\1", digest).digest()[:size]


def secrets_of(keylog, suite):
    """What must be kept secret of the session, from what the client has logged of it."""
    digest = hashlib.sha384 if suite.endswith("SHA384") else hashlib.sha256
    size = 16 if "AES_128" in suite else 32
    found = [bytes.fromhex(line.split()[2]) for line in keylog.read_text().splitlines() if "TRAFFIC" in line]
    assert len(found) == 4
    return found + [expand_label(secret, b"key", size, digest) for secret in found]


def has_any(data, secrets):
    """Whether one of them is in there, as it is or in hexadecimal digits."""
    lower = data.lower()
    return any(secret in data or secret.hex().encode() in lower for secret in secrets)


def content_of(fd):
    return os.pread(fd, os.fstat(fd).st_size, 0)


def test_secrets_are_in_no_file_and_in_no_log(secure, authority, tmp_path):
    key_text = "".join(open(secure["tls_key"], encoding="ascii").read().splitlines()[1:-1])
    config = {
        "listen": [secure],
        "log": {"level": "debug"},
        "limits": FOR_ONE_ORIGIN,
    }
    keylog = tmp_path / "keylog"
    context = authority.client()
    context.keylog_filename = str(keylog)
    with Manager(store=100, job="restart") as manager:
        daemon = manager.start(config)
        operator = daemon.operator()
        client = Secure(daemon.address, context)
        client.send(b"hello\n")
        session = operator.wait_event("message", text="hello")["session"]
        plain, plain_id = speaking(daemon, operator)
        operator.call("name", session=plain_id, name="keeper")
        # It came after the other, and those of TLS are not kept.
        wait_until(lambda: any("session" in name for name in manager.stored()), "a session is stored")
        wait_until(lambda: operator.recorded() >= 4, "they are recorded")
        secrets = secrets_of(keylog, client.socket.cipher()[0])
        secrets.append(key_text.encode())

        def look(logs):
            assert not has_any(logs.encode(), secrets)
            files = [path for path in manager.home.path.rglob("*") if path.is_file()]
            assert any("transcript" in path.name for path in files)
            for path in files:
                assert not has_any(path.read_bytes(), secrets), path
            (records,) = [fd for name, fd in manager.store if name == "chatd-records"]
            wait_until(lambda: b"keeper" in content_of(records), "the other session is there")
            assert not has_any(content_of(records), secrets)

        look(daemon.log())
        daemon.stop()
        look(daemon.log())
        # Here they are, and so what looks for them finds them.
        (document,) = [fd for name, fd in manager.store if name == "chatd-document"]
        assert has_any(content_of(document), secrets[:-1])
        assert os.fstat(document).st_nlink == 0 and stat.S_ISREG(os.fstat(document).st_mode)
        assert not has_any(content_of(document), secrets[-1:])
        with manager.start() as daemon:
            wait_until(lambda: "chatd-document" not in manager.stored(), "it was taken out")
            operator = daemon.operator()
            client.send(b"more\n")
            operator.wait_event("message", session=session, text="more")
            # Nor does the next process keep it.
            held = [os.readlink(f"/proc/{daemon.pid}/fd/{n}") for n in os.listdir(f"/proc/{daemon.pid}/fd")]
            assert not [name for name in held if "chatd-state" in name]
            maps = open(f"/proc/{daemon.pid}/maps", encoding="ascii").read()
            assert not re.search("chatd-state", maps)
            look(daemon.log())
            client.close()
            plain.close()
