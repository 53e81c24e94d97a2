"""The Debian package, built from the working tree as dpkg-buildpackage builds it, and the
version after it. In a copy: nothing of it appears in the tree."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from machine import BUILD, REPOSITORY

FOLDER = BUILD / "service" / "package"


def run(argv, **how):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, **how)
    assert done.returncode == 0, f"{argv}: {(done.stdout + done.stderr)[-4000:]}"
    return done.stdout


def copy_tree(to):
    """What git knows of, and what it will."""
    names = run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY)
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, to / name)


def compiler_cache(tree):
    """The environment in which the objects of the release preset are found again: the
    folder and the language of the messages are all that differs."""
    if not shutil.which("ccache"):
        return {}
    language = os.environ.get("LANG", "")
    return {
        "CMAKE_CXX_COMPILER_LAUNCHER": f"env;-u;LC_ALL;-u;SOURCE_DATE_EPOCH;LANG={language};ccache",
        "CCACHE_DIR": run(["ccache", "-k", "cache_dir"]).strip(),
        "CCACHE_BASEDIR": str(tree),
        "CCACHE_NOHASHDIR": "1",
    }


def build():
    """The .changes file; beside it is the package."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    tree = FOLDER / "tree"
    tree.mkdir(parents=True)
    copy_tree(tree)
    # Without what `apt source` would build for developers besides.
    options = {"DEB_BUILD_OPTIONS": "nocheck noautodbgsym"}
    run(
        ["dpkg-buildpackage", "-b", "-us", "-uc"],
        cwd=tree,
        env={**os.environ, **options, **compiler_cache(tree)},
    )
    shutil.rmtree(tree)
    (changes,) = FOLDER.glob("*.changes")
    return changes


def package_of(changes):
    (package,) = changes.parent.glob("chatd_*.deb")
    return package


def next_version(package):
    """The same package, but newer, in a folder of its own."""
    version = run(["dpkg-deb", "-f", package, "Version"]).strip()
    tree = FOLDER / "next"
    shutil.rmtree(tree, ignore_errors=True)
    run(["dpkg-deb", "-R", package, tree])
    control = tree / "DEBIAN/control"
    text = control.read_text()
    changed = re.sub(rf"(?m)^Version: {re.escape(version)}$", f"Version: {version}+next", text)
    assert changed != text
    control.write_text(changed)
    newer = Path(FOLDER / "chatd-next.deb")
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, newer])
    shutil.rmtree(tree)
    return newer
