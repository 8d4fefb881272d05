"""What the load scripts share: a gateway of their own on a free port of this machine, asking it, and measuring it."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_S = 30.0


class Failed(Exception):
    """The script cannot go on: what it says is all there is to say."""


class Gateway:
    """`muxel serve` on a folder with `muxel.toml`, `plugins/` and `data/`. The port stays the same over a restart."""

    def __init__(self, binary, folder, config):
        self.binary, self.folder = pathlib.Path(binary).resolve(), pathlib.Path(folder)
        if not self.binary.is_file():
            raise Failed(f"`{binary}` is not there: cargo build --release -p muxel, or name another with --binary")
        self.port, self.process = free_port(), None
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        (self.folder / "muxel.toml").write_text(f'[server]\nlisten = "127.0.0.1:{self.port}"\n{config}')

    def start(self):
        """Starts it and waits until it is ready; returns the seconds that took."""
        began = time.monotonic()
        command = [self.binary, "serve", "--config", "muxel.toml", "--plugins", "plugins", "--data", "data"]
        with (self.folder / "muxel.log").open("ab") as log:
            self.process = subprocess.Popen(
                command + ["--log", "warn"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while time.monotonic() - began < READY_S:
            if self.process.poll() is not None:
                raise Failed(f"the gateway ended with {self.process.returncode} before it was ready")
            try:
                with Connection(self.port) as connection:
                    if connection.ask("GET", "/readyz").status == 200:
                        return time.monotonic() - began
            except OSError:
                time.sleep(0.01)
        raise Failed(f"the gateway is not ready after {READY_S:.0f} s")

    def log(self):
        return (self.folder / "muxel.log").read_text(errors="replace")[-4000:]

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, and nothing else."""
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)

    def stop(self):
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process is not None:
            self.process.wait()

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def threads(self):
        return sum(1 for _ in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir())


class Answer:
    def __init__(self, status, head, body):
        self.status, self.head, self.body = status, head, body

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        """A header by its name in lower case; `None` when it did not come."""
        at = self.head.find(b"\r\n" + name.encode() + b": ")
        return None if at < 0 else self.head[at + len(name) + 4 :].split(b"\r\n", 1)[0].decode()


class Connection:
    """One kept connection: a question, its answer, the next question."""

    def __init__(self, port, timeout=30.0):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, method, path, body=b"", headers=()):
        self.socket.sendall(request(method, path, body, headers))
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self.more()
        head, rest = received[: end + 2], [received[end + 4 :]]
        missing = length(head) - len(rest[0])
        while missing > 0:
            rest.append(self.more())
            missing -= len(rest[-1])
        return Answer(int(head[9:12]), head, b"".join(rest))

    def more(self):
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionResetError("the gateway closed the connection before its answer was whole")
        return part

    def get(self, path):
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise Failed(f"GET {path} answers {answer.status}: {answer.body[:300]!r}")
        return answer.json()


def request(method, path, body=b"", headers=()):
    more = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers)
    if body:
        more += b"content-type: application/json\r\n"
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n".encode()
    return head + more + b"\r\n" + body


def length(head):
    """What the answer with these headers says of its body's length."""
    at = head.find(b"content-length: ")
    if at < 0:
        raise Failed(f"an answer without content-length: {head!r}")
    return int(head[at + 16 :].split(b"\r\n", 1)[0])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def percentile(values, share):
    """The value that so many of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def median(values):
    return percentile(values, 0.5)


def build_plugin(binary, crate, to, **environment):
    """`muxel plugin build`, with what it needs in its environment."""
    command = [pathlib.Path(binary).resolve(), "plugin", "build", ROOT / crate, "-o", to]
    built = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    if built.returncode != 0:
        raise Failed(f"`{crate}` does not build:\n{built.stdout}{built.stderr}")
    return pathlib.Path(to).read_bytes()


def end_within(seconds):
    """Ends this script after so long, and on SIGTERM, in a way that stops what it started."""

    def end(number, _):
        raise Failed(f"not done after {seconds:.0f} s" if number == signal.SIGALRM else "ended by a signal")

    signal.signal(signal.SIGALRM, end)
    signal.signal(signal.SIGTERM, end)
    signal.alarm(int(seconds))


def default_binary():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"), "release/muxel")


def table(rows):
    """Prints rows of words, the first column to the left, the others to the right."""
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (str(cell) for cell in row)
        print("  " + first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:])), sep="  ")
