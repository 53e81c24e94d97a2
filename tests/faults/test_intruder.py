"""What somebody who has taken the daemon over can still make the kernel do (seccomp):
intruder.cpp makes the calls inside of it. That the daemon can do all that it has to is
shown by every other test, for the filter is on in all of them."""

import errno
import os
import platform
import signal
import tempfile

import pytest

from harness import SANITIZER, Daemon, hand_over, wait_until

LIBRARY = os.environ.get("CHATD_INTRUDER", "")

pytestmark = pytest.mark.skipif(
    bool(SANITIZER) or platform.machine() != "x86_64", reason="there is no filter in this build"
)


def status_of(path, field):
    with open(path) as status:
        return next(line.split()[1] for line in status if line.startswith(field + ":"))


def filters(pid):
    """How many there are, of one thread; a container brings some of its own."""
    return int(status_of(f"/proc/{pid}/status", "Seccomp_filters")) - int(
        status_of("/proc/self/status", "Seccomp_filters")
    )


def threads(pid, field):
    """The values that the threads have."""
    tasks = os.listdir(f"/proc/{pid}/task")
    assert len(tasks) >= 3  # the loop, the log, the store
    return {status_of(f"/proc/{pid}/task/{task}/status", field) for task in tasks}


class Intruder:
    def __init__(self):
        assert os.path.exists(LIBRARY), "CHATD_INTRUDER names the library intruder"
        self.file = tempfile.NamedTemporaryFile("r", prefix="intruder-")
        self.env = {"LD_PRELOAD": LIBRARY, "INTRUDER": self.file.name}

    def tries(self, daemon):
        """{what it tried: the name of the error, or "done"}"""
        daemon.send_signal(signal.SIGUSR1)
        said = []

        def all_of_it():
            said.extend(self.file.readlines())
            return "end 0\n" in said

        wait_until(all_of_it, "the intruder has tried")
        tried = dict(line.split() for line in said[:-1])
        return {word: errno.errorcode.get(int(code), "done") for word, code in tried.items()}


REFUSED = {
    "ptrace": "ENOSYS",
    "mount": "ENOSYS",
    "unshare": "ENOSYS",
    "module": "ENOSYS",
    "reboot": "ENOSYS",
    "bpf": "ENOSYS",
    "packet": "EAFNOSUPPORT",
    "code": "EPERM",
}


def test_whoever_has_taken_it_over_can_do_none_of_this_and_the_chat_goes_on():
    intruder = Intruder()
    with Daemon(env=intruder.env) as daemon:
        assert intruder.tries(daemon) == REFUSED
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"hello\n")
            operator.wait_event("message", text="hello")
        hand_over(daemon)
        assert intruder.tries(daemon) == REFUSED


def test_without_the_filter_the_intruder_gets_further():
    """So that the test above says something."""
    intruder = Intruder()
    with Daemon({"service": {"seccomp": False}}, env=intruder.env) as daemon:
        tried = intruder.tries(daemon)
        assert tried["code"] == "done"
        assert tried["mount"] != "ENOSYS" and tried["bpf"] != "ENOSYS"
        assert filters(daemon.pid) == 0


def test_the_filter_is_on_every_thread_and_hand_overs_add_none():
    with Daemon() as daemon:
        for _ in range(4):
            assert filters(daemon.pid) == 1
            assert threads(daemon.pid, "Seccomp") == {"2"}
            assert threads(daemon.pid, "NoNewPrivs") == {"1"}
            hand_over(daemon)
        assert filters(daemon.pid) == 1


def test_the_process_that_takes_over_keeps_the_filter_and_says_so():
    with Daemon() as daemon:
        daemon.home.write_config({"service": {"seccomp": False}})
        hand_over(daemon)
        assert filters(daemon.pid) == 1
        daemon.wait_log("the filter of system calls stays on")
