"""The programs that people have at hand for TLS: openssl s_client, ncat, socat and curl, as Debian
packages them, typed at, piped into, and idle while another process takes over."""

import gzip
import re
import subprocess

import pytest

from harness import FOR_ONE_ORIGIN, GUARD, Daemon, hand_over, to_toml
from harness.certificates import Authority
from harness.programs import Program

S_CLIENT = ["openssl", "s_client", "-connect", "localhost:PORT", "-4"]
CHECKED = ["-CAfile", "TRUSTED", "-verify_return_error", "-verify_hostname", "localhost"]

TALKING = {
    "openssl s_client": [*S_CLIENT, "-quiet", *CHECKED],
    "openssl s_client -tls1_3": [*S_CLIENT, "-quiet", "-tls1_3", *CHECKED],
    "ncat": ["ncat", "-4", "--ssl-verify", "--ssl-trustfile", "TRUSTED", "localhost", "PORT"],
    "socat": ["socat", "-t60", "-", "OPENSSL:localhost:PORT,pf=ip4,cafile=TRUSTED"],
}
"""How each is called. All of them check the certificate and the name in it."""

ASKING = ["ncat", "socat"]
"""Those that say that their input has ended: ncat by a bare end of file, socat by close_notify."""


def secured(authority, session=None, **more):
    """A daemon with a listener that speaks TLS, and has `more` keys."""
    listen = [authority.listener(**more)]
    return Daemon({"limits": FOR_ONE_ORIGIN, "listen": listen, "session": session or {}})


@pytest.fixture
def daemon(authority):
    with secured(authority) as daemon:
        yield daemon


def filled_in(words, daemon, authority):
    places = {"TRUSTED": str(authority.certificate), "PORT": str(daemon.port)}
    for place, value in places.items():
        words = [word.replace(place, value) for word in words]
    return words


def start(name, daemon, authority):
    return Program(filled_in(TALKING[name], daemon, authority))


def run(words, daemon, authority, **how):
    """Runs a program that ends by itself."""
    return subprocess.run(
        filled_in(words, daemon, authority), capture_output=True, timeout=GUARD, **how
    )


def talk(operator, program, text):
    """A question and its answer. Returns the session."""
    program.say(text)
    session = operator.wait_event("message", text=text)["session"]
    operator.call("send", to=session, text=f"to {text} — wörld")
    program.expect(f"to {text} — wörld")
    return session


@pytest.mark.parametrize("name", TALKING)
def test_a_conversation(daemon, authority, name):
    operator = daemon.operator()
    with start(name, daemon, authority) as program:
        for text in "hello", "schöne Grüße 🦊", "  blanks and\ttabs  ", "%s %n \\n":
            session = talk(operator, program, text)
        assert operator.session(session)["tls"].startswith("TLSv1.3 TLS_")
        operator.call("bye", session=session)
        assert program.finish() == ""
    event = operator.wait_event("disconnected", session=session)
    assert event["reason"].startswith("bye from")


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("minimum", ["1.3", "1.2"])
def test_a_question_from_a_pipe_gets_its_late_answer(authority, name, minimum):
    with secured(authority, tls_minimum=minimum) as daemon:
        operator = daemon.operator()
        with start(name, daemon, authority) as program:
            program.say("deploy?", end="")
            program.end_input()
            session = operator.wait_event("asking")["session"]
            assert operator.events_of("message")[0]["text"] == "deploy?"
            operator.call("send", to=session, text="yes, now")
            assert program.finish().rstrip("\n") == "yes, now"
        operator.wait_event("disconnected", session=session)


def test_s_client_says_nothing_at_the_end_of_its_input_and_hears_the_answer(authority):
    """With -quiet it stays, so what it said without a line end is heard when it has been quiet for
    `settle`. For the daemon it is of the kind that is told the end by the word bye, and is waited
    for."""
    waits = {"original_hold": "200ms", "bye_grace": "200ms"}
    with secured(authority, session=waits) as daemon:
        operator = daemon.operator()
        with start("openssl s_client", daemon, authority) as program:
            program.say("deploy?", end="")
            program.end_input()
            session = operator.wait_event("message", text="deploy?")["session"]
            operator.call("send", to=session, text="yes, now")
            operator.call("bye", session=session)
            assert program.finish() == "yes, nowbye"
        operator.wait_event("disconnected", session=session)


