"""The Debian package, built from the working tree as dpkg-buildpackage builds it, in a
Debian of the suite that it is for, and the version after it, which differs in its number
alone. In a copy: nothing of it appears in the tree."""

import os
import re
import shutil

from harness.debian import debian, die_with_parent, own_suite
from harness.tree import BUILD, copy_tree, run

# Only the folder, the cache and /tmp can be written to.
INSIDE = """
root=$1 cache=$2 folder=$3 where=$4; shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$folder" "$root/mnt"
mount --bind "$cache" "$root/srv"
exec chroot "$root" env -i -C /mnt/"$where" PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  HOME=/tmp "$@"
"""


class Workshop:
    """A Debian of a suite with all that packages are built with."""

    def __init__(self, suite):
        self.root = debian(suite, "build", "package")
        self.folder = BUILD / "service" / f"packages-{suite}"
        shutil.rmtree(self.folder, ignore_errors=True)
        # With a compiler of the same version the objects of the release preset are found again.
        if suite == own_suite() and shutil.which("ccache"):
            self.cache = run(["ccache", "-k", "cache_dir"]).strip()
        else:
            self.cache = BUILD / "debian" / f"{suite}.ccache"
            self.cache.mkdir(exist_ok=True)

    def run(self, folder, where, *argv):
        """Returns what `argv` prints. It may begin with variables, sees the folder as /mnt, and
        is run in the part of the folder that `where` names."""
        return run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
            + ["sh", "-ec", INSIDE, "inside", self.root, self.cache, folder, where, *argv],
            preexec_fn=die_with_parent,
        )

    def build(self, name="package", version=None):
        """The package's file; `version` takes the place of the tree's."""
        folder = self.folder / name
        tree = folder / "tree"
        tree.mkdir(parents=True)
        copy_tree(tree)
        if version:
            replace(tree / "CMakeLists.txt", r"(?m)^(project\(chatd VERSION) \S+", rf"\1 {version}")
            replace(tree / "debian/changelog", r"\A(chatd) \(.*?\)", rf"\1 ({version})")
        # Without the -dbgsym package, which nobody needs here.
        environment = ["DEB_BUILD_OPTIONS=nocheck noautodbgsym", *self.compiler_cache()]
        self.run(folder, "tree", *environment, "dpkg-buildpackage", "-b", "-us", "-uc")
        shutil.rmtree(tree)
        (package,) = folder.glob("chatd_*.deb")
        return package

    def compiler_cache(self):
        """The environment in which the objects of the release preset are found again: the
        folder and the language of the messages are all that differs."""
        language = os.environ.get("LANG", "")
        return [
            f"CMAKE_CXX_COMPILER_LAUNCHER=env;-u;LC_ALL;-u;SOURCE_DATE_EPOCH;LANG={language};ccache",
            "CCACHE_DIR=/srv",
            "CCACHE_BASEDIR=/mnt/tree",
            "CCACHE_NOHASHDIR=1",
        ]

    def lintian(self, package):
        """What lintian prints about the package."""
        (changes,) = package.parent.glob("*.changes")
        check = ["lintian", "--fail-on", "none", "--allow-root"]
        return self.run(package.parent, ".", *check, changes.name)

    def next_version(self, package):
        """The package of a chatd that calls itself newer."""
        first, *rest = version_of(package).split(".")
        return self.build("next-package", ".".join([str(int(first) + 1), *rest]))


def replace(file, pattern, by):
    text, places = re.subn(pattern, by, file.read_text())
    assert places == 1, f"{pattern} in {file}"
    file.write_text(text)


def version_of(package):
    return run(["dpkg-deb", "-f", package, "Version"]).strip()
