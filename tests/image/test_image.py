"""The image of the Dockerfile: what is in it, and how it behaves as a container."""

import json
import os
import re
import shutil
import signal
import stat

import pytest
from image import Container, Image

from harness import REPOSITORY, Client, Operator, wait_until
from harness.bill import check_bill
from harness.web import Page, WebSocket, request

ADDRESS = ("127.0.0.1", 8080)


@pytest.fixture(scope="session")
def image():
    if not shutil.which("buildah"):
        pytest.skip("cannot build an image: buildah is not there; ./test.sh image installs it")
    built = Image()
    yield built
    built.close()


@pytest.fixture
def container(image):
    with Container(image) as running:
        running.wait_log("listening on 0.0.0.0:8080")
        yield running


def operator_of(container):
    return Operator(f"/proc/{container.pid}/root/run/chatd/control.sock")


def speaking(container, operator, words=b"hello\n"):
    client = container.connected(lambda: Client(ADDRESS))
    client.send(words)
    return client, operator.session_of(client)


def test_the_programs_have_their_libraries_and_nothing_that_built_them(image):
    for program in ("chatd", "chatctl"):
        path = image.root / "usr/bin" / program
        needed = os.popen(f"chroot {image.root} ldd /usr/bin/{program}").read()
        assert "libc.so" in needed and "not found" not in needed
        assert b".debug_info" not in path.read_bytes()
    for tool in ("c++", "g++", "cc", "cmake", "ninja", "ld", "make", "git", "python3", "ccache"):
        for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"):
            assert not (image.root / folder / tool).exists(), f"{folder}/{tool}"
    for left in ("src", "installed", "usr/include/uv.h", "tmp/cmake"):
        assert not (image.root / left).exists(), left
    assert list((image.root / "var/lib/apt/lists").glob("*")) == []


def test_it_runs_as_a_user_who_can_do_no_harm(image, container):
    assert image.config["User"] not in ("", "0", "root")
    status = (open(f"/proc/{container.pid}/status")).read()
    assert "Uid:\t0" not in status and "Gid:\t0" not in status
    assert container.exec("touch", "/usr/bin/x").returncode != 0


def test_no_program_in_it_gives_the_rights_of_another_user(image):
    """No set-user-ID, no set-group-ID, no capability of a file."""
    for folder, _, names in os.walk(image.root):
        for path in (os.path.join(folder, name) for name in names):
            found = os.lstat(path)
            assert not (stat.S_ISREG(found.st_mode) and found.st_mode & 0o6000), path
            assert "security.capability" not in os.listxattr(path, follow_symlinks=False), path


def test_the_kernel_refuses_it_what_it_does_not_need(container):
    status = open(f"/proc/{container.pid}/status").read()
    assert "Seccomp:\t2\n" in status and "NoNewPrivs:\t1\n" in status


def test_its_base_is_named_by_its_digest():
    """The tests have a base of their own, so this is only read."""
    text = (REPOSITORY / "Dockerfile").read_text()
    (base,) = re.findall(r"(?m)^ARG BASE=(\S+)$", text)
    assert re.fullmatch(r"docker\.io/library/debian:bookworm-slim@sha256:[0-9a-f]{64}", base)
    assert set(re.findall(r"(?m)^FROM (\S+)", text)) == {"${BASE}", "base"}


def test_it_says_what_it_is_made_of(image):
    bill = json.loads((image.root / "usr/share/doc/chatd/sbom.spdx.json").read_text())
    check_bill(bill)
    versions = "chroot {} dpkg-query -W -f '${{Package}} ${{Version}}\n'".format(image.root)
    installed = dict(line.split() for line in os.popen(versions).read().splitlines())
    # What the programs load is in the image, in that version; what they were compiled with is not.
    by_id = {package["SPDXID"]: package for package in bill["packages"]}
    loaded = [
        by_id[each["relatedSpdxElement"]]
        for each in bill["relationships"]
        if each["relationshipType"] == "DEPENDS_ON"
    ]
    assert {"libc6", "libuv1", "libsqlite3-0", "libstdc++6"} <= {each["name"] for each in loaded}
    for package in loaded:
        assert installed[package["name"]] == package["versionInfo"], package["name"]


def test_it_says_how_an_engine_treats_it(image):
    assert list(image.config["Volumes"]) == ["/var/lib/chatd"]
    assert list(image.config["ExposedPorts"]) == ["8080/tcp"]
    assert image.config["StopSignal"] in ("SIGTERM", "15")


def healthy(container):
    kind, *command = container.image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return container.exec(*command).returncode == 0


def test_it_is_healthy_answers_and_records(container):
    wait_until(lambda: healthy(container), "it is healthy")
    operator = operator_of(container)
    client, session = speaking(container, operator, b"q?\n")
    operator.wait_event("message", session=session, text="q?")
    assert container.exec("chatctl", "send", str(session), "42").returncode == 0
    client.expect(b"42\n")
    history = lambda: container.exec("chatctl", "history").stdout  # noqa: E731
    wait_until(lambda: "q?" in history() and "42" in history(), "it is recorded")
    assert (container.image.root / "var/lib/chatd/transcript.db").exists()


def test_it_serves_the_page_to_whoever_reaches_it(container):
    page = container.connected(lambda: request(ADDRESS))
    assert page.status == 200 and b"<!doctype html>" in page.body
    operator = operator_of(container)
    with container.connected(lambda: WebSocket(ADDRESS)) as program:
        program.send("from a program")
        session = operator.wait_event("message", text="from a program")["session"]
        operator.call("send", to=session, text="hi")
        program.expect("hi")
    with container.connected(lambda: Page(ADDRESS)) as visitor:
        visitor.say("from a visitor")
        session = operator.wait_event("message", text="from a visitor")["session"]
        operator.call("send", to=session, text="hello")
        assert visitor.hear("message", **{"from": "operator"})["text"] == "hello"


def test_a_daemon_that_hangs_is_not_healthy(container):
    assert healthy(container)
    os.kill(container.pid, signal.SIGSTOP)
    kind, *command = container.image.config["Healthcheck"]["Test"]
    # An engine gives it so long.
    assert container.image.config["Healthcheck"]["Timeout"] == 5 * 10**9
    assert container.exec("timeout", "5", *command).returncode != 0


def test_it_stops_within_its_grace_and_ends_sessions_well(container):
    operator = operator_of(container)
    client, session = speaking(container, operator)
    operator.call("send", to=session, text="the last word")
    os.kill(container.pid, signal.SIGTERM)
    client.expect(b"the last word\n")
    client.expect_end()
    assert container.process.wait(timeout=10) == 0  # what `docker stop` waits


def test_another_process_goes_on_with_the_sessions(container):
    operator = operator_of(container)
    client, session = speaking(container, operator)
    client.send(b"the beginning, ")
    os.kill(container.pid, signal.SIGUSR2)
    container.wait_log("goes on with 1 sessions")
    wait_until(lambda: healthy(container), "it is healthy")
    operator = operator_of(container)
    client.send(b"and the end\n")
    operator.wait_event("message", session=session, text="the beginning, and the end")
    operator.call("send", to=session, text="answer")
    client.expect(b"answer\n")


def test_in_a_terminal_it_is_the_console(image):
    import pexpect

    with Container(image) as running:  # only for the command that it is started by
        command = running.command(*running.argv)
    terminal = pexpect.spawn(command[0], command[1:], encoding="utf-8", timeout=60)
    try:
        terminal.expect("nobody is connected")
        terminal.send("/stats\r")
        terminal.expect("longest_turn_ms")
        terminal.send("/quit\r")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
    assert terminal.exitstatus == 0
