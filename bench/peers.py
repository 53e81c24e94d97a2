"""Well-known servers, where they are installed: each is started in a folder of
its own, on a free port, as a process of ours and never as a service. What throttles a load
is switched off."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from servers import PATIENCE, SERVER_CORE, end, pinned

NGIRCD = """
[Global]
Name = bench.example
Info = bench
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 86400
[Options]
DNS = no
Ident = no
PAM = no
"""

INSPIRCD = """
<server name="bench.example" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.example">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" timeout="600" pingfreq="86400" threshold="1000000"
  commandrate="1000000000" fakelag="no" hardsendq="64M" softsendq="64M" recvq="64M"
  localmax="100000" globalmax="100000" resolvehostnames="no" useident="no" maxchans="100">
<performance softlimit="100000" somaxconn="1024" nouserdns="yes" quietbursts="yes">
<pid file="{folder}/inspircd.pid">
<log method="file" type="*" level="sparse" target="{folder}/inspircd.log">
"""


class Peer:
    """A running server. Leaving the `with` ends it."""

    console = []
    # What it can have at most.
    in_flight = 1000
    clients = 1000

    def __init__(self, **_):
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.folder.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                pinned(SERVER_CORE, self.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.pid = self.process.pid
        deadline = time.monotonic() + PATIENCE
        # Not by connecting: that is a client already, and not all survive one that leaves.
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text()
                self.__exit__()
                raise RuntimeError(f"{self.package} did not start: {said}")
            time.sleep(0.02)

    def listens(self):
        listening = f"0100007F:{self.port:04X} 00000000:0000 0A"
        return listening in Path(f"/proc/{self.pid}/net/tcp").read_text()

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text.format(port=self.port, folder=self.folder))
        return str(path)

    def stats(self):
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Ngircd(Peer):
    package, kind, workloads = "ngircd", "irc", ("broadcast", "questions", "fan-in")
    clients = 100  # It takes a minute to let 1,000 in.

    def command(self):
        return ["/usr/sbin/ngircd", "-n", "-f", self.write("ngircd.conf", NGIRCD)]


class Inspircd(Peer):
    package, kind, workloads = "inspircd", "irc", ("broadcast", "questions", "fan-in")

    def command(self):
        config = self.write("inspircd.conf", INSPIRCD)
        as_root = ["--runasroot"] if os.geteuid() == 0 else []
        return ["/usr/sbin/inspircd", "--nofork", "--nopid", f"--config={config}", *as_root]


class Redis(Peer):
    package, kind, workloads = "redis-server", "redis", ("broadcast", "fan-in")

    def command(self):
        return ["/usr/bin/redis-server", "--port", str(self.port), "--bind", "127.0.0.1"] + [
            *("--save", "", "--appendonly", "no", "--protected-mode", "no"),
            *("--maxclients", "19000"),
            *("--client-output-buffer-limit", "pubsub 0 0 0", "--dir", str(self.folder)),
        ]


class Ncat(Peer):
    # It puts the name of who speaks before each read, not before each line.
    package, kind, workloads = "ncat", "ncat", ("broadcast",)
    in_flight, clients = 1, 100

    def command(self):
        return ["/usr/bin/ncat", "--chat", "-l", "127.0.0.1", str(self.port), "-m", "19000"]


ALL = [Ngircd, Inspircd, Redis, Ncat]


def installed():
    return [peer for peer in ALL if shutil.which(peer.package, path="/usr/sbin:/usr/bin")]


def missing():
    return [peer.package for peer in ALL if peer not in installed()]
