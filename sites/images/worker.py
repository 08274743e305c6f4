"""The child process that decodes: ``python -m sites.images.worker FORMAT SHAPE``, a file on standard input.

It bounds its own memory, time and files before it reads a byte. What it made, or why not, comes as JSON.
"""

from __future__ import annotations

import base64
import json
import resource
import sys

from sites.images.drawing import draw
from sites.images.errors import RefusedImage
from sites.images.shapes import SHAPES

MEMORY_BYTES = 800_000_000
CPU_SECONDS = 20


def bound() -> None:
    """From here on: this much memory and processor time, and not a byte written to any file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    bound()
    form, shape = sys.argv[1], SHAPES[sys.argv[2]]
    try:
        files, placeholder = draw(sys.stdin.buffer.read(), form, shape)
    except RefusedImage as error:
        answer: dict[str, object] = {"refused": error.text, "facts": error.facts}
    else:
        answer = {
            "placeholder": base64.b64encode(placeholder).decode(),
            "files": [
                [one.use, one.media_type, one.width, one.height, base64.b64encode(one.content).decode()]
                for one in files
            ],
        }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
