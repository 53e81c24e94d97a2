"""The real chatd, started in a folder of its own, and checked when it stops. Knows its
command line, its configuration file and what it prints."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness.clients import Client, parse_endpoint
from harness.operators import Operator
from harness.waiting import GUARD, wait_until
from harness.original_client import OriginalClient

REPOSITORY = Path(__file__).resolve().parents[2]
CHATD = os.path.abspath(os.environ.get("CHATD", REPOSITORY / "build/release/bin/chatd"))
CHATCTL = os.path.abspath(os.environ.get("CHATCTL", REPOSITORY / "build/release/bin/chatctl"))

FOR_ONE_ORIGIN = {
    "sessions_per_address": 0,
    "connects_per_second": 0,
    "bytes_per_second": "0B",
}
"""Limits for many clients that all come from one address, where limits are not what is tested."""

REPORTS = re.compile(
    r"runtime error|Sanitizer|[Aa]ssert|uv_loop_close|terminate called|pure virtual"
)
"""Words that a sound daemon never prints."""


def to_toml(config):
    """Writes the few kinds of values that chatd.toml has. JSON's strings are valid TOML, except
    for DEL."""

    def value(v):
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, (int, float)):
            return repr(v)
        return json.dumps(v, ensure_ascii=False).replace("\x7f", "\\u007f")

    def name(key):
        return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else value(key)

    lines = []
    for table, content in config.items():
        several = isinstance(content, list)
        for keys in content if several else [content]:
            lines.append(f"[[{table}]]" if several else f"[{table}]")
            lines += [f"{name(key)} = {value(v)}" for key, v in keys.items()]
    return "\n".join(lines) + "\n"


def clean_environment(home):
    """This environment without anything that could configure chatd. Its folders of state
    are in `home`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("CHATD")}
    for key in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET", "LISTEN_FDS", "FDSTORE", "NO_COLOR"):
        env.pop(key, None)
    env |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "XDG_STATE_HOME": str(home)}
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=0:second_deadlock_stack=1")
    return env


