"""The configuration of a world: what it may be, what it may not, and how it gets into its place.
What needs a restart is drawn once."""

import os

from harness import to_toml

from clients import FAREWELL, GREETING

LISTENERS = ("auto", "line", "original", "telnet", "raw", "room", "unix", "tls")
"""In the order of the configuration; besides there may be "extra", which a reload opens and
closes."""

GRACES = {"200ms": 0.2, "1s": 1, "3s": 3}
"""What service.stop_grace may be, in seconds."""

FAULTS = (
    b"[limits\n",
    b'[limits]\nsessions = "many"\n',
    b"[nonsense]\nx = 1\n",
    b'[[listen]]\naddress = "nowhere"\n',
    b'[session]\nsettle = "1h"\n',
    b"\xff\n",
    b"[[listen]]\nport = 0\n[[listen]]\nprot = 0\n",
)
"""What makes a sound configuration an unsound one."""


class Settings:
    def __init__(self, home, dice, authority):
        self.home = home
        self.certificate, self.key = authority.sign("localhost")
        self.transcripts = dice.random() < 0.7
        self.grace = dice.choice(list(GRACES))
        self.shortest_message = 8192  # the smallest session.max_message so far
        self.text = b""

    def paths(self):
        """Of the unix sockets for clients, by the names of their listeners."""
        return {name: f"{self.home.path}/{name}.sock" for name in ("unix", "extra")}

    def _listeners(self, extra):
        tcp = {"address": "127.0.0.1", "port": 0}
        listeners = [tcp]
        listeners += [tcp | {"dialect": name} for name in ("line", "original", "telnet", "raw")]
        listeners.append(tcp | {"room": "lounge"})
        listeners.append({"address": f"unix:{self.paths()['unix']}"})
        listeners.append(tcp | {"tls_certificate": self.certificate, "tls_key": self.key})
        if extra:
            listeners.append({"address": f"unix:{self.paths()['extra']}", "dialect": "line"})
        return listeners

    def draw(self, dice, extra=False):
        """Another configuration, as a dict of dicts."""
        return {
            "listen": self._listeners(extra),
            "session": {
                "greeting": dice.choice(("", GREETING)),
                "farewell": dice.choice(("", FAREWELL)),
                "settle": dice.choice(("20ms", "50ms")),
                "original_hold": dice.choice(("300ms", "10s")),
                "bye_grace": dice.choice(("200ms", "30s")),
                "answer_timeout": dice.choice(("1s", "10m")),
                "idle_timeout": dice.choice(("0s", "0s", "30s")),
                "max_message": dice.choice(("100B", "8KiB", "8KiB")),
            },
            "limits": {
                "sessions": dice.choice((25, 10000)),
                "sessions_per_address": dice.choice((6, 64)),
                "messages_per_second": dice.choice((40, 200, 5000)),
                "messages_burst": dice.choice((5, 50, 200)),
                "output_soft": dice.choice(("0B", "8KiB", "64KiB")),
                "output_hard": dice.choice(("64KiB", "256KiB")),
            },
            "web": {"resume": dice.choice(("2s", "10m"))},
            "control": {"path": str(self.home.control_path)},
            "console": {"claim_on_answer": dice.random() < 0.2},
            "names": dice.choice(({}, {"127.0.0.0/8": "lab", f"uid:{os.getuid()}": "Zoe"})),
            "transcript": {"enabled": self.transcripts},
            "service": {"stop_grace": self.grace},
        }

    def put(self, config):
        """Puts it in its place, as editors do it: another file takes the name."""
        if config["session"]["max_message"] == "100B":
            self.shortest_message = 100
        self.text = to_toml(config).encode()
        self._replace(self.text)

    def put_back(self):
        """The last sound one."""
        self._replace(self.text)

    def put_fault(self, dice):
        self._replace(self.text + dice.choice(FAULTS))

    def _replace(self, text):
        new = self.home.path / "chatd.toml.new"
        new.write_bytes(text)
        os.replace(new, self.home.config_path)
