"""The scripts that build and test work in a build folder whatever was done in it before. The
tests run in a copy of the tree, and compile nothing."""

import os
import shutil
import subprocess

import pytest

from harness import CHATD, GUARD, REPOSITORY, Daemon
from harness.network import OWN_NETWORK, in_network_of
from harness.web import Page, request


def run(tree, *argv):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATD")}
    return subprocess.run(
        argv,
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3 * GUARD,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree; its build/release is configured without tests."""
    tree = tmp_path_factory.mktemp("tree") / "chatd"
    shutil.copytree(REPOSITORY, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    configured = run(tree, "cmake", "--preset", "release", "-DBUILD_TESTING=OFF")
    assert configured.returncode == 0, configured.stderr
    return tree


def test_a_part_without_tests_is_named(tree):
    scripts = tree / "cmake"
    shutil.copytree(scripts, tree / "kept")
    for name in "packages.sh", "build.sh":
        (scripts / name).write_text("#!/bin/sh\n")
    done = run(tree, "./test.sh", "image")
    shutil.rmtree(scripts)
    (tree / "kept").rename(scripts)
    assert done.returncode == 1
    assert "build/release has no tests of this part: ctest --preset release -L ^image$" in done.stderr
    assert "No tests were found" not in done.stdout + done.stderr


def test_a_folder_that_was_configured_in_another_way_is_configured_anew(tree):
    def build():
        done = run(tree, "cmake/build.sh", "release", "build.ninja")  # compiles nothing
        assert done.returncode == 0 and done.stdout == "", done.stderr
        return "configuring it anew" in done.stderr

    def tests():
        return run(tree, "ctest", "--preset", "release", "-N").stdout

    assert "Total Tests: 0" in tests()
    assert build()
    assert "unit/core" in tests()
    assert not build()
    run(tree, "cmake", "--preset", "release", "-DBUILD_TESTING=OFF", "-DCMAKE_INSTALL_PREFIX=/usr")
    assert build()
    assert "unit/core" in tests()
    cache = (tree / "build/release/CMakeCache.txt").read_text()
    assert "CMAKE_INSTALL_PREFIX:PATH=/usr/local\n" in cache


def test_the_package_is_built_in_a_folder_of_its_own():
    rules = (REPOSITORY / "debian/rules").read_text()
    assert "--builddirectory=build/package" in rules
    assert '"name": "package"' not in (REPOSITORY / "CMakePresets.json").read_text()


@pytest.fixture
def put(tmp_path):
    """Puts a script beside a run.sh for which all is installed and built."""

    def put(name, *lines):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)

    shutil.copy2(REPOSITORY / "run.sh", tmp_path)
    put("cmake/packages.sh", 'echo packages "$@" >&2')
    put("cmake/build.sh", 'echo build "$@" >&2')
    return put


def test_run_sh_becomes_the_daemon_with_the_arguments_given(tmp_path, put):
    """So that a signal, and the end of the terminal, reach the daemon itself."""

    def start():
        """Its process id, how it ended, and what it wrote."""
        with subprocess.Popen(
            [tmp_path / "run.sh", *arguments], cwd="/", stdin=subprocess.DEVNULL, **pipes
        ) as process:
            output, errors = process.communicate(timeout=GUARD)
        return process.pid, process.returncode, output, errors

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    arguments = ["--listen", "127.0.0.1:0", "two words", "", "*", "--"]
    put("build/release/bin/chatd", 'printf "%s\\n" $$ "$@"', "exit 7")
    pid, code, output, errors = start()
    assert output.split("\n") == [str(pid), *arguments, ""]
    assert code == 7
    said = [line for line in errors.splitlines() if not line.startswith("run.sh: ")]
    assert said == ["packages build", "build release chatd chatctl"]
    # What was not built anew is not started.
    put("cmake/build.sh", "exit 1")
    _, code, output, errors = start()
    assert (code, output) == (1, "")
    assert errors.endswith("run.sh: the release did not build\n")


@pytest.mark.parametrize("file", [None, "config/chatd.toml"])
def test_what_run_sh_starts_is_a_chat_for_browsers(tmp_path, put, file):
    """At 127.0.0.1:8080, as the README says, in a network where that is free; also with the
    configuration that packages bring. But for the control socket's path nothing is configured."""
    if os.geteuid() != 0 or subprocess.run([*OWN_NETWORK, "true"], capture_output=True).returncode:
        pytest.skip("only root can make a network")
    put("build/release/bin/chatd", f'exec {CHATD} "$@"')
    whole = (REPOSITORY / file).read_text() if file else '[control]\npath = ""\n'
    before, table, after = whole.partition("[control]\n")
    text = before + table + after.replace('path = ""', 'path = "@CONTROL@"', 1)
    how = {"program": str(tmp_path / "run.sh"), "prefix": OWN_NETWORK, "listeners": 1}
    with Daemon(text, **how) as daemon:
        assert daemon.endpoints == ["127.0.0.1:8080"]
        operator = daemon.operator()
        page = in_network_of(daemon.pid, lambda: request(daemon.address))
        assert page.status == 200 and b"<!doctype html>" in page.body
        with in_network_of(daemon.pid, lambda: Page(daemon.address)) as visitor:
            visitor.say("hello")
            session = operator.wait_event("message", text="hello")["session"]
            operator.call("send", to=session, text="hi")
            assert visitor.hear("message", **{"from": "operator"})["text"] == "hi"
