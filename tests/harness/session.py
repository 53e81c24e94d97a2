"""Hooks of pytest, and a fixture, for each conftest.py to import: a run says which programs it
tests, and does not begin without them."""

import os

import pytest

from harness.certificates import Authority
from harness.daemons import CHATCTL, CHATD
from harness.waiting import LONG, SANITIZER


def pytest_report_header():
    return f"chatd: {CHATD}; chatctl: {CHATCTL}; sanitizer: {SANITIZER or 'none'}; long: {LONG}"


def pytest_sessionstart():
    for program in (CHATD, CHATCTL):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build it, or name it by CHATD or CHATCTL", 1)


@pytest.fixture(scope="module")
def authority():
    """One that the tests of a file share."""
    with Authority() as authority:
        yield authority
