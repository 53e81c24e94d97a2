"""chatd as a service of a Machine: how it is installed, configured and looked at, and the
clients and operators that are near it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from harness import REPOSITORY, Client, Operator, OriginalClient, to_toml, wait_until

CONTROL = "run/chatd/control.sock"
CONFIG = "etc/chatd/chatd.toml"
ADDRESS = ("127.0.0.1", 8080)


class Service:
    def __init__(self, machine, package):
        self.machine = machine
        self.package = package
        self.held = []  # what is to be closed in the end
        self.folders = set()  # and removed

    # The package.

    def install(self, package=None):
        name = Path(package or self.package).name
        shutil.copy(package or self.package, self.machine.root / "root" / name)
        self.machine.run("dpkg", "--force-confold", "-i", f"/root/{name}")

    def installed(self):
        done = self.machine.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "chatd", check=False)
        return done.stdout == "installed"

    def reset(self):
        """Makes everything as it was just after the installation."""
        self.machine.run("systemctl", "stop", "chatd.socket", "chatd.service", check=False)
        shutil.rmtree(self.machine.root / "etc/systemd/system/chatd.service.d", ignore_errors=True)
        self.machine.run("systemctl", "daemon-reload")
        self.configure(self.default_config())
        self.reset_failed()
        self.start()

    def default_config(self):
        return (REPOSITORY / "config/chatd.toml").read_text()

    # The service.

    def configure(self, config):
        """`config` is a text, or a dict as for to_toml()."""
        text = config if isinstance(config, str) else to_toml(config)
        (self.machine.root / CONFIG).write_text(text)

    def drop_in(self, name, text):
        folder = self.machine.root / "etc/systemd/system/chatd.service.d"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        self.machine.run("systemctl", "daemon-reload")

    def bring(self, pair, folder, owner="chatd", names=("certificate.pem", "key.pem")):
        """Puts a certificate and its key into a folder of the machine, the key readable for its
        owner alone; returns their paths there. The folder goes with this."""
        paths = [f"/{folder}/{name}" for name in names]
        self.machine.run("install", "-d", "-m", "755", f"/{folder}")
        self.folders.add(folder)
        for file, path, mode in zip(pair, paths, ("644", "400")):
            whole = Path(file).read_text()
            self.machine.run("install", "-o", owner, "-m", mode, "/dev/stdin", path, input=whole)
        return paths

    def reset_failed(self):
        """Forgets that it failed, and how often it was started."""
        self.machine.run("systemctl", "reset-failed", "chatd.service", check=False)

    def systemctl(self, *argv, **how):
        return self.machine.run("systemctl", *argv, "chatd.service", **how)

    def start(self):
        self.systemctl("start")

    def restart(self):
        self.reset_failed()
        self.systemctl("restart")

    def property(self, name):
        return self.machine.property("chatd.service", name)

    def pid(self):
        """The process's number in the machine; 0 if there is none."""
        return int(self.property("MainPID"))

    def kill(self, number):
        """Sends the daemon a signal from outside."""
        os.kill(self.machine.host_pid(self.pid()), number)

    def wait_restarted(self, old):
        wait_until(
            lambda: self.pid() not in (0, old) and self.property("ActiveState") == "active",
            "another process serves",
            interval=0.1,
        )

    def journal(self):
        return self.machine.journal("-u", "chatd.service")

    # Who talks to it.

    def keep(self, held):
        self.held.append(held)
        return held

    def operator(self, **how):
        return self.keep(Operator(self.machine.root / CONTROL, **how))

    def client(self, address=ADDRESS, **how):
        return self.connected(Client, address, **how)

    def connected(self, make, *args, **how):
        """What `make` returns, a client, in the network of the service."""
        return self.keep(self.machine.connected(lambda: make(*args, **how)))

    def original(self):
        return self.connected(OriginalClient, ADDRESS, timeout=60)

    def speaking(self, operator, words=b"hello\n"):
        """A client that has said something, and its session."""
        client = self.client()
        client.send(words)
        return client, operator.session_of(client)

    def program(self, *argv):
        """Starts a program of this machine in the network of the booted one."""
        return self.keep(
            Running(
                self.machine.near(*argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )

    def chatctl(self, *argv, user="root", check=True):
        return self.machine.run("runuser", "-u", user, "--", "chatctl", *argv, check=check)

    def end(self):
        for held in reversed(self.held):
            held.close()
        for folder in self.folders:
            shutil.rmtree(self.machine.root / folder)


class Running(subprocess.Popen):
    def close(self):
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
        self.communicate()
