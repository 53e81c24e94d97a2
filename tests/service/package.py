"""The Debian package, built from the working tree as dpkg-buildpackage builds it, and the
version after it, which differs in its number alone. In a copy: nothing of it appears in
the tree."""

import os
import re
import shutil

from harness.tree import BUILD, copy_tree, run


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


def build(name="package", version=None):
    """The .changes file; beside it is the package. `version` takes the place of the tree's."""
    folder = BUILD / "service" / name
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "tree"
    tree.mkdir(parents=True)
    copy_tree(tree)
    if version:
        replace(tree / "CMakeLists.txt", r"(?m)^(project\(chatd VERSION) \S+", rf"\1 {version}")
        replace(tree / "debian/changelog", r"\A(chatd) \(.*?\)", rf"\1 ({version})")
    # Without what `apt source` would build for developers besides.
    options = {"DEB_BUILD_OPTIONS": "nocheck noautodbgsym"}
    run(
        ["dpkg-buildpackage", "-b", "-us", "-uc"],
        cwd=tree,
        env={**os.environ, **options, **compiler_cache(tree)},
    )
    shutil.rmtree(tree)
    (changes,) = folder.glob("*.changes")
    return changes


def replace(file, pattern, by):
    text, places = re.subn(pattern, by, file.read_text())
    assert places == 1, f"{pattern} in {file}"
    file.write_text(text)


def package_of(changes):
    (package,) = changes.parent.glob("chatd_*.deb")
    return package


def version_of(package):
    return run(["dpkg-deb", "-f", package, "Version"]).strip()


def next_version(package):
    """The package of a chatd that calls itself newer."""
    first, *rest = version_of(package).split(".")
    return package_of(build("next-package", ".".join([str(int(first) + 1), *rest])))
