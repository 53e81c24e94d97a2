"""All kinds of clients at once, 200 of each, who talk: at one port, and on the listeners beside it
for those who come by a proxy or have no marks. Nobody hears what is not his, and so it stays
through a hand-over in the midst."""

import re
import subprocess
from functools import partial

import pytest

from harness import FOR_ONE_ORIGIN, ORIGINAL_CLIENT, Daemon, hand_over, scaled, wait_until
from harness.crowd import Answerer, Crowd, check_ledgers
from harness.speakers import Asker, Line, Original, Page, Raw, Socket, Telnet, Wire, proxy_v1, proxy_v2
from harness.web import request

OF_EACH = scaled(200, address=10, thread=20)
OPEN, PROXIED, RAW = 0, 1, 2  # the listeners

KINDS = {
    # name: (what it is, listener, within TLS, the header in front)
    "line": (Line, OPEN, False, None),
    "original": (Original, OPEN, False, None),
    "telnet": (Telnet, OPEN, False, None),
    "asker": (Asker, OPEN, False, None),
    "websocket": (Socket, OPEN, False, None),
    "page": (Page, OPEN, False, None),
    "secure-line": (Line, OPEN, True, None),
    "secure-original": (Original, OPEN, True, None),
    "secure-telnet": (Telnet, OPEN, True, None),
    "secure-asker": (Asker, OPEN, True, None),
    "secure-websocket": (Socket, OPEN, True, None),
    "secure-page": (Page, OPEN, True, None),
    "proxied-line": (Line, PROXIED, False, proxy_v1),
    "proxied-original": (Original, PROXIED, False, proxy_v2),
    "proxied-page": (Page, PROXIED, False, proxy_v1),
    "proxied-secure-websocket": (Socket, PROXIED, True, proxy_v2),
    "raw": (Raw, RAW, False, None),
}

PROGRAMS = {
    "nc": ["nc.openbsd", "HOST", "PORT"],
    "ncat": ["ncat", "HOST", "PORT"],
    "telnet": ["telnet", "HOST", "PORT"],
    "plink": ["plink", "-batch", "-raw", "-P", "PORT", "HOST"],
    "socat": ["socat", "-", "TCP:HOST:PORT"],
    "seed": ["/usr/bin/python3", "-u", str(ORIGINAL_CLIENT), "HOST", "PORT"],
    "ncat-ssl": ["ncat", "--ssl", "HOST", "PORT"],
    "socat-ssl": ["socat", "-", "OPENSSL:HOST:PORT,verify=0"],
    "s_client": ["openssl", "s_client", "-quiet", "-connect", "HOST:PORT"],
}


def host_of(kind, number):
    """Where it comes from, or says that it comes from: an address for each."""
    first = 10 if KINDS[kind][3] else 127
    return f"{first}.{list(KINDS).index(kind) + 1}.1.{number + 1}"


class Program:
    """A real program, which says what Line says."""

    HEARS_ALL = True

    def __init__(self, name, daemon):
        self.name = name
        self.said = []
        self.texts = 0
        self.heard = b""
        words = [w.replace("HOST", daemon.host).replace("PORT", str(daemon.port)) for w in PROGRAMS[name]]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if name == "seed":  # It has said something by itself, and listens.
            self.said.append("This is from Client")

    def say(self, text):
        self.said.append(text)
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def wait_heard(self, text):
        while text.encode() not in self.heard:
            piece = self.process.stdout.read1(65536)
            assert piece, f"{self.name} ended, and has heard {self.heard!r}"
            self.heard += piece

    def talk(self):
        """Three texts, each of them answered."""
        for _ in range(3):
            self.texts += 1
            text = f"{self.name} says {self.texts}."
            self.say(text)
            self.wait_heard(f"re: {text}")

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def daemon(authority):
    secure = authority.listener()
    listen = [
        secure,
        secure | {"proxy_from": ["127.0.0.1"]},
        {"address": "127.0.0.1", "port": 0, "dialect": "raw"},
    ]
    with Daemon({"limits": FOR_ONE_ORIGIN, "listen": listen}) as daemon:
        yield daemon


