"""From a file that staff hand in to what a message shows. Takes seconds: not within a transaction."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ads.media.captions import clean_captions
from ads.media.containers import container_of
from ads.media.errors import refused
from sites.images.errors import N_, RefusedImage
from sites.images.preparing import ENVIRONMENT, ROOT, PreparedImage, prepare
from sites.images.shapes import MESSAGE, POSTER

COMMAND = [sys.executable, "-s", "-B", "-m", "ads.media.worker"]
LIMIT_SECONDS = 150.0
# One at a time: guests come first.
_worker = threading.BoundedSemaphore(1)


def prepare_picture(content: bytes, filename: str) -> PreparedImage:
    """The picture in this file, made anew in the sizes that messages need. Raises `RefusedMedia`."""
    try:
        return prepare(content, filename, MESSAGE)
    except RefusedImage as error:
        raise refused(error, "picture") from error


@dataclass(frozen=True, slots=True)
class PreparedVideo:
    """A video made anew, without sound; its poster; and its captions by language."""

    content: bytes
    width: int
    height: int
    seconds: float
    poster: PreparedImage
    captions: Mapping[str, bytes]


def prepare_video(content: bytes, filename: str, captions: Mapping[str, bytes]) -> PreparedVideo:
    """The video in this file, made anew for messages, with captions (WebVTT) by language. Raises `RefusedMedia`."""
    try:
        form = container_of(content, filename)
    except RefusedImage as error:
        raise refused(error, "video") from error
    try:
        cleaned = {language: clean_captions(words) for language, words in captions.items()}
    except RefusedImage as error:
        raise refused(error, "captions") from error
    try:
        return _made(content, form, cleaned)
    except RefusedImage as error:
        raise refused(error, "video") from error


def _made(content: bytes, form: str, captions: Mapping[str, bytes]) -> PreparedVideo:
    with _worker, tempfile.TemporaryDirectory(prefix="arobase-") as name:
        folder = Path(name)
        (folder / "input").write_bytes(content)
        answer = _ask(form, folder)
        video, still = (folder / "video.mp4").read_bytes(), (folder / "poster.png").read_bytes()
    poster = prepare(still, "poster.png", POSTER)
    return PreparedVideo(video, answer["width"], answer["height"], answer["seconds"], poster, captions)


def _ask(form: str, folder: Path) -> dict[str, Any]:
    too_much = RefusedImage(N_("The video takes too much memory or time to decode: export it smaller."))
    with subprocess.Popen(
        [*COMMAND, form, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=ENVIRONMENT,
        start_new_session=True,
    ) as child:
        try:
            said, _ = child.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            # Its own children too: ffmpeg.
            os.killpg(child.pid, signal.SIGKILL)
            raise too_much from error
    if child.returncode or not said:
        raise too_much
    answer: dict[str, Any] = json.loads(said)
    if "refused" in answer:
        raise RefusedImage(answer["refused"], **answer["facts"])
    return answer
