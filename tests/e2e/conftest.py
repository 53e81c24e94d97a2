"""What every end-to-end run says of itself, and that it never runs against nothing."""

import os

import pytest

from chatd_support import CHATCTL, CHATD, SANITIZER


def pytest_report_header():
    return f"chatd: {CHATD}; chatctl: {CHATCTL}; sanitizer: {SANITIZER or 'none'}"


def pytest_sessionstart():
    for program in (CHATD, CHATCTL):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build it, or name it by CHATD or CHATCTL", 1)
