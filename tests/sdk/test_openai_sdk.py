"""The official OpenAI SDK, unmodified, against the real gateway.

Usage: python -m unittest tests/sdk/test_openai_sdk.py, with MUXEL set to the binary.
"""

import base64
import contextlib
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

MUXEL = os.environ.get("MUXEL", "target/release/muxel")


def pixel() -> str:
    """One grey pixel as PNG, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")).decode()


class Provider(ThreadingHTTPServer):
    """A provider that answers with the next of `script`, or else with a picture, and keeps the bodies it was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.calls = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append(sent)
        picture = {"created": 1, "data": [{"b64_json": pixel()}] * sent.get("n", 1)}
        status, headers, body = self.server.script.pop(0) if self.server.script else (200, {}, picture)
        payload = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(payload)), "content-type": "application/json"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


def failure(status: int, code: str, headers=None):
    return status, headers or {}, {"error": {"message": code, "type": "t", "code": code, "param": None}}


@contextlib.contextmanager
def gateway(config: str | None = None):
    """A running gateway: yields its base URL for SDKs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [MUXEL_PATH, "serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data"]
        if config is not None:
            path = pathlib.Path(folder, "muxel.toml")
            path.write_text(config)
            command += ["--config", str(path)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if "listening on " in line:
                    break
            else:
                raise AssertionError("".join(said))
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield line.split("listening on ")[1].strip() + "/v1"
        finally:
            process.terminate()
            process.wait(60)
            process.stderr.close()


MUXEL_PATH = str(pathlib.Path(MUXEL).resolve())


def lab(provider: Provider, more: str = "") -> str:
    models = "".join(
        f'[[models]]\nname = "lab/{name}"\nprice = {{ per-image = "{price} USD" }}\n'
        for name, price in {"cheap": "0.01", "dear": "0.09"}.items()
    )
    return f'[providers.lab]\ndialect = "openai"\nbase-url = "{provider.url}"\n{models}{more}'


class Simulated(unittest.TestCase):
    """Without any config."""

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.client = openai.OpenAI(base_url=cls.stack.enter_context(gateway()), api_key="unused")

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def test_three_pictures_as_base64(self):
        answer = self.client.images.generate(model="auto", prompt="a red bicycle", n=3, size="1024x1024")
        self.assertEqual(len(answer.data), 3)
        for picture in answer.data:
            self.assertTrue(base64.b64decode(picture.b64_json).startswith(b"\x89PNG"))
        self.assertTrue(answer.muxel["decision"].startswith("dec_"))
        self.assertGreater(answer.muxel["cost_usd"], 0)

    def test_three_pictures_by_url(self):
        answer = self.client.images.generate(model="auto", prompt="a red bicycle", n=3, response_format="url")
        self.assertEqual(len(answer.data), 3)
        for picture in answer.data:
            with urllib.request.urlopen(picture.url) as kept:
                self.assertTrue(kept.read().startswith(b"\x89PNG"))

    def test_headers_of_a_raw_answer(self):
        raw = self.client.images.with_raw_response.generate(
            model="auto", prompt="x", extra_body={"muxel": {"priority": "urgent"}}
        )
        self.assertIn("/", raw.headers["x-muxel-model"])
        self.assertEqual(raw.headers["x-request-id"], raw.parse().muxel["decision"])

    def test_models(self):
        names = [model.id for model in self.client.models.list()]
        self.assertIn("auto", names)
        self.assertEqual(self.client.models.retrieve(names[-1]).id, names[-1])

    def test_a_bad_field(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.images.generate(model="auto", prompt="x", size="big")
        self.assertEqual(caught.exception.param, "size")

    def test_an_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.images.generate(model="gpt-imagine", prompt="x")
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("gpt-imagine")

    def test_a_call_that_muxel_does_not_serve(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "x"}])
        self.assertIn("/v1/images/generations", caught.exception.body["hint"])


class Retries(unittest.TestCase):
    """With the SDK's own retries, as it comes."""

    def setUp(self):
        self.provider = Provider()
        self.addCleanup(self.provider.server_close)
        self.addCleanup(self.provider.shutdown)

    def test_a_failure_after_accepting_is_called_once_a_candidate(self):
        self.provider.script = [failure(500, "server_error")] * 20
        with gateway(lab(self.provider)) as url:
            client = openai.OpenAI(base_url=url, api_key="unused")
            with self.assertRaises(openai.InternalServerError) as caught:
                client.images.generate(model="auto", prompt="x")
        self.assertEqual(caught.exception.status_code, 502)
        self.assertTrue(caught.exception.request_id.startswith("dec_"))
        self.assertEqual(sorted(call["model"] for call in self.provider.calls), ["cheap", "dear"])

    def test_a_refusal_is_not_repeated(self):
        self.provider.script = [failure(400, "moderation_blocked")] * 20
        with gateway(lab(self.provider)) as url:
            client = openai.OpenAI(base_url=url, api_key="unused")
            with self.assertRaises(openai.BadRequestError) as caught:
                client.images.generate(model="auto", prompt="x")
        self.assertEqual(caught.exception.code, "moderation_blocked")
        self.assertEqual(len(self.provider.calls), 1)

    def test_a_rate_limit_is_repeated_after_its_wait(self):
        self.provider.script = [failure(429, "rate_limit_exceeded", {"retry-after": "2"})] * 2
        deadline = '[routes.default]\ndeadline = "1s"\n'
        with gateway(lab(self.provider, deadline)) as url:
            client = openai.OpenAI(base_url=url, api_key="unused")
            began = time.monotonic()
            answer = client.images.generate(model="auto", prompt="x")
            waited = time.monotonic() - began
        self.assertEqual(len(answer.data), 1)
        self.assertGreaterEqual(waited, 1.5)

    def test_a_wrong_key_is_said_so(self):
        key = f'[[keys]]\nname = "studio"\nhash = "{"0" * 64}"\n'
        with gateway(lab(self.provider, key)) as url:
            client = openai.OpenAI(base_url=url, api_key="mux-wrong")
            with self.assertRaises(openai.AuthenticationError):
                client.images.generate(model="auto", prompt="x")
        self.assertEqual(self.provider.calls, [])


if __name__ == "__main__":
    unittest.main()
