"""Proxies as Debian packages them, in front of a daemon, each with its configuration of
doc/operations.md: what stands there is what runs, but for addresses, ports and paths. They run
without privileges."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.daemons import REPOSITORY
from harness.network import free_port
from harness.waiting import wait_until

NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
error_log stderr;
pid @FOLDER@/nginx.pid;
events {}
"""
"""What Debian's nginx.conf says, as far as the documented text needs it."""

NGINX_HTTP = """
http {
    access_log off;
    client_body_temp_path @FOLDER@/body;
    proxy_temp_path @FOLDER@/proxy;
    fastcgi_temp_path @FOLDER@/fastcgi;
    uwsgi_temp_path @FOLDER@/uwsgi;
    scgi_temp_path @FOLDER@/scgi;
"""

TRIES = 5
"""How often a port may turn out to be taken."""


def documented(words):
    """The first block of doc/operations.md behind a paragraph that begins with these words."""
    page = (REPOSITORY / "doc" / "operations.md").read_text()
    _, found, rest = page.partition(f"\n{words}")
    assert found, f"doc/operations.md says nothing of {words}"
    return re.search(r"^```\w*\n(.*?)^```$", rest, re.MULTILINE | re.DOTALL)[1]


def changed(text, changes):
    """The text with these words in place of those, all of which have to be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in\n{text}"
        text = text.replace(old, str(new))
    return text


def is_listening(port):
    """Whether somebody listens on that port, found out without a connection."""
    wanted = f":{port:04X}"
    for table in "tcp", "tcp6":
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(wanted) and fields[3] == "0A":
                return True
    return False


class Proxy:
    """A running proxy in front of the `backend`, an address. `secure` is the address where it
    speaks TLS, with a certificate for localhost; `plain` the one where it passes on what comes, if
    it can. `changes` are more replacements in the documented text."""

    def __init__(self, backend, authority, changes=None):
        self.backend = f"127.0.0.1:{backend[1]}"
        self.authority = authority
        self.changes = changes or {}
        self.process = None
        self.plain = None
        self.folder = Path(tempfile.mkdtemp(prefix="chatd-proxy-"))
        certificate, key = authority.sign("localhost")
        self.certificate = self._copy("proxy.pem", certificate, key)
        self.key = self._copy("proxy.key", key)
        self.client_ca = self._copy("clients.pem", authority.certificate)
        self.user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
        if self.user:
            for path in self.folder, *self.folder.iterdir():
                shutil.chown(path, "nobody", "nogroup")

    def _copy(self, name, *sources):
        path = self.folder / name
        path.write_text("".join(Path(source).read_text() for source in sources))
        path.chmod(0o600)
        return path

    def configuration(self, plain, secure):
        """The words that it is given. Sets `self.plain` if it has that."""
        raise NotImplementedError

    def command(self, path):
        raise NotImplementedError

    def _start(self):
        plain, secure = free_port(), free_port()
        text = self.configuration(plain, secure)
        path = self.folder / "configuration"
        path.write_text(changed(text, self.changes))
        self.log = (self.folder / "log").open("w+")
        self.process = subprocess.Popen(
            self.command(path),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=self.folder,
            **self.user,
        )
        self.secure = ("127.0.0.1", secure)
        ports = [secure] + ([plain] if self.plain else [])
        ended = lambda: self.process.poll() is not None  # noqa: E731
        wait_until(lambda: ended() or all(map(is_listening, ports)), "the proxy listens")
        return not ended()

    def said(self):
        return (self.folder / "log").read_text()

    def __enter__(self):
        try:
            for _ in range(TRIES):
                if self._start():
                    return self
            raise AssertionError(f"{type(self).__name__} does not run: {self.said()}")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Haproxy(Proxy):
    def configuration(self, plain, secure):
        self.plain = ("127.0.0.1", plain)
        return changed(
            documented("**haproxy.**"),
            {
                ":8080": f"127.0.0.1:{plain}",
                ":443": f"127.0.0.1:{secure}",
                "/etc/haproxy/chat.example.org.pem": self.certificate,
                "/etc/haproxy/clients.pem": self.client_ca,
                "127.0.0.1:8081": self.backend,
            },
        )

    def command(self, path):
        return ["haproxy", "-db", "-f", path]


class NginxStream(Proxy):
    def configuration(self, plain, secure):
        self.plain = ("127.0.0.1", plain)
        text = changed(
            documented("**nginx, as a stream.**"),
            {
                "listen 8080": f"listen 127.0.0.1:{plain}",
                "listen 443": f"listen 127.0.0.1:{secure}",
                "/etc/nginx/chat.example.org.pem": self.certificate,
                "/etc/nginx/chat.example.org.key": self.key,
                "127.0.0.1:8081": self.backend,
            },
        )
        return (NGINX + text).replace("@FOLDER@", str(self.folder))

    def command(self, path):
        return ["nginx", "-p", self.folder, "-e", "stderr", "-c", path]


class NginxHttp(NginxStream):
    """Of HTTP alone; the backend must have no proxy_from."""

    def configuration(self, plain, secure):
        text = changed(
            documented("**nginx, as a proxy for HTTP**"),
            {
                "listen 443": f"listen 127.0.0.1:{secure}",
                "server_name chat.example.org": "server_name localhost",
                "/etc/nginx/chat.example.org.pem": self.certificate,
                "/etc/nginx/chat.example.org.key": self.key,
                "127.0.0.1:8080": self.backend,
            },
        )
        return (NGINX + NGINX_HTTP + text + "}\n").replace("@FOLDER@", str(self.folder))


class Stunnel(Proxy):
    def configuration(self, plain, secure):
        text = changed(
            documented("**stunnel.**"),
            {
                "accept = 443": f"accept = 127.0.0.1:{secure}",
                "127.0.0.1:8081": self.backend,
                "/etc/stunnel/chat.example.org.pem": self.certificate,
            },
        )
        return "foreground = yes\npid =\n" + text

    def command(self, path):
        return ["stunnel4", path]


class Hitch(Proxy):
    def configuration(self, plain, secure):
        return changed(
            documented("**hitch.**"),
            {
                "[*]:443": f"[127.0.0.1]:{secure}",
                "[127.0.0.1]:8081": self.backend.replace("127.0.0.1", "[127.0.0.1]"),
                "/etc/hitch/chat.example.org.pem": self.certificate,
            },
        )

    def command(self, path):
        return ["hitch", f"--config={path}"]