def crowd_of(daemon, authority):
    context = authority.client()
    speakers = []
    for kind, (what, listener, secure, header) in KINDS.items():
        for number in range(OF_EACH):
            host = host_of(kind, number)
            make = partial(
                Wire,
                daemon.addresses()[listener],
                source=None if header else host,
                before=header(host) if header else b"",
                context=context if secure else None,
            )
            speakers.append(what(f"{kind}-{number}", make))
    return Crowd(speakers)


def check_lists(operator, sessions, crowd):
    """Each session is listed as what its client is. `sessions` is by name."""
    listed = {entry["session"]: entry for entry in operator.call("sessions")}
    for speaker in crowd.speakers:
        kind, number = re.fullmatch(r"(.*)-(\d+)", speaker.name).groups()
        what, _, secure, header = KINDS[kind]
        if what is Asker:  # One for each text, and they have gone.
            assert len(sessions[speaker.name]) == speaker.texts
            assert not listed.keys() & set(sessions[speaker.name])
            continue
        (session,) = sessions[speaker.name]
        entry = listed.pop(session)
        assert entry["dialect"] == what.DIALECT, (speaker.name, entry)
        assert entry["address"].rpartition(":")[0] == host_of(kind, int(number)), (speaker.name, entry)
        assert ("tls" in entry, "via" in entry) == (secure, header is not None), (speaker.name, entry)
    return listed


def test_two_hundred_of_each_kind_talk_through_a_hand_over(daemon, authority):
    answerer = Answerer(daemon.control_path)
    crowd = crowd_of(daemon, authority)
    programs = []
    try:
        programs = [Program(name, daemon) for name in PROGRAMS]
        seed = programs[list(PROGRAMS).index("seed")]
        with daemon.operator() as operator:
            # It waits for a first answer, and then speaks and listens by turns.
            heard = lambda: [s for s, texts in answerer.heard.items() if texts == seed.said]  # noqa: E731
            (session,) = wait_until(heard, "the seed client has spoken")
            operator.call("send", to=session, text="hello, seed")
        seed.wait_heard("hello, seed")

        def everybody_talks(goal, meanwhile=None):
            crowd.goal = goal
            if meanwhile:
                meanwhile()
            for program in programs:
                program.talk()
            crowd.wait_quiet()
            with daemon.operator() as operator:
                assert request(daemon.address).status == 200
                text = f"to all {goal}."
                hearing = crowd.expect_all(text)
                sent = operator.call("send", to="all", text=text)
                assert len(sent["delivered"]) + len(sent["held"]) == hearing + len(programs)
                crowd.wait_quiet()
                for program in programs:
                    if program is seed:
                        seed.say("seed waits.")
                    program.wait_heard(text)

        everybody_talks(3)
        answered = crowd.answered()

        def replace():
            some = answered + len(crowd.speakers) // 2
            wait_until(lambda: crowd.errors or crowd.answered() >= some, f"{some} answers")
            hand_over(daemon)

        everybody_talks(7, replace)
        assert crowd.answered() == answered + 4 * len(crowd.speakers)

        names = {program.name: program for program in programs}
        pages = [speaker for speaker in crowd.speakers if isinstance(speaker, Page)]
        assert all(page.resumed == 1 for page in pages)
        sessions = check_ledgers(crowd, answerer, programs)
        with daemon.operator() as operator:
            rest = check_lists(operator, sessions, crowd)
            assert rest.keys() == {session for name in names for session in sessions[name]}
            stats = operator.call("stats")
            assert (stats["lost"], stats["refused"]) == (0, 0)
            assert stats["messages_in"] == sum(len(each.said) for each in crowd.speakers + programs)
            assert stats["recording_lost"] == 0
    finally:
        for program in programs:
            program.close()
        crowd.close()
        answerer.close()
