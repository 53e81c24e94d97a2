"""The servers that are measured, started in a folder of their own and pinned to one
core: chatd, and bench_bare, which is the limit. Each says where it listens."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness.certificates import Authority

BIN = Path(os.environ.get("CHATD_BIN", Path(__file__).resolve().parents[1] / "build/release/bin"))
SERVER_CORE, LOAD_CORE = "0", "1"
PATIENCE = 30

# Every limit is on, and none is met: a load is a thousand times what one person types.
CONFIG = """
[[listen]]
address = "127.0.0.1"
port = 0
{certificate}
[limits]
sessions = 19000
sessions_per_address = 19000
connects_per_second = 0
bytes_per_second = "0B"
messages_per_second = 1000000
messages_burst = 1000000
[control]
path = "{folder}/run/control.sock"
[transcript]
enabled = {transcripts}
path = "{transcript_path}"
"""


def pinned(core, command):
    """The command on one core, where there are two."""
    if shutil.which("taskset") and len(os.sched_getaffinity(0)) > 1:
        return ["taskset", "-c", core, *command]
    return command


def end(process):
    """Stops it as a service manager does: by SIGTERM, and then by SIGKILL."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Server:
    """A running server. Leaving the `with` ends it."""

    def __init__(self, console=False):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.control = self.folder / "run" / "control.sock"
        self.control.parent.mkdir(mode=0o750)
        self.console = [self.folder / "in", self.folder / "out"] if console else []
        for fifo in self.console:
            os.mkfifo(fifo)

    def start(self, command, listening):
        """`listening`: a regular expression with the port as its group."""
        self.command, self.listening = command, listening
        # Both ends, so that no open waits for the load generator.
        pipes = [os.open(fifo, os.O_RDWR) for fifo in self.console]
        log = self.folder / "log"
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                pinned(SERVER_CORE, command),
                stdin=pipes[0] if pipes else subprocess.DEVNULL,
                stdout=pipes[1] if pipes else subprocess.DEVNULL,
                stderr=errors,
                cwd=self.folder,
            )
        self.pipes = pipes
        self.pid = self.process.pid
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.search(listening, log.read_text())
            if found and (self.console or self.control.exists()):
                self.port = int(found.group(1))
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()}")
            time.sleep(0.02)

    def stats(self):
        """The server's own counters; None if it has none."""
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self):
        end(self.process)
        for pipe in self.pipes:
            os.close(pipe)

    def again(self):
        """Starts another server in the same folder, with what is kept there and nothing else."""
        self.stop()
        self.start(self.command, self.listening)


class Chatd(Server):
    def __init__(self, console=False, transcripts=False, tls=False, **_):
        super().__init__(console)
        config = self.folder / "chatd.toml"
        path = f"{self.folder}/transcript.db" if transcripts else ""
        config.write_text(
            CONFIG.format(
                folder=self.folder,
                certificate=self.certificate() if tls else "",
                transcripts=str(transcripts).lower(),
                transcript_path=path,
            )
        )
        mode = "on" if console else "off"
        command = [str(BIN / "chatd"), "--config", str(config), "--console", mode]
        self.start(command, r"listening on 127\.0\.0\.1:(\d+)")

    def certificate(self):
        """The keys of a listener that has one; its clients do not look at it."""
        with Authority() as authority:
            files = [shutil.copy(file, self.folder) for file in authority.sign("chat.example.org")]
        return 'tls_certificate = "{}"\ntls_key = "{}"'.format(*files)

    def stats(self):
        if self.console:
            return None
        with socket.socket(socket.AF_UNIX) as operator:
            operator.settimeout(PATIENCE)
            operator.connect(str(self.control))
            operator.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats"}\n')
            return json.loads(operator.makefile().readline())["result"]


class Bare(Server):
    def __init__(self, original=False, console=False, lingers=False, **_):
        super().__init__(console)
        command = [str(BIN / "bench_bare"), "-" if console else str(self.control)]
        if original:
            command.append("--original")
        if lingers:
            command.append("--linger")
        self.start(command, r"listening on 127\.0\.0\.1:(\d+)")
