"""testssl.sh, Debian's, against a daemon with a certificate: it finds nothing that would cost
grade A, and none of its strange handshakes is a client. It takes some minutes, so it is a part
of its own: `./test.sh grade`."""

import json
import os
import subprocess
import time

import pytest

from harness import FOR_ONE_ORIGIN, Daemon
from harness.web import request

HARMLESS = {"OK", "INFO", "LOW", "DEBUG"}

JUSTIFIED = {
    "BREACH": "only files are compressed, which are the same for everybody: there is no secret in them",
    "cert_revocation": "the authority is the test's own, and lists no revoked certificates",
    "cert_crlDistributionPoints": "the same",
    "cert_ocspURL": "the same",
    "engine_problem": "it says that its openssl has no GOST: it has Debian's",
}
"""Findings that are worse, and why they are none of the daemon's."""

VERSIONS = ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3"]

UNHURRIED = {"MAX_WAITSOCK": "60", "HEADER_MAXSLEEP": "60", "MAX_SOCKET_FAIL": "10"}
"""Its variables for how long it waits, so that a machine that does much else is no finding."""

PATIENCE = 1700
"""Seconds, on a machine that does much else."""


def scan(daemon, authority, folder):
    """What it has found, by the name of each finding: severity and text.

    It connects, thinks, and then says its ClientHello. Who thinks for more than a second is a
    person, on a machine that does much else this one, too. So its address is kept that of a browser,
    by a request from time to time: then silence means nothing for long."""
    path = folder / "findings.json"
    command = ["testssl", "--quiet", "--warnings", "off", "--color", "0", "--nodns", "none"]
    command += ["--ip", "127.0.0.1", "--add-ca", authority.certificate, "--jsonfile", path]
    command += [f"localhost:{daemon.port}"]
    deadline = time.monotonic() + PATIENCE
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | UNHURRIED,
            cwd=folder,
        )
        try:
            while process.poll() is None:
                assert time.monotonic() < deadline, (folder / "output").read_text()
                assert request(daemon.address).status == 200
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    pass
        finally:
            process.kill()
            process.wait()
    print((folder / "output").read_text())
    findings = json.loads(path.read_text())
    return {each["id"]: (each["severity"], each["finding"]) for each in findings}


@pytest.mark.parametrize("minimum", ["1.3", "1.2"])
def test_nothing_is_found_that_costs_grade_a_and_nobody_has_come(authority, tmp_path, minimum):
    listen = authority.listener(days=90, tls_minimum=minimum)
    config = {"limits": FOR_ONE_ORIGIN, "listen": [listen]}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        findings = scan(daemon, authority, tmp_path)
        worse = {
            name: found
            for name, found in findings.items()
            if found[0] not in HARMLESS and name.split(" ")[0] not in JUSTIFIED
        }
        assert worse == {}
        # That it has looked at all: it has spoken each version, and seen the certificate.
        offered = {name for name in VERSIONS if "not offered" not in findings[name][1]}
        assert offered == ({"TLS1_3"} if minimum == "1.3" else {"TLS1_2", "TLS1_3"})
        assert findings["cert_chain_of_trust"][0] == "OK", findings["cert_chain_of_trust"]
        assert findings["service"][1] == "HTTP"
        # Newer ones give a grade, too.
        assert findings.get("overall_grade", ("", "A"))[1] in {"A", "A+"}, findings["overall_grade"]
        assert operator.events == []
        assert operator.call("stats")["sessions"] == 0
        with daemon.client() as client:
            client.send(b"hello\n")
            assert operator.wait_event("connected")["session"] == 1
