"""Two worlds of the fuzzer of the whole process, against the program that the other tests run;
`./test.sh whole` tries more of them."""

import os
import subprocess
import sys

import pytest

from harness import GUARD, REPOSITORY


@pytest.mark.parametrize("world", [1, 2])
def test_a_world_holds_what_is_promised(world):
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/whole/whole.py", "--world", str(world)],
        env=os.environ | {"CHATD_TEST_GUARD": str(GUARD)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=4 * GUARD,
    )
    assert done.returncode == 0, done.stderr[-20_000:]
