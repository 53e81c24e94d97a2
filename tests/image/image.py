"""The image that the Dockerfile makes, built without a registry and run without a
container engine: its base is a Debian made here, and a container is namespaces, a root
and what the image says of user, environment and command. Knows nothing of the protocol."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from harness.debian import children, debian, die_with_parent
from harness.network import in_network_of
from harness.tree import BUILD, copy_tree, run
from harness.waiting import wait_until

FOLDER = BUILD / "image"
SUITE = "bookworm"
BASE = f"localhost/debian:{SUITE}-slim"
NAME = "localhost/chatd:test"


def buildah(*argv, **how):
    storage = ["--root", FOLDER / "root", "--runroot", FOLDER / "run", "--storage-driver", "overlay"]
    return run(["buildah", *storage, *argv], **how).strip()


def make_base(folder):
    """An image in the place of the one that the Dockerfile begins with, from a folder; made
    once."""
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, folder, "/")
    buildah("config", "--cmd", "/bin/bash", container)
    buildah("commit", "--rm", "--quiet", container, BASE)


def compiler_cache():
    """Volumes with which the compiler of the build finds the objects of the release preset
    again, if this machine has a cache of them. They are not part of the image."""
    cache = shutil.which("ccache")
    if not cache:
        return []
    programs = FOLDER / "programs"
    shutil.rmtree(programs, ignore_errors=True)
    programs.mkdir(parents=True)
    libraries = [word for word in run(["ldd", cache]).split() if word.startswith("/")]
    for file in (cache, *libraries):
        shutil.copy(file, programs / f"{Path(file).name}.real" if file == cache else programs)
    loader = next(name for name in libraries if "/ld-" in name)
    wrapper = programs / "ccache"
    wrapper.write_text(
        "#!/bin/sh\n"
        f"export LANG={shlex.quote(os.environ.get('LANG', ''))}\n"
        "export CCACHE_DIR=/mnt CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1\n"
        f"exec {loader} --library-path /usr/local/bin /usr/local/bin/ccache.real \"$@\"\n"
    )
    wrapper.chmod(0o755)
    folder = run(["ccache", "-k", "cache_dir"]).strip()
    return ["--volume", f"{programs}:/usr/local/bin:ro", "--volume", f"{folder}:/mnt:rw"]


def build():
    """Builds the image of the working tree."""
    base = debian(SUITE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    if BASE not in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
        make_base(base)
    tree = FOLDER / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    copy_tree(tree)
    how = ["--isolation", "chroot", "--pull-never", "--format", "docker", "--layers"]
    buildah("build", *how, *compiler_cache(), "--build-arg", f"BASE={BASE}", "--tag", NAME, tree)
    shutil.rmtree(tree)


class Image:
    """The image as a folder, and what it says of itself."""

    def __init__(self):
        build()
        self.container = buildah("from", "--pull-never", NAME)
        self.root = Path(buildah("mount", self.container))
        self.config = json.loads(buildah("inspect", "--type", "image", NAME))["Docker"]["config"]

    def close(self):
        buildah("rm", self.container)


INSIDE = """
root=$1 user=$2; shift 2
ip link set lo up
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
exec chroot --userspec="$user:$user" "$root" "$@"
"""


class Container:
    """A running container: its first process is what the image names, as in any engine."""

    def __init__(self, image, *arguments, stdin=subprocess.DEVNULL):
        self.image = image
        self.pid = None
        config = image.config
        self.environment = ["env", "-i", *config["Env"]]
        self.argv = [*config["Entrypoint"], *(arguments or config["Cmd"])]
        self.output = (FOLDER / "output").open("w+")
        self.process = subprocess.Popen(
            self.command(*self.argv),
            stdin=stdin,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        try:
            self.pid = wait_until(self._first_process, "the program of the image runs")
        except BaseException:
            self.close()
            raise

    def command(self, *argv):
        # The outer namespace ends with its holder, and the inner one with it; that one's
        # first process has changed its user, and would outlive its parent.
        return (
            ["unshare", "--pid", "--fork", "--kill-child"]
            + ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"]
            + ["sh", "-ec", INSIDE, "container", str(self.image.root), self.image.config["User"]]
            + [*self.environment, *argv]
        )

    def _first_process(self):
        assert self.process.poll() is None, f"it ended: {self.log()}"
        for holder in children(self.process.pid):
            for pid in children(holder):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "chatd":
                    return pid
        return None

    def log(self):
        return (FOLDER / "output").read_text(errors="replace")

    def wait_log(self, text):
        wait_until(lambda: text in self.log() or self.process.poll() is not None, f"{text!r}: {self.log()}")
        assert text in self.log(), self.log()

    def exec(self, *argv):
        """As `docker exec` runs a program in it."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        ids = {line.split()[0]: line.split()[1] for line in status.splitlines() if line[1:3] == "id"}
        enter = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-r", "-w"]
        enter += ["-S", ids["Uid:"], "-G", ids["Gid:"]]
        return subprocess.run(
            [*enter, *self.environment, *argv], capture_output=True, text=True, timeout=60
        )

    def connected(self, make):
        return in_network_of(self.pid, make)

    def close(self):
        self.process.kill()
        self.process.wait()
        if self.pid:  # ends a moment later
            wait_until(lambda: not Path(f"/proc/{self.pid}").exists(), "its program has ended")
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
