"""No descriptors: for the process (EMFILE), for the whole machine (ENFILE)."""

import errno
import os
import resource
import signal
import socket
import subprocess

import pytest
from harness import SANITIZER, Client, Daemon, Home, run_chatd
from witness import Witness

CLIENTS = 20


def set_limit(daemon, count):
    _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (count, hard))


def highest(daemon):
    return max(int(name) for name in os.listdir(f"/proc/{daemon.pid}/fd"))


class Emfile:
    def __init__(self, daemon, faulty):
        self.daemon = daemon
        self.before, _ = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)

    def begin(self):
        """A descriptor number at or above the limit cannot be had."""
        set_limit(self.daemon, highest(self.daemon) + 1)

    def end(self):
        set_limit(self.daemon, self.before)


class Enfile:
    def __init__(self, daemon, faulty):
        self.faulty = faulty

    def begin(self):
        self.faulty.accept_error = errno.ENFILE

    def end(self):
        assert self.faulty.accepts_failed > 0
        self.faulty.accept_error = 0


@pytest.mark.parametrize("kind", [Emfile, Enfile])
def test_without_descriptors_who_is_there_is_served_and_who_waits_comes_in_later(kind, request):
    faulty = request.getfixturevalue("faulty") if kind is Enfile else None
    with Daemon(env=faulty.env if faulty else None) as daemon:
        witness = Witness(daemon)
        fault = kind(daemon, faulty)
        fault.begin()
        said = len(daemon.log())
        waiting = [Client(daemon.address) for _ in range(CLIENTS)]
        for client in waiting:
            client.send(b"let me in\n")
        daemon.wait_log("accept on .*: Too many open files")
        for _ in range(5):
            witness.is_served()
        assert witness.daemon.rests(1.5, 0.1)
        witness.is_served()
        assert witness.operator.events_of("message", text="let me in") == []
        # Tried again ten times a second, said once for each listener.
        assert len(daemon.log()[said:].splitlines()) <= 3, daemon.log()[said:]
        fault.end()
        for _ in waiting:
            witness.operator.wait_event("message", text="let me in")
        witness.operator.call("send", to="all", text="welcome")
        for client in [witness.client, *waiting]:
            client.expect(b"welcome\n")
        for client in waiting:
            client.leave()
        stats = witness.all_is_back()
        assert stats["accepted"] == CLIENTS + 1 and stats["refused"] == 0


def test_without_descriptors_operators_wait_and_what_needs_one_is_refused():
    with Daemon() as daemon:
        witness = Witness(daemon)
        fault = Emfile(daemon, None)
        fault.begin()
        late = socket.socket(socket.AF_UNIX)
        late.connect(str(daemon.control_path))
        # A reload needs a descriptor to read the file; a successor one for what it is left.
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log("the configuration stays as it is")
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("does not hand over")
        witness.is_served()
        witness.operator.call("history", limit=5)
        fault.end()
        late.close()
        with daemon.operator() as operator:
            assert operator.call("stats")["sessions"] == 1
        assert witness.operator.call("reload")["changed"] == []
        witness.all_is_back()


def test_a_connection_that_cannot_be_watched_is_refused_and_takes_no_place(faulty):
    with Daemon({"limits": {"sessions": 2}}, env=faulty.env) as daemon:
        witness = Witness(daemon)
        faulty.watch_error = errno.ENOSPC
        for number in range(1, 4):
            with Client(daemon.address) as client:
                client.expect_end()
            assert witness.operator.call("stats")["refused"] == number
        daemon.wait_log("refused.*No space left on device")
        faulty.watch_error = 0
        with Client(daemon.address) as client:
            witness.operator.session_of(client)
        witness.all_is_back()


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer needs descriptors of its own")
@pytest.mark.parametrize("count", range(3, 11))
def test_with_too_few_descriptors_to_begin_it_says_so_or_begins(count):
    """The limit goes from three, which the standard descriptors take, up to what chatd needs."""
    home = Home()
    home.write_config({})

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    try:
        ended = run_chatd(
            "--config", home.config_path, "--console", "off", home=home, preexec_fn=limit, timeout=2
        )
    except subprocess.TimeoutExpired:
        return  # It runs; e2e/limits shows with how few it serves.
    finally:
        home.remove()
    # The dynamic loader has an exit code of its own.
    assert ended.returncode in (1, 78, 127), ended
    assert ended.stderr.strip(), "it ended without a word"
