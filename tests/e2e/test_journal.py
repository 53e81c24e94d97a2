"""The journal as a log: fields of its own, and a journald that has stopped delays nothing."""

import os
import signal
import socket
import struct
import threading
import time

import pytest
from harness import SANITIZER, Daemon, Home, run_chatd, speaking, wait_until
from harness.own_mounts import own_mounts


def parse(entry):
    """The fields of a datagram of the journal's native protocol."""
    fields = {}
    while entry:
        name, _, rest = entry.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            (size,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        fields[name.decode()] = value.decode()
        entry = rest
    return fields


class Journald:
    """Reads what is sent to the socket, while it is told to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.05)
        self.entries = []
        self.reads = threading.Event()
        self.reads.set()
        self.closing = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.closing:
            if not self.reads.wait(0.05):
                continue
            try:
                self.entries.append(parse(self.socket.recv(1 << 20)))
            except TimeoutError:
                pass

    def wait(self, **fields):
        """The first entry with these fields."""

        def find():
            for entry in list(self.entries):
                if all(entry.get(key) == value for key, value in fields.items()):
                    return entry
            return None

        return wait_until(find, f"{fields} in {self.entries[-5:]}")

    def close(self):
        self.closing = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def journald():
    """A Journald whose socket is at the usual place, in a mount namespace of its own."""
    home = Home()
    journald = Journald(home.path / "journal.sock")
    journald.home = home
    mount = (
        "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && "
        'touch /run/systemd/journal/socket && mount --bind "$0" /run/systemd/journal/socket'
    )
    try:
        with own_mounts(mount, home.path / "journal.sock", home.path) as journald.prefix:
            yield journald
    finally:
        journald.close()
        home.remove()


def start(journald, config, **how):
    """Starts a daemon with a known port, because it prints nothing on standard error."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    config = {"listen": [{"address": "127.0.0.1", "port": port}], **config}
    how.setdefault("prefix", journald.prefix)
    daemon = Daemon(config, home=journald.home, listeners=0, **how)
    daemon.endpoints = [f"127.0.0.1:{port}"]
    return daemon


def test_lines_have_fields(journald):
    config = {"log": {"target": "journal", "level": "trace"}}
    with start(journald, config) as daemon:
        started = journald.wait(MESSAGE=f"listening on {daemon.endpoints[0]}")
        assert started["PRIORITY"] == "6"
        assert started["SYSLOG_IDENTIFIER"] == "chatd"
        assert "CHATD_SESSION" not in started
        operator = daemon.operator(name="anna")
        client, session = speaking(daemon, operator, "grüße\x1f\x1b[2J\n".encode())
        address = client.address
        connected = journald.wait(CHATD_EVENT="connected", CHATD_SESSION=str(session))
        assert connected["CHATD_PEER"] == address
        assert connected["MESSAGE"] == (
            f"[{session}] connected from {address} on {daemon.endpoints[0]}"
        )
        said = journald.wait(CHATD_EVENT="message", CHATD_SESSION=str(session))
        assert said["PRIORITY"] == "7"
        assert said["MESSAGE"] == f"[{session}] says: grüße\\x1f\\x1b[2J"
        assert client.leave() == b""
        gone = journald.wait(CHATD_EVENT="disconnected", CHATD_SESSION=str(session))
        assert gone["CHATD_PEER"] == address
        assert journald.wait(CHATD_EVENT="operator")["MESSAGE"] == "operator anna attached"
        journald.home.config_path.write_text("[session]\nsettle = 3\n")
        daemon.send_signal(signal.SIGHUP)
        refused = journald.wait(PRIORITY="3")
        assert "chatd.toml:2:10: session.settle" in refused["MESSAGE"]
        assert daemon.log() == ""
    journald.wait(MESSAGE="stops: SIGTERM")


def test_auto_is_the_journal_where_standard_error_goes_there(journald):
    """JOURNAL_STREAM names standard error: a shell finds out which pipe that is."""
    find = 'export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2); exec "$@"'
    prefix = [*journald.prefix, "sh", "-c", find, "sh"]
    with start(journald, {}, prefix=prefix) as daemon:
        journald.wait(MESSAGE=f"listening on {daemon.endpoints[0]}")
        assert daemon.log() == ""
    prefix = [*journald.prefix, "env", "JOURNAL_STREAM=1:1"]
    journald.home.write_config({})
    journald.entries.clear()
    with Daemon(home=journald.home, prefix=prefix) as daemon:
        daemon.wait_log("listening on")
    assert journald.entries == []


def test_a_journald_that_has_stopped_delays_nothing_and_hears_how_much_it_missed(journald):
    config = {
        "log": {"target": "journal", "level": "trace"},
        "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
    }
    with start(journald, config) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        journald.wait(CHATD_EVENT="message")
        journald.reads.clear()
        for number in range(5000):  # more than its queue and ours have room for
            client.send(b"line %d\n" % number)
        operator.wait_event("message", session=session, text="line 4999")
        # Longer than the log waits for a line to be written.
        stopped, number = time.monotonic(), 0
        while time.monotonic() < stopped + 2:
            number += 1
            client.send(b"still here %d\n" % number)
            operator.wait_event("message", session=session, text=f"still here {number}")
        if not SANITIZER:
            assert operator.call("stats")["longest_turn_ms"] < 900
        journald.reads.set()
        # Whatever is logged next brings the notice.
        with daemon.client() as other:
            operator.session_of(other)

            def told():
                other.send(b"again\n")
                return any("log lines were lost here" in e["MESSAGE"] for e in journald.entries)

            wait_until(told, "it is said how many")
        journald.wait(MESSAGE=f"[{session + 1}] says: again")


def test_it_stops_well_while_journald_is_stopped(journald):
    config = {"log": {"target": "journal", "level": "trace"}}
    with start(journald, config) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        journald.reads.clear()
        for number in range(600):
            client.send(b"line %d\n" % number)
        client.send(b"bye\n")
        client.take_all()
        operator.wait_event("disconnected", session=session)


def test_without_a_journal_it_does_not_start():
    home = Home()
    home.write_config({"log": {"target": "journal"}})
    if os.path.exists("/run/systemd/journal/socket"):
        pytest.skip("there is one here")
    done = run_chatd("--config", home.config_path, home=home)
    assert done.returncode == 1
    assert "log.target: there is no journal at /run/systemd/journal/socket" in done.stderr
    home.remove()
