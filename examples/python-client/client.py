#!/usr/bin/env python3
"""Draw one picture through Muxel with the official OpenAI SDK, save it, and say who drew it and what it cost.

Usage: python client.py PROMPT

Environment: MUXEL_URL (http://127.0.0.1:8080/v1 when unset), MUXEL_KEY (only when the gateway has keys).
"""

import base64
import json
import os
import pathlib
import sys

import openai


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 1
    client = openai.OpenAI(
        base_url=os.environ.get("MUXEL_URL", "http://127.0.0.1:8080/v1"),
        # The SDK insists on a key. Without [[keys]] in its configuration, Muxel does not look at it.
        api_key=os.environ.get("MUXEL_KEY", "unused"),
    )
    try:
        answer = client.images.generate(model="auto", prompt=sys.argv[1], size="1024x1024")
    except openai.APIStatusError as error:
        # The SDK's errors carry Muxel's: message, code, and a hint.
        print(f"error: {error.message}", file=sys.stderr)
        if isinstance(error.body, dict) and error.body.get("hint"):
            print(f"hint: {error.body['hint']}", file=sys.stderr)
        return 1
    except openai.APIConnectionError:
        print(f"error: nobody answers at {client.base_url}\nhint: start it with `muxel serve`", file=sys.stderr)
        return 1

    path = pathlib.Path("picture.png")
    path.write_bytes(base64.b64decode(answer.data[0].b64_json))
    print(f"saved {path}", file=sys.stderr)
    # What Muxel adds to an answer, the SDK keeps as an extra field.
    print(json.dumps(answer.muxel, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
