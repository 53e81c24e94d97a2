"""chatd --make-certificate: a pair to begin with, and who trusts it."""

import json
import os
import shutil
import ssl
import stat
import subprocess

import pytest

from harness import CHATD, FOR_ONE_ORIGIN, GUARD, Daemon, Home, run_chatd
from harness.web import request
from test_talk import popen

HOSTS = ["localhost", "127.0.0.1", "::1", "chat.example.org"]


@pytest.fixture
def home():
    home = Home()
    yield home
    home.remove()


def listing(home):
    return sorted(each for each in os.listdir(home.path) if each.endswith((".pem", ".key")))


def config_of(printed):
    """What was printed is a configuration, of whose port a test may have no other one."""
    listen = printed.replace("port = 8080", "port = 0")
    assert listen != printed
    return f'{listen}\n[control]\npath = "@CONTROL@"\n[limits]\n' + "".join(
        f"{key} = {json.dumps(value)}\n" for key, value in FOR_ONE_ORIGIN.items()
    )


def test_a_pair_is_made_that_a_daemon_takes_and_clients_trust(home):
    made = run_chatd("--make-certificate", *HOSTS, home=home)
    assert (made.returncode, made.stderr) == (0, "")
    assert listing(home) == ["localhost.key", "localhost.pem"]
    certificate, key = (os.path.join(home.path, f"localhost.{kind}") for kind in ("pem", "key"))
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert f'tls_certificate = "{os.path.realpath(certificate)}"\n' in made.stdout
    with Daemon(config_of(made.stdout)) as daemon:
        operator = daemon.operator()
        port = daemon.address[1]
        for host in "localhost", "127.0.0.1":
            asker = popen(f"tls:{host}:{port}", "--ca", certificate)
            asker.stdin.write(b"here?\n")
            asker.stdin.close()
            session = operator.wait_event("message", text="here?")["session"]
            operator.call("send", to=session, text="yes")
            assert (asker.wait(GUARD), asker.stdout.read()) == (0, b"yes\n")
            asker.stdout.close()
            asker.stderr.close()
        context = ssl.create_default_context(cafile=certificate)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
        wrap = lambda sock: context.wrap_socket(sock, server_hostname="localhost")  # noqa: E731
        assert request(daemon.address, wrap=wrap).status == 200
        [shown] = [line for line in made.stdout.splitlines() if line.startswith("#   openssl ")]
        words = shown[1:].replace("localhost:8080", f"localhost:{port}").split()
        done = subprocess.run(
            [*words, "-no_ign_eof"],
            cwd=home.path,
            input="",
            capture_output=True,
            text=True,
            timeout=GUARD,
        )
        assert done.returncode == 0, done.stderr
        [shown] = [line for line in made.stdout.splitlines() if line.startswith("#   curl ")]
        words = shown[1:].replace("localhost:8080", f"localhost:{port}").split()
        done = subprocess.run(
            [*words, "--silent", "--show-error", "--noproxy", "*"],
            cwd=home.path,
            capture_output=True,
            text=True,
            timeout=GUARD,
        )
        assert done.returncode == 0 and "<html" in done.stdout, done.stderr


def test_the_certificate_says_what_it_should(home):
    run_chatd("--make-certificate", *HOSTS, "[::1]", "localhost", home=home)
    text = subprocess.run(
        ["openssl", "x509", "-in", "localhost.pem", "-noout", "-text", "-fingerprint", "-sha256"],
        cwd=home.path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:chat.example.org\n"
        in text
    )
    assert "Subject: CN = localhost\n" in text or "Subject: CN=localhost\n" in text
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text
    assert "prime256v1" in text and "ecdsa-with-SHA256" in text


def test_an_address_gives_its_name_to_files_without_colons(home):
    made = run_chatd("--make-certificate", "[2001:db8::7]", home=home)
    assert made.returncode == 0
    assert listing(home) == ["2001_db8__7.key", "2001_db8__7.pem"]
    assert "tls:[2001:db8::7]:8080\n" in made.stdout


def test_a_folder_can_be_given(home, tmp_path):
    made = run_chatd("--make-certificate", "localhost", "--into", tmp_path, home=home)
    assert made.returncode == 0 and listing(home) == []
    assert sorted(os.listdir(tmp_path)) == ["localhost.key", "localhost.pem"]
    made = run_chatd("--into", tmp_path / "nowhere", "--make-certificate", "localhost", home=home)
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == f"chatd: {tmp_path}/nowhere: No such file or directory\n"


@pytest.mark.parametrize("there", ["localhost.key", "localhost.pem"])
def test_no_file_is_overwritten_and_none_is_left_alone(home, there):
    path = os.path.join(os.path.realpath(home.path), there)
    os.symlink("/nowhere/else", path)
    made = run_chatd("--make-certificate", "localhost", home=home)
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr == f"chatd: {path}: it is there already, and is not overwritten\n"
    assert listing(home) == [there] and os.readlink(path) == "/nowhere/else"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace makes calls fail")
@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("which", [1, 2])
def test_nothing_is_left_half_written(home, call, which):
    if os.environ.get("CHATD_SANITIZER"):
        pytest.skip("the leak sanitizer does not work under strace")
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error=ENOSPC:when={which}"]
    done = subprocess.run(
        ["strace", "-o", "/dev/null", *inject, CHATD, "--make-certificate", "localhost"],
        cwd=home.path,
        env=home.env,
        capture_output=True,
        text=True,
        timeout=GUARD,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("No space left on device\n")
    assert listing(home) == []


@pytest.mark.parametrize(
    "words, said",
    [
        (["a b"], '--make-certificate: "a b" is neither the name of a host nor an address'),
        (["localhost", "../x"], '--make-certificate: "../x" is neither the name of a host'),
        (["*.example.org"], '--make-certificate: "*.example.org" is no host'),
        (["fe80::1%eth0"], '--make-certificate: "fe80::1%eth0" has an interface'),
        (["bücher.example"], '--make-certificate: "bücher.example" has letters that are none'),
    ],
)
def test_what_is_no_host_is_refused(home, words, said):
    made = run_chatd("--make-certificate", *words, home=home)
    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr.startswith(f"chatd: {said}")
    assert listing(home) == []
