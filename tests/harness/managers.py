"""A service manager for one daemon. Does what systemd does for a unit with Type=notify, a
socket unit and a descriptor store: hears what the daemon says, keeps the descriptors that it
stores, and starts the next daemon with them."""

import array
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import threading
from pathlib import Path

from harness.buses import Bus
from harness.daemons import Daemon, Home
from harness.waiting import GUARD, wait_until

# As service/record_file.cpp lays them out: from one place to the next, and in each of them.
RECORDS_BEGIN, PLACE, LOG_BEGIN, LOG = 4096, 12288 + (1 << 20), 12288, 1 << 19

LAUNCHER = str(Path(__file__).resolve().parent / "pass_descriptors.py")


class Manager:
    """`store` is how many descriptors it keeps at most; 0: there is no store. `watchdog` is in
    µs. `job` is the unit's job as the bus tells it; None: there is no bus."""

    def __init__(self, store=0, watchdog=None, job=None):
        self.home = Home()
        self.bus = None if job is None else Bus(str(self.home.path / "bus"), job)
        self.store_limit = store
        self.watchdog = watchdog
        self.path = str(self.home.path / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []  # the text of each message
        self.store = []  # (name, descriptor)
        self.closing = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while not self.closing:
            if not select.select([self.socket], [], [], 0.05)[0]:
                self._drop_hung_up()
                continue
            data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(4 * 64))
            fds = array.array("i")
            for level, kind, content in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(content[: len(content) // 4 * 4])
            self._take(data.decode(), list(fds))

    def _take(self, text, fds):
        fields = dict(line.split("=", 1) for line in text.splitlines())
        name = fields.get("FDNAME", "stored")
        with self.lock:
            if "FDSTORE" in fields:
                while fds and len(self.store) < self.store_limit:
                    self.store.append((name, fds.pop(0)))
            if "FDSTOREREMOVE" in fields:
                for kept in [kept for kept in self.store if kept[0] == name]:
                    self.store.remove(kept)
                    os.close(kept[1])
            self.said.append(text)
        for fd in fds:
            os.close(fd)

    def _drop_hung_up(self):
        """As systemd does: what has hung up leaves the store."""
        with self.lock:
            poll = select.poll()
            for _, fd in self.store:
                poll.register(fd, 0)
            gone = {fd for fd, event in poll.poll(0) if event & (select.POLLHUP | select.POLLERR)}
            for kept in [kept for kept in self.store if kept[1] in gone]:
                self.store.remove(kept)
                os.close(kept[1])

    def messages(self):
        with self.lock:
            return list(self.said)

    def wait_for(self, pattern, after=0, timeout=GUARD):
        """Skips `after` messages and waits for one with a line that matches. Returns the match
        and the number of messages up to that one."""

        def find():
            for number, text in enumerate(self.messages()[after:], after + 1):
                if found := re.search(pattern, text, re.MULTILINE):
                    return found, number
            return None

        return wait_until(find, f"{pattern!r} in {self.messages()[after:][-20:]}", timeout)

    def stored(self):
        """The names of what is kept."""
        with self.lock:
            return [name for name, _ in self.store]

    def records(self):
        """The descriptor of the crash records; the caller does not close it."""
        with self.lock:
            [fd] = [fd for name, fd in self.store if name == "chatd-records"]
        return fd

    def recorded(self):
        """The places of the sessions that have a crash record, with or without a descriptor."""
        fd = self.records()
        [count] = struct.unpack("=I", os.pread(fd, 4, 12))
        at = lambda place: RECORDS_BEGIN + place * PLACE  # noqa: E731
        return [place for place in range(1, count) if os.pread(fd, 4, at(place)) != bytes(4)]

    def deafen(self):
        """From now on it receives nothing."""
        self.closing = True
        self.thread.join(GUARD)

    def drop_store(self):
        with self.lock:
            for _, fd in self.store:
                os.close(fd)
            self.store.clear()

    def start(self, config=None, sockets=(), env=None, prefix=(), **how):
        """Starts the daemon with `sockets`, pairs of a name and a listening socket, and
        with all that is in the store."""
        with self.lock:
            passed = [(name, sock.fileno()) for name, sock in sockets] + self.store
        random.Random(len(self.said)).shuffle(passed)  # their order means nothing
        env = {"NOTIFY_SOCKET": self.path, **(env or {})}
        # The address is always set: the bus of this machine must never be asked.
        bus = f"{self.home.path}/no-bus" if self.bus is None else self.bus.path
        env.setdefault("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={bus}")
        if self.store_limit:
            env["FDSTORE"] = str(self.store_limit)
        if self.watchdog:
            env["WATCHDOG_USEC"] = str(self.watchdog)
        if passed:
            what = ",".join(str(fd) for _, fd in passed) + "/" + ":".join(n for n, _ in passed)
            prefix = [*prefix, sys.executable, LAUNCHER, what]
        return Daemon(
            config,
            home=self.home,
            env=env,
            prefix=prefix,
            pass_fds=[fd for _, fd in passed],
            **how,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing = True
        self.thread.join(GUARD)
        self.socket.close()
        self.drop_store()
        if self.bus is not None:
            self.bus.close()
        self.home.remove()


def wait_stored(manager, count):
    """Waits until the descriptors of so many sessions are in the store. Returns their names."""

    def names():
        return [name for name in manager.stored() if name.startswith("chatd-session-")]

    wait_until(lambda: len(names()) == count, f"{count} sessions are in the store")
    return names()


def wait_recorded(manager, count):
    """Waits until so many sessions have a crash record."""
    wait_until(lambda: "chatd-records" in manager.stored(), "there are records")
    wait_until(lambda: len(manager.recorded()) == count, f"{count} sessions have a crash record")


def crash(daemon, how=signal.SIGKILL):
    """Ends it without a warning."""
    daemon.send_signal(how)
    assert daemon.wait() == -how
    daemon._let_go()