def test_all_of_them_are_idle_while_another_process_takes_over(daemon, authority):
    operator = daemon.operator()
    programs = {name: start(name, daemon, authority) for name in TALKING}
    try:
        sessions = {name: talk(operator, program, name) for name, program in programs.items()}
        asker = programs["asker"] = start("socat", daemon, authority)
        asker.say("deploy?")
        asker.end_input()
        asking = operator.wait_event("asking")["session"]
        for turn in range(2):
            operator.close()
            hand_over(daemon)
            operator = daemon.operator()
            for name, session in sessions.items():
                assert talk(operator, programs[name], f"{name} {turn}") == session
        operator.call("send", to=asking, text="yes")
        assert asker.finish() == "yes\n"
    finally:
        for program in programs.values():
            program.__exit__()


@pytest.mark.parametrize("version", ["1.3", "1.2"])
def test_s_client_resumes_its_session(authority, tmp_path, version):
    """By a ticket in 1.3, and by one or an id in 1.2."""
    state = tmp_path / "session"
    words = [*S_CLIENT, "-ign_eof", f"-tls{version.replace('.', '_')}", *CHECKED]
    with secured(authority, tls_minimum="1.2") as daemon:
        operator = daemon.operator()

        def connect(*more):
            with Program(filled_in([*words, *map(str, more)], daemon, authority)) as program:
                program.say("hello")
                session = operator.wait_event("message", text="hello")["session"]
                operator.call("bye", session=session)
                output = program.finish()
            assert f"TLSv{version}, Cipher is" in output
            assert "Verify return code: 0 (ok)" in output
            return "Reused" if "\nReused, " in output else "New" if "\nNew, " in output else output

        assert connect("-sess_out", state) == "New"
        assert connect("-sess_in", state, "-sess_out", state) == "Reused"
        assert connect() == "New"


def test_s_client_sends_no_early_data(daemon, authority, tmp_path):
    state, early = tmp_path / "session", tmp_path / "early"
    early.write_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    words = [*S_CLIENT, "-ign_eof", "-tls1_3"]
    operator = daemon.operator()
    with Program(filled_in([*words, "-sess_out", str(state)], daemon, authority)) as program:
        operator.call("bye", session=talk_only(operator, program, "one"))
        program.finish()
    shown = subprocess.run(
        ["openssl", "sess_id", "-in", state, "-noout", "-text"], capture_output=True, text=True
    )
    assert "Max Early Data: 0" in shown.stdout or "Max Early Data" not in shown.stdout, shown.stdout
    resumed = [*words, "-sess_in", str(state), "-early_data", str(early)]
    with Program(filled_in(resumed, daemon, authority)) as program:
        operator.call("bye", session=talk_only(operator, program, "two"))
        assert "Early data was not sent" in program.finish()
    assert [each["text"] for each in operator.events_of("message")] == ["one", "two"]


def talk_only(operator, program, text):
    program.say(text)
    return operator.wait_event("message", text=text)["session"]


def test_s_client_gets_the_certificate_of_the_name_that_it_asks_for(authority):
    others = [authority.sign(name) for name in ("one.example", "two.example")]
    config = to_toml({"listen": [authority.listener()]})
    for certificate, key in others:
        files = {"tls_certificate": certificate, "tls_key": key}
        config += to_toml({"listen.certificate": [files]})
    config += to_toml({"control": {"path": "@CONTROL@"}})
    with Daemon(config) as daemon:
        for asked, shown in (
            ("one.example", "one.example"),
            ("two.example", "two.example"),
            ("three.example", "localhost"),
            (None, "localhost"),
        ):
            name = ["-servername", asked] if asked else ["-noservername"]
            done = run([*S_CLIENT, *name], daemon, authority, stdin=subprocess.DEVNULL)
            subject = re.search(rb"^subject=CN ?= ?(\S+)$", done.stdout, re.MULTILINE)
            assert subject[1].decode() == shown, asked


