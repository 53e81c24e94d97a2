"""The scripts that build and test work in a build folder whatever was done in it before. The
tests run in a copy of the tree, and compile nothing."""

import os
import shutil
import subprocess

import pytest

from harness import GUARD, REPOSITORY


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


def test_run_sh_becomes_the_daemon_with_the_arguments_given(tmp_path):
    """So that a signal, and the end of the terminal, reach the daemon itself."""

    def put(name, *lines):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)

    def start():
        """Its process id, how it ended, and what it wrote."""
        with subprocess.Popen(
            [tmp_path / "run.sh", *arguments], cwd="/", stdin=subprocess.DEVNULL, **pipes
        ) as process:
            output, errors = process.communicate(timeout=GUARD)
        return process.pid, process.returncode, output, errors

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    arguments = ["--listen", "127.0.0.1:0", "two words", "", "*", "--"]
    shutil.copy2(REPOSITORY / "run.sh", tmp_path)
    put("cmake/packages.sh", 'echo packages "$@" >&2')
    put("cmake/build.sh", 'echo build "$@" >&2')
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
