"""A Debian of its own, booted with its own systemd in namespaces of this machine: what
it writes goes to a folder that is thrown away, its network reaches nobody. Knows
nothing of chatd.

Whatever happens to the test, nothing is left: the machine, its mounts and its network
end with the process that holds them, and that one ends with this process."""

import os
import shutil
import subprocess
from pathlib import Path

from harness.debian import children, die_with_parent
from harness.network import in_network_of
from harness.tree import BUILD
from harness.waiting import wait_until

BOOT = """
mount -t overlay overlay -o lowerdir="$1",upperdir="$2"/changes,workdir="$2"/work "$2"/root
exec systemd-nspawn --quiet -D "$2"/root --machine=chatd-test --boot --register=no --keep-unit \
  --private-network --console=pipe
"""


class Machine:
    """`base` is what debian() returned. Leaving the `with` ends it.

    root     its root folder as seen from here, for reading and writing
    changes  the folder with all that it has and `base` has not"""

    def __init__(self, base, name):
        self.folder = BUILD / "service" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in ("changes", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        self.changes = self.folder / "changes"
        self.console = (self.folder / "console").open("w")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
            + ["sh", "-ec", BOOT, "boot", str(base), str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=self.console,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        try:
            self.init = wait_until(self._find_init, "an init runs")
            self.root = Path(f"/proc/{self.init}/root")
            wait_until(
                lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip()
                in ("running", "degraded"),
                "the Debian has booted",
                interval=0.2,
            )
        except BaseException:
            self.close()
            raise

    def _find_init(self):
        said = (self.folder / "console").read_text(errors="replace")
        assert self.process.poll() is None, f"no Debian was booted: {said}"
        for nspawn in children(self.process.pid):
            for pid in children(nspawn):
                try:
                    if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                        return pid
                except OSError:
                    pass
        return None

    def command(self, *argv):
        """The command that runs `argv` in the machine, as root."""
        inside = ["nsenter", "-t", str(self.init), "-m", "-p", "-u", "-i", "-n", "-r", "-w"]
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        environment += ["HOME=/root", "DEBIAN_FRONTEND=noninteractive", "NO_COLOR=1"]
        return [*inside, *environment, *map(str, argv)]

    def run(self, *argv, check=True, timeout=120, input=""):
        done = subprocess.run(
            self.command(*argv), input=input, capture_output=True, text=True, timeout=timeout
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def near(self, *argv):
        """The command that runs `argv`, a program of this host, in the machine's network."""
        return ["nsenter", "-t", str(self.init), "-n", *map(str, argv)]

    def connected(self, make):
        """What `make()` returns; the sockets that it makes are in the machine's network."""
        return in_network_of(self.init, make)

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()

    def host_pid(self, pid):
        """The id that a process of the machine has on this host."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                numbers = next(
                    line.split()[1:]
                    for line in status.read_text().splitlines()
                    if line.startswith("NSpid:")
                )
                same = os.readlink(status.parent / "ns/pid") == os.readlink(f"/proc/{self.init}/ns/pid")
            except (OSError, StopIteration):
                continue
            if same and numbers[-1] == str(pid):
                return int(status.parent.name)
        raise AssertionError(f"no process {pid} in the machine")

    def journal(self, *match):
        """What the journal has for this boot, once what was said is in it."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "-b", "--no-pager", "-o", "short-precise", *match).stdout

    def files(self):
        """Every path that the machine has made or changed."""
        return {"/" + str(p.relative_to(self.changes)) for p in self.changes.rglob("*")}

    def close(self):
        self.process.kill()
        self.process.wait()
        self.console.close()
        # What it holds ends a moment later, and only then can its files go.
        wait_until(
            lambda: shutil.rmtree(self.folder, ignore_errors=True) or not self.folder.exists(),
            f"{self.folder} can be removed",
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
