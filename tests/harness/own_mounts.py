"""A mount namespace of its own for a daemon, in which some files are others. Needs root."""

import contextlib
import os
import shutil
import subprocess

import pytest


@contextlib.contextmanager
def own_mounts(mount, source, folder):
    """What a command has to begin with to run in `folder` and in a new mount namespace, in which
    the shell command `mount` has mounted `source`, which it calls "$0". Skips the test where that
    is not allowed."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root can mount a file")
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
        + [f"{mount} && echo mounted && exec cat", str(source)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("this root may not mount a file")
        yield ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", f"--wd={folder}"]
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
