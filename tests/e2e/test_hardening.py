"""The programs as files: that compiler and linker have put into them what makes the misuse of
memory hard (cmake/hardening.cmake)."""

import platform
import re
import subprocess
from pathlib import Path

import pytest

from harness import CHATCTL, CHATD, SANITIZER

pytestmark = pytest.mark.skipif(bool(SANITIZER), reason="a sanitized build is not hardened")


def readelf(*argv):
    return subprocess.run(["readelf", "-W", *argv], capture_output=True, text=True, check=True).stdout


def imports(program):
    """The names that it takes from its libraries."""
    return set(re.findall(r" UND (\w+)", readelf("--dyn-syms", program)))


@pytest.fixture(params=[CHATD, CHATCTL], ids=["chatd", "chatctl"])
def program(request):
    cache = (Path(request.param).parents[1] / "CMakeCache.txt").read_text()
    if "CMAKE_BUILD_TYPE:STRING=Debug" in cache:
        pytest.skip("a debug build is not hardened")
    return request.param


def test_it_lies_at_an_address_that_nobody_can_guess(program):
    assert re.search(r"Type: +DYN \(Position-Independent Executable", readelf("-h", program))
    assert re.search(r"FLAGS_1.*\bPIE\b", readelf("-d", program))


def test_its_tables_of_addresses_cannot_be_written_to_and_its_stack_is_no_code(program):
    segments = readelf("-l", program)
    assert "GNU_RELRO" in segments and "BIND_NOW" in readelf("-d", program)
    assert re.search(r"GNU_STACK.* RW +0x", segments)
    # Nothing is both.
    assert not re.search(r"LOAD.* RWE ", segments)


def test_its_calls_are_fortified_and_its_stacks_protected(program):
    names = imports(program)
    assert "__stack_chk_fail" in names
    assert len({name for name in names if name.endswith("_chk")}) >= 3, sorted(names)


def test_its_containers_and_its_own_assertions_are_checked(program):
    names = imports(program)
    assert "__assert_fail" in names
    assert any(re.match(r"_ZSt\d+__glibcxx_assert_fail", name) for name in names), sorted(names)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="CET is of x86-64")
def test_its_functions_say_that_they_may_be_called_indirectly(program):
    code = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", "--disassemble=main", program],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(r"<main>:\n +\w+:\s+endbr64", code), code[:2000]
    # The program as a whole says so where the C library's part of it does.
    start = subprocess.run(["g++", "-print-file-name=crt1.o"], capture_output=True, text=True)
    if "IBT, SHSTK" in readelf("-n", start.stdout.strip()):
        assert "IBT, SHSTK" in readelf("-n", program)
