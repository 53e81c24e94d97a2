"""One measurement: a workload on a server that was started for it, and its cost.
`count_calls` counts the server's system calls by name while the work is done."""

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

from servers import BIN, LOAD_CORE, PATIENCE, pinned

MOST_SECONDS = 250


@dataclass(frozen=True)
class Workload:
    """A workload of bench_load; see its usage."""

    name: str
    kind: str
    clients: int
    units: int
    in_flight: int = 1
    original: bool = False
    websocket: bool = False
    page: bool = False  # of the visitor: it can do nothing but be idle
    tls: bool = False
    console: bool = False
    transcripts: bool = False
    lingers: bool = False  # the bare server closes as carefully as chatd
    target: float | None = None

    def server(self):
        """The arguments with which its server is made."""
        return {
            "original": self.original,
            "console": self.console,
            "transcripts": self.transcripts,
            "lingers": self.lingers,
            "tls": self.tls,
        }

    def arguments(self, units=None):
        arguments = [self.kind, "--clients", self.clients, "--units", units or self.units]
        arguments += ["--in-flight", self.in_flight]
        for way in ("original", "websocket", "page", "tls"):
            if getattr(self, way):
                arguments.append("--" + way)
        return [str(a) for a in arguments]


class Load:
    """A running bench_load, which waits twice: when all is set up, and at the end."""

    def __init__(self, server, workload, units=None):
        peer = getattr(server, "kind", None)
        program = [str(BIN / "bench_peer"), peer] if peer else [str(BIN / "bench_load")]
        command = [*program, *workload.arguments(units), "--hold"]
        command += ["--port", str(server.port), "--pid", str(server.pid)]
        if peer:
            pass
        elif server.console:
            command += ["--console", *map(str, server.console)]
        else:
            command += ["--control", str(server.control)]
        self.process = subprocess.Popen(
            pinned(LOAD_CORE, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, word):
        line = self.process.stdout.readline()
        if line != word + "\n":
            self.fail()

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self):
        output, errors = self.process.communicate(timeout=MOST_SECONDS)
        if self.process.returncode != 0:
            raise RuntimeError(errors)
        return json.loads(output)

    def fail(self):
        _, errors = self.process.communicate(timeout=MOST_SECONDS)
        raise RuntimeError(errors or f"bench_load ended with {self.process.returncode}")


def measure(make_server, workload, units=None):
    """What bench_load says of the workload, on a server of its own."""
    with make_server(**workload.server()) as server:
        load = Load(server, workload, units)
        load.wait_for("ready")
        load.go_on()
        load.wait_for("done")
        load.go_on()
        return {**load.result(), "stats": server.stats()}


def count_calls(make_server, workload, units=None):
    """(units, {system call: how often}) of the server, all its threads, by strace: it
    slows the server, which then finds more to do in each turn."""
    with make_server(**workload.server()) as server:
        load = Load(server, workload, units)
        load.wait_for("ready")
        table = server.folder / "calls"
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-U", "calls,name", "-o", str(table), "-p", str(server.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        while "attached" not in (line := tracer.stderr.readline()):
            if not line:
                raise RuntimeError("strace did not attach")
        load.go_on()
        load.wait_for("done")
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=PATIENCE)
        load.go_on()
        result = load.result()
        calls = {}
        for line in table.read_text().splitlines():
            if found := re.fullmatch(r"\s*(\d+)\s+(\w+)\s*", line):
                calls[found.group(2)] = int(found.group(1))
        calls.pop("total", None)
        return result["units"], calls


def count_all_calls(make_server, workload, units=None, make_load=Load):
    """System calls a unit at full speed, counted by the kernel; None where it is not
    allowed to say."""
    if not shutil.which("perf"):
        return None
    with make_server(**workload.server()) as server:
        load = make_load(server, workload, units)
        load.wait_for("ready")
        output = server.folder / "calls"
        counter = subprocess.Popen(
            ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-o", str(output)]
            + ["-p", str(server.pid)],
            stderr=subprocess.DEVNULL,
        )
        # It counts when it has opened its counters.
        while counter.poll() is None and not _has_perf_events(counter.pid):
            os.sched_yield()
        load.go_on()
        load.wait_for("done")
        counter.send_signal(signal.SIGINT)
        counter.wait(PATIENCE)
        load.go_on()
        result = load.result()
        found = re.search(r"^(\d+),,raw_syscalls", output.read_text(), re.MULTILINE)
        return int(found.group(1)) / result["units"] if found else None


def _has_perf_events(pid):
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return any("perf_event" in link for link in links)
