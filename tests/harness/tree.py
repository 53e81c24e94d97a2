"""Copies the working tree, for packages and images to be built from, and runs commands that
have to succeed."""

import shutil
import subprocess

from harness.daemons import REPOSITORY

BUILD = REPOSITORY / "build"


def run(argv, **how):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, **how)
    assert done.returncode == 0, f"{argv}: {(done.stdout + done.stderr)[-4000:]}"
    return done.stdout


def copy_tree(to):
    """Copies the files that git tracks, and those that it would add."""
    names = run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY)
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, to / name)
