"""From a file that somebody handed in to a picture that pages can show: decoded and made anew by a bounded child.

Decoders are large native programs that read what strangers made. They never run in a process that answers guests:
should one crash, hang or swell, one picture is refused, and the next is taken.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sites.images.errors import N_, RefusedImage
from sites.images.shapes import ImageShape
from sites.images.sniffing import format_of

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-s", "-B", "-m", "sites.images.worker"]
# Nothing of ours goes in: no secret, no setting, no proxy.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
LIMIT_SECONDS = 30.0
# One at a time: guests come first.
_worker = threading.BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """One file of a picture. `use` is that of its `Rendition`."""

    use: str
    media_type: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A picture in all its sizes; `placeholder` is a WebP of a few pixels, or empty."""

    files: tuple[PreparedFile, ...]
    placeholder: bytes = b""


def prepare(content: bytes, filename: str, shape: ImageShape) -> PreparedImage:
    """The picture of this file. Waits for its turn. Raises `RefusedImage`."""
    form = format_of(content, filename)
    with _worker:
        answer = _ask(content, form, shape)
    if "refused" in answer:
        raise RefusedImage(answer["refused"], **answer["facts"])
    files = tuple(
        PreparedFile(use, media_type, width, height, base64.b64decode(text))
        for use, media_type, width, height, text in answer["files"]
    )
    return PreparedImage(files, base64.b64decode(answer["placeholder"]))


def _ask(content: bytes, form: str, shape: ImageShape) -> dict[str, Any]:
    too_much = RefusedImage(
        N_("The %(form)s takes too much memory or time to decode: save it smaller."), form=form
    )
    try:
        done = subprocess.run(
            [*COMMAND, form, shape.name],
            input=content,
            capture_output=True,
            cwd=ROOT,
            env=ENVIRONMENT,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise too_much from error
    if done.returncode or not done.stdout:
        raise too_much
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
