"""Certificates for tests: an authority that exists for one test, and what it signs. Made by
openssl(1), ECDSA. And clients that trust it."""

import ssl
import subprocess
import tempfile
from pathlib import Path

from harness.clients import Client

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments, **how):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **how)


class Authority:
    """In a folder of its own, which is removed with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chatd-")
        self.path = Path(self.folder.name)
        self.path.chmod(0o755)
        self.certificate, self.key = self.path / "ca.pem", self.path / "ca.key"
        openssl("req", "-x509", *CURVE, "-subj", "/CN=authority", "-days", 30,
                "-keyout", self.key, "-out", self.certificate)  # fmt: skip

    def sign(self, name, days=30, folder=None):
        """A certificate for that host or person, and its key, as paths; made anew if there was
        one."""
        certificate, key = self.path / f"{name}.pem", self.path / f"{name}.key"
        request = self.path / "request"
        kind = "IP" if name.replace(".", "").isdigit() or ":" in name else "DNS"
        openssl("req", *CURVE, "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}",
                "-keyout", key, "-out", request)  # fmt: skip
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-days", days, "-copy_extensions", "copy", "-out", certificate)  # fmt: skip
        return str(certificate), str(key)

    def listener(self, name="localhost", days=30, **more):
        """A listener with a certificate for that name, as a configuration has it; `more` are
        further keys."""
        certificate, key = self.sign(name, days)
        files = {"tls_certificate": certificate, "tls_key": key}
        return {"address": "127.0.0.1", "port": 0, **files, **more}

    def wrap(self, name=None):
        """What makes a connected socket one that speaks TLS with localhost, as `name` if there is one,
        for harness.web."""
        context = self.client(name)
        return lambda sock: context.wrap_socket(sock, server_hostname="localhost")

    def client(self, name=None, version=None):
        """An SSLContext that trusts this authority, and shows the certificate of `name`."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if version:
            context.minimum_version = context.maximum_version = version
        if name:
            context.load_cert_chain(*self.sign(name))
        return context

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


class Secure(Client):
    """A client within TLS."""

    def __init__(self, address, context, name="localhost", **how):
        super().__init__(address, **how)
        self.socket = context.wrap_socket(self.socket, server_hostname=name)