class Home:
    """A folder of its own for a daemon. Its path is short, because the path of a unix socket
    must be; other users may enter it, because some tests are about them."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="chatd-"))
        self.path.chmod(0o755)
        self.config_path = self.path / "chatd.toml"
        self.control_path = self.path / "run" / "control.sock"
        self.env = clean_environment(self.path)

    def write_config(self, config):
        """`config` is a dict, to which a listener on a free port and the path of the
        control socket are added, or a text, in which @CONTROL@ and @HOME@ stand for
        the path of the control socket and this folder."""
        if not isinstance(config, str):
            config = dict(config or {})
            config.setdefault("listen", [{"address": "127.0.0.1", "port": 0}])
            config["control"] = {"path": str(self.control_path), **config.get("control", {})}
            config = to_toml(config)
        config = config.replace("@CONTROL@", str(self.control_path))
        self.config_path.write_text(config.replace("@HOME@", str(self.path)))

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Daemon:
    """A running chatd. Leaving the `with` stops it and asserts that it stopped well.

    config      see Home.write_config()
    args        more arguments
    console     --console; None leaves the flag out
    home        the Home of an earlier daemon, to start again in
    env         more environment
    stdin, stdout   as for subprocess.Popen; with stdout=PIPE see output()
    stderr      another target; then there is no log() and `listeners` has to be 0
    descriptors the limit of open files, soft and hard
    listeners   how many addresses to wait for; None: as many as configured
    pass_fds    descriptors that it inherits
    prefix      a command that runs another, e.g. ["unshare", "-n"]
    terminal    runs it in a terminal: `self.terminal` is a pexpect.spawn, and
                standard error goes to a file, so that both can be looked at
    """

    def __init__(
        self,
        config=None,
        args=(),
        console="off",
        home=None,
        env=None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        descriptors=None,
        listeners=None,
        prefix=(),
        terminal=False,
        program=CHATD,
        pass_fds=(),
    ):
        self.owns_home = home is None
        self.home = home or Home()
        if config is not None or not self.home.config_path.exists():
            self.home.write_config(config)
        self.control_path = self.home.control_path
        self.env = self.home.env | (env or {})
        self.pass_fds = pass_fds
        self.argv = [*prefix, program, "--config", str(self.home.config_path)]
        if console is not None:
            self.argv += ["--console", console]
        self.argv += args
        self.stderr = ""
        self.stderr_target = stderr
        self.stdout = b""
        self.output_changed = threading.Condition()
        self.operators = []
        self.terminal = None
        self.process = None
        self.readers = []
        if listeners is None:
            flags = [a for a in args if a == "--listen" or a.startswith("--listen=")]
            in_file = self.home.config_path.read_text().count("[[listen]]")
            listeners = len(flags) or in_file or 1
        try:
            if terminal:
                self._start_in_terminal()
            else:
                self._start(stdin, stdout, descriptors)
            self.endpoints = self._wait_for_endpoints(listeners)
            self._wait_for_control()
        except BaseException:
            self.kill()
            raise

    def _start(self, stdin, stdout, descriptors):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            self.argv,
            env=self.env,
            cwd=self.home.path,
            stdin=stdin,
            stdout=stdout,
            stderr=self.stderr_target,
            preexec_fn=limit if descriptors else None,
            pass_fds=self.pass_fds,
        )
        self.pid = self.process.pid
        if self.process.stderr is not None:
            self._read_in_thread(self.process.stderr, self._on_stderr)
        if self.process.stdout is not None:
            self._read_in_thread(self.process.stdout, self._on_stdout)

    def _start_in_terminal(self):
        import pexpect

        self.stderr_path = self.home.path / "stderr"
        self.stderr_path.touch()
        self.terminal = pexpect.spawn(
            "/bin/sh",
            ["-c", 'exec "$@" 2>>"$0"', str(self.stderr_path), *self.argv],
            env=self.env,
            cwd=str(self.home.path),
            encoding="utf-8",
            codec_errors="backslashreplace",
            timeout=GUARD,
        )
        self.pid = self.terminal.pid

    def _read_in_thread(self, pipe, on_data):
        def read():
            with pipe:
                while data := os.read(pipe.fileno(), 65536):
                    on_data(data)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        self.readers.append(thread)

    def _on_stderr(self, data):
        with self.output_changed:
            self.stderr += data.decode("utf-8", "backslashreplace")
            self.output_changed.notify_all()

    def _on_stdout(self, data):
        with self.output_changed:
            self.stdout += data
            self.output_changed.notify_all()

    # What it says.

    def log(self):
        """Standard error so far."""
        if self.terminal is not None:
            return self.stderr_path.read_text(errors="backslashreplace")
        with self.output_changed:
            return self.stderr

    def wait_log(self, pattern, timeout=GUARD):
        """The first match of the regular expression in standard error."""

        def find():
            match = re.search(pattern, self.log(), re.MULTILINE)
            assert match or self.alive(), f"chatd ended; it said: {self.log()}"
            return match

        return wait_until(find, f"{pattern!r} in the log: {self.log()[-2000:]}", timeout)

    def output(self):
        """Standard output so far (started with stdout=PIPE), as text."""
        with self.output_changed:
            return self.stdout.decode("utf-8", "backslashreplace")

    def wait_output(self, pattern, timeout=GUARD):
        """The first match of the regular expression in standard output."""
        return wait_until(
            lambda: re.search(pattern, self.output(), re.MULTILINE),
            f"{pattern!r} in the output",
            timeout,
        )

    def type(self, line):
        """Types a line on the plain console (started with stdin=PIPE)."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def _wait_for_endpoints(self, count):
        def find():
            texts = re.findall(r"listening on (\[[^\]]+\]:\d+|unix:\S+|[\w.]+:\d+)", self.log())
            found = [t.rstrip(",.;") for t in texts if str(self.control_path) not in t]
            if len(found) >= count:
                return found
            assert self.alive(), f"chatd ended at once; it said: {self.log()}"
            return None

        return wait_until(find, f"{count} lines 'listening on'") if count else []

    def _wait_for_control(self):
        def listens():
            # Not by a connection, which would be an operator that the test knows
            # nothing of. The flags are those of a socket that accepts connections.
            assert self.alive(), f"chatd ended at once; it said: {self.log()}"
            for line in Path(f"/proc/{self.pid}/net/unix").read_text().splitlines():
                fields = line.split()
                if fields[-1] == str(self.control_path) and fields[3] == "00010000":
                    return True
            return False

        wait_until(listens, f"the control socket {self.control_path} is there")

    # Who talks to it.

    @property
    def address(self):
        """The address of the first listener, as connect() takes it."""
        return parse_endpoint(self.endpoints[0])

    @property
    def host(self):
        return self.address[0]

    @property
    def port(self):
        return self.address[1]

    def addresses(self):
        """The addresses of all listeners at the start, in the order of the log."""
        return [parse_endpoint(text) for text in self.endpoints]

    def client(self, **how):
        return Client(how.pop("address", self.address), **how)

    def original(self, **how):
        return OriginalClient(how.pop("address", self.address), timeout=GUARD, **how)

    def operator(self, **how):
        operator = Operator(self.control_path, **how)
        self.operators.append(operator)
        return operator

    def chatctl(self, *args, input=None, timeout=GUARD, text=True):
        """Runs chatctl against this daemon."""
        return subprocess.run(
            [CHATCTL, "--socket", str(self.control_path), *args],
            env=self.env,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=text,
            timeout=timeout,
        )

    # What it costs.

    def alive(self):
        if self.terminal is not None:
            return self.terminal.isalive()
        return self.process is not None and self.process.poll() is None

    def fds(self):
        """The number of open descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _memory(self, field):
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(field)

    def rss(self):
        """Resident bytes."""
        return self._memory("Rss")

    def pss(self):
        """Resident bytes, shared ones counted in proportion."""
        return self._memory("Pss")

    def peak(self):
        """The largest number of resident bytes so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def cpu_seconds(self):
        """Processor time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_share(self, seconds):
        """The processor time that it uses in so many seconds, as a part of them."""
        used, began = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)  # What is measured is a rate: it needs a stretch of time.
        return (self.cpu_seconds() - used) / (time.monotonic() - began)

    def rests(self, seconds, most):
        """Whether it uses less than `most` in one of four stretches of so many seconds. What still
        has to be done is done in another one; a loop that turns for nothing rests in none."""
        return any(self.cpu_share(seconds) < most for _ in range(4))

    # How it ends.

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=GUARD):
        """Waits for it to end; returns the exit code."""
        if self.terminal is not None:
            # A process can leave a terminal only while somebody reads from that.
            import pexpect

            self.terminal.expect(pexpect.EOF, timeout=timeout)
            self.terminal.wait()
            code = self.terminal.exitstatus
            return code if code is not None else -self.terminal.signalstatus
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"chatd did not end; it said: {self.log()[-4000:]}") from None
        for reader in self.readers:
            reader.join(GUARD)
        return code

    def check_end(self, code=0):
        """Waits for it to end; asserts the exit code and that nothing was reported."""
        ended = self.wait()
        assert ended == code, f"exit code {ended}; it said: {self.log()[-8000:]}"
        report = REPORTS.search(self.log())
        assert report is None, f"{report.group()!r} in: {self.log()[-8000:]}"

    def stop(self, how=signal.SIGTERM):
        """Stops it as a service manager does, and asserts that it ended well."""
        self.send_signal(how)
        self.check_end()
        self._let_go()

    def kill(self):
        """Kills it: for a test that has failed already."""
        if self.terminal is not None:
            self.terminal.close(force=True)
        elif self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._let_go()

    def _let_go(self):
        for operator in self.operators:
            operator.close()
        self.operators.clear()
        if self.process is not None and self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        if self.terminal is not None:
            self.terminal.close()
        if self.owns_home:
            self.home.remove()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("chatd said:\n" + self.log()[-20000:])
            self.kill()
        elif self.alive():
            self.stop()
        else:
            self.check_end()
            self._let_go()


def run_chatd(*args, home=None, env=None, timeout=GUARD, **how):
    """Runs a chatd that ends by itself."""
    own = home or Home()
    try:
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            [CHATD, *map(str, args)],
            env=own.env | (env or {}),
            cwd=own.path,
            capture_output=True,
            text=True,
            timeout=timeout,
            **how,
        )
    finally:
        if home is None:
            own.remove()


def speaking(daemon, operator, text=b"hi\n", **how):
    """A client that has said hi, and its session."""
    client = daemon.client(**how)
    client.send(text)  # what says nothing would be no session for a second
    session = operator.session_of(client)
    operator.wait_event("message", session=session)
    return client, session


def taking_turns(daemon, operator):
    """A client that has said hi without the end of a line, and has its answer, and its session:
    what else is said to it is held until it speaks again."""
    client, session = speaking(daemon, operator, b"hi")
    operator.call("send", to=session, text="answer")
    client.expect(b"answer")
    return client, session


def hand_over(daemon):
    """Puts another process in the place of this one; returns when it serves."""
    before = len(daemon.log())
    daemon.send_signal(signal.SIGUSR2)

    def over():
        log = daemon.log()[before:]
        assert "does not hand over" not in log, log
        return "goes on with" in log and "operators attach at" in log and "listening on" in log

    wait_until(over, "the new process serves")
