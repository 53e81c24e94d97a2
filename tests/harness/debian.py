"""A Debian in a folder, in which one is booted or an image is built, and processes that do
not outlive the test that started them. Needs root."""

import ctypes
import os
import platform
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness.daemons import REPOSITORY

PR_SET_PDEATHSIG = 1


def why_not_here():
    """The reason why this machine cannot boot a Debian, or None."""
    if os.geteuid() != 0:
        return "only root can boot a Debian in a folder"
    for tool in ("debootstrap", "systemd-nspawn", "nsenter", "unshare"):
        if not shutil.which(tool):
            return f"{tool} is not there; ./test.sh service installs it"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, text=True
    )
    return f"no namespaces can be made here: {tried.stderr}" if tried.returncode else None


def own_suite():
    """The suite of the Debian that this is, such as "bookworm"."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def debian(suite, *groups):
    """The folder of a Debian of that suite with these groups of cmake/packages.txt."""
    if reason := why_not_here():
        pytest.skip(f"cannot boot a Debian: {reason}")
    done = subprocess.run(
        [REPOSITORY / "tests/support/debian.sh", suite, *groups], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, "debian.sh failed"
    return Path(done.stdout.strip())


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children(pid):
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