def test_s_client_shows_its_own_certificate(authority):
    certificate, key = authority.sign("ann")
    with secured(authority, tls_client_ca=str(authority.certificate)) as daemon:
        operator = daemon.operator()
        words = [*TALKING["openssl s_client"], "-cert", certificate, "-key", key]
        with Program(filled_in(words, daemon, authority)) as program:
            session = talk(operator, program, "hello")
            assert operator.events_of("connected")[0]["verified"] == "ann"
            assert operator.session(session)["verified"] == "ann"
        with Authority() as other:
            certificate, key = other.sign("mallory")
            words = [*TALKING["openssl s_client"], "-cert", certificate, "-key", key]
            with Program(filled_in(words, daemon, authority)) as program:
                program.end_input()
                _, errors = program.process.communicate(timeout=GUARD)
                assert b"alert unknown ca" in errors, errors
        assert len(operator.events_of("connected")) == 1


def test_older_versions_are_refused_where_they_are_not_asked_for(daemon, authority):
    operator = daemon.operator()
    for version in "-tls1_2", "-tls1_1":
        words = [*S_CLIENT, version, "-cipher", "DEFAULT@SECLEVEL=0"]
        done = run(words, daemon, authority, input=b"hello\n")
        assert done.returncode != 0 and b"alert protocol version" in done.stderr, done.stderr
    assert operator.events == []


def test_a_scanner_that_speaks_ssl_2_is_nobody(daemon):
    """Its ClientHello is closed without a word; s_client cannot send it any more."""
    operator = daemon.operator()
    for version in b"\0\2", b"\3\1":
        with daemon.client() as client:
            client.send(b"\x80\x2e\1" + version + b"\0\x15\0\0\0\x10" + bytes(37))
            client.expect_end()
    with daemon.client() as client:
        client.send(b"hello\n")
        operator.wait_event("message", text="hello")
        assert client.leave() == b""
    operator.wait_event("disconnected")
    assert [each["method"] for each in operator.events] == ["connected", "message", "disconnected"]


# --- curl ---

TO_HERE = ["--noproxy", "*", "--resolve", "*:PORT:127.0.0.1"]
CURL = ["curl", "-sS", "--cacert", "TRUSTED", *TO_HERE]
PAGE = "https://localhost:PORT"


def test_curl_gets_the_page(daemon, authority, tmp_path):
    operator = daemon.operator()

    def curl(*words):
        done = run([*CURL, *map(str, words)], daemon, authority)
        assert done.returncode == 0, done.stderr
        return done.stdout

    page = curl(PAGE)
    assert b"<!doctype html>" in page
    assert curl("--compressed", PAGE) == page
    assert gzip.decompress(curl("-H", "Accept-Encoding: gzip", PAGE)) == page
    etag = tmp_path / "etag"
    assert curl("--etag-save", etag, PAGE) == page
    assert curl("--etag-compare", etag, "-w", "%{http_code}", PAGE) == b"304"
    # It offers h2 and http/1.1 by ALPN, and is given the latter.
    shown = ["-o", "/dev/null", "-w", "%{http_code} %{http_version}"]
    assert curl("--http2", *shown, PAGE) == b"200 1.1"
    assert curl("-I", PAGE).startswith(b"HTTP/1.1 200 OK\r\n")
    assert curl("-o", "/dev/null", "-w", "%{http_code}", "-d", "hi", PAGE) == b"405"
    # Several at once and behind one another: each answer ends its connection.
    script, style = curl(f"{PAGE}/chat.js"), curl(f"{PAGE}/chat.css")
    files = [f"{PAGE}/chat.js", "-o", tmp_path / "js", f"{PAGE}/chat.css", "-o", tmp_path / "css"]
    assert curl("-Z", *files) == b""
    assert (tmp_path / "js").read_bytes() == script and (tmp_path / "css").read_bytes() == style
    assert operator.events == []


def test_curl_checks_the_name_and_the_authority(daemon, authority):
    for words in (
        ["curl", "-sS", *TO_HERE, PAGE],
        [*CURL, "https://other.example:PORT"],
    ):
        done = run(words, daemon, authority)
        assert done.returncode == 60, done.stderr
