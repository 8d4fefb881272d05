#!/usr/bin/env python3
"""2,000 requests in flight, each held 20 s by the provider: none lost, memory for each, and SIGTERM drains them.

Needs both binaries: cargo build --release -p muxel -p muxel-load-upstream

    tests/load/in_flight.py [requests, 2000] [hold in seconds, 20]
"""

import asyncio
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
HOLD = int(sys.argv[2]) if len(sys.argv) > 2 else 20
BIN = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").resolve()
BODY = b'{"model":"auto","prompt":"a red bicycle leaning on a blue wall","size":"1024x1024"}'
REQUEST = (
    b"POST /v1/images/generations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)


def resident_kib(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


async def ask(port: int) -> int:
    """The status of one answer; 0 when it was lost."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1]) if b"b64_json" in answer or b"error" in answer else 0
    except (OSError, IndexError, ValueError):
        return 0


async def calls(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /calls HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return int(answer.rsplit(b"\r\n", 1)[1])


async def wait_for(port: int):
    for _ in range(200):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        except OSError:
            await asyncio.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "muxel.toml")
        config.write_text(
            '[server]\nlisten = "127.0.0.1:18081"\n[providers.openai]\ndialect = "openai"\nvendor = "openai"\n'
            'base-url = "http://127.0.0.1:19091/v1"\n'
        )
        upstream = subprocess.Popen(
            [BIN / "muxel-load-upstream", "--listen", "127.0.0.1:19091", "--hold-ms", str(HOLD * 1000)],
            stdout=subprocess.DEVNULL,
        )
        gateway = subprocess.Popen(
            [BIN / "muxel", "serve", "--config", config, "--data", f"{folder}/data"], stderr=subprocess.DEVNULL
        )
        try:
            await wait_for(19091)
            await wait_for(18081)
            before = resident_kib(gateway.pid)
            began = time.monotonic()
            waiting = [asyncio.create_task(ask(18081)) for _ in range(COUNT)]
            while await calls(19091) < COUNT and time.monotonic() - began < HOLD:
                await asyncio.sleep(0.2)
            during = resident_kib(gateway.pid)
            reached = await calls(19091)
            gateway.send_signal(signal.SIGTERM)
            statuses = await asyncio.gather(*waiting)
            code = gateway.wait(60)
            ledger = subprocess.run(
                ["sqlite3", f"{folder}/data/ledger.sqlite3", "select count(*) from records where outcome='delivered'"],
                capture_output=True,
                text=True,
            ) if subprocess.run(["which", "sqlite3"], capture_output=True).returncode == 0 else None
            served = sum(status == 200 for status in statuses)
            print(f"requests={COUNT} reached_provider={reached} served={served} lost={COUNT - served} exit={code}")
            print(f"rss_before_kib={before} rss_during_kib={during} kib_per_waiting_request={(during - before) / COUNT:.1f}")
            if ledger:
                print(f"records_delivered={ledger.stdout.strip()}")
            raise SystemExit(0 if served == COUNT and code == 0 else 1)
        finally:
            for process in (gateway, upstream):
                if process.poll() is None:
                    process.kill()
                    process.wait()


asyncio.run(main())
