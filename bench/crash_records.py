"""The table of bench/crash_records.sh: CPU and system calls of chatd for each unit of work, when
all sessions are in the crash store and without one, in turns, medians of several runs. The
service manager is a socket here, which closes the descriptors that it gets."""

import argparse
import array
import os
import socket
import statistics
import threading
import time

from measure import Load, Workload, count_all_calls
from servers import PATIENCE, Chatd

WORKLOADS = [
    Workload("question and answer, 100", "questions", 100, 100_000, 100),
    Workload("question and answer, 500", "questions", 500, 100_000, 100),
    Workload("fan-in from 100", "fan-in", 100, 200_000, 1),
    Workload("fan-in from 100, 16 a write", "fan-in", 100, 800_000, 16),
    Workload("broadcast to 500", "broadcast", 500, 200_000),
]


class WithStore(Chatd):
    """A chatd with a service manager that has a store. `kept` counts the sessions in it."""

    def __init__(self, **how):
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind("")  # any abstract name
        self.kept = 0
        threading.Thread(target=self._listen, daemon=True).start()
        os.environ["NOTIFY_SOCKET"] = "@" + self.manager.getsockname()[1:].decode()
        os.environ["FDSTORE"] = "1024"
        try:
            super().__init__(**how)
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["FDSTORE"]

    def _listen(self):
        while True:
            said, control, _, _ = self.manager.recvmsg(4096, socket.CMSG_SPACE(16))
            for _, _, content in control:
                for fd in array.array("i", content):
                    os.close(fd)
            self.kept += b"FDNAME=chatd-session-" in said

    def wait_kept(self, sessions):
        deadline = time.monotonic() + PATIENCE
        while self.kept < sessions:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.kept} of {sessions} sessions are in the crash store")
            time.sleep(0.05)


class Prepared(Load):
    """A load that begins when all clients are in the crash store."""

    def __init__(self, server, workload, units=None):
        self.server, self.clients = server, workload.clients
        super().__init__(server, workload, units)

    def wait_for(self, word):
        super().wait_for(word)
        if word == "ready" and isinstance(self.server, WithStore):
            self.server.wait_kept(self.clients)


def cost(make_server, workload, units):
    """The CPU time of each unit, in one run."""
    with make_server() as server:
        load = Prepared(server, workload, units)
        load.wait_for("ready")
        load.go_on()
        load.wait_for("done")
        load.go_on()
        return load.result()["cpu_us"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the work")
    options = arguments.parse_args()
    print("| workload | CPU µs, without | with | ratio | calls, without | with |")
    print("| --- | --: | --: | --: | --: | --: |")
    for workload in WORKLOADS:
        units = workload.units // 10 if options.quick else workload.units
        without, with_it = [], []
        for _ in range(options.rounds):
            without.append(cost(Chatd, workload, units))
            with_it.append(cost(WithStore, workload, units))
        calls = [count_all_calls(server, workload, units, Prepared) for server in (Chatd, WithStore)]
        a, b = statistics.median(without), statistics.median(with_it)
        told = " | ".join("–" if c is None else f"{c:.3f}" for c in calls)
        print(f"| {workload.name} | {a:.2f} | {b:.2f} | {b / a:.2f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
