"""What every run of the tests says of itself, and that it never runs against nothing: the
hooks of pytest that a conftest.py takes from here."""

import os

import pytest

from harness.daemons import CHATCTL, CHATD
from harness.waiting import LONG, SANITIZER


def pytest_report_header():
    return f"chatd: {CHATD}; chatctl: {CHATCTL}; sanitizer: {SANITIZER or 'none'}; long: {LONG}"


def pytest_sessionstart():
    for program in (CHATD, CHATCTL):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build it, or name it by CHATD or CHATCTL", 1)
