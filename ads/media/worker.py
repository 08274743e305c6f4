"""The child process for videos: ``python -m ads.media.worker DEMUXER FOLDER``, the file being ``input`` in that folder.

It bounds memory, time, files and sockets of itself and of ffmpeg, which it runs, before a byte of the file is read.
What it made stands in the folder, ``video.mp4`` and ``poster.png``; its size, or why not, comes as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import struct
import subprocess
import sys
from typing import Any

from ads.media.limits import (
    BITS_PER_SECOND,
    CODECS,
    FRAMES_PER_SECOND,
    LEAST_SIDE,
    LONGEST_SIDE,
    MOST_BYTES_MADE,
    MOST_PIXELS,
    MOST_SECONDS,
    SIDE,
)
from sites.images.errors import N_, RefusedImage

MEMORY_BYTES = 1_200_000_000
CPU_SECONDS = 90
# Decoders by ffmpeg's names; AV1 has two.
DECODERS = ",".join((*CODECS, "libdav1d", "libaom-av1"))
QUIETLY = ("-v", "error", "-protocol_whitelist", "file")
# Square pixels first, then as large as fits; H.264 needs even sides.
FITTED = (
    "scale=w=trunc(iw*sar):h=ih,setsar=1,"
    f"scale=w=min({SIDE}\\,iw):h=min({SIDE}\\,ih):force_original_aspect_ratio=decrease:force_divisible_by=2"
)
# `socket` and `io_uring_setup` by architecture (linux/audit.h, asm/unistd.h).
_CALLS = {"x86_64": (0xC000003E, 41, 425), "aarch64": (0xC00000B7, 198, 425)}


def bound() -> None:
    """From here on, for this process and all that it starts: so much memory, time and files, and no network."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_BYTES_MADE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    forbid_sockets()


def forbid_sockets() -> None:
    """Let no socket be opened (seccomp filter, linux/seccomp.h). Raises `OSError` where the kernel has none."""
    arch, *calls = _CALLS[os.uname().machine]
    # Load the architecture, then the number of the call; "no such permission" for these, all others go through.
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, arch), (0x06, 0, 0, 0x7FFF0000), (0x20, 0, 0, 0)]
    for number in calls:
        steps += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
    steps.append((0x06, 0, 0, 0x7FFF0000))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # PR_SET_NO_NEW_PRIVS, then PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def make(demuxer: str) -> dict[str, Any]:
    """Make the video and its poster in this folder. Raises `RefusedImage`."""
    _check(_probe("input", demuxer))
    _run(
        *("ffmpeg", "-nostdin", *QUIETLY, "-codec_whitelist", DECODERS, "-max_pixels", str(MOST_PIXELS)),
        *("-threads", "1", "-f", demuxer, "-i", "input", "-map", "0:v:0", "-an", "-sn", "-dn"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-t", str(MOST_SECONDS + 1), "-vf", FITTED),
        *("-fpsmax", str(FRAMES_PER_SECOND), "-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p"),
        *("-preset", "medium", "-crf", "26", "-maxrate", str(BITS_PER_SECOND)),
        *("-bufsize", str(2 * BITS_PER_SECOND), "-threads", "1", "-fflags", "+bitexact"),
        *("-movflags", "+faststart", "-f", "mp4", "video.mp4"),
    )
    made = _probe("video.mp4", "mov")
    video = _video_of(made)
    seconds = float(made["format"].get("duration", 0))
    _check_length(seconds)
    _run(
        *("ffmpeg", "-nostdin", *QUIETLY, "-threads", "1", "-f", "mov", "-i", "video.mp4"),
        *("-vf", "thumbnail=50", "-frames:v", "1", "-c:v", "png", "-f", "image2", "poster.png"),
    )
    return {"width": video["width"], "height": video["height"], "seconds": round(seconds, 1)}


def _probe(name: str, demuxer: str) -> dict[str, Any]:
    said = _run(
        *("ffprobe", *QUIETLY, "-f", demuxer, "-show_format", "-show_streams"),
        *("-of", "json", name),
    )
    answer: dict[str, Any] = json.loads(said)
    return answer


def _check(probed: dict[str, Any]) -> None:
    """By the heads alone: nothing is decoded for longer than ffprobe needs."""
    kinds = [one.get("codec_type") for one in probed["streams"]]
    if "attachment" in kinds:
        raise RefusedImage(
            N_("The file holds %(what)s beside the video: export the video anew from a video program."),
            what=N_("other files"),
        )
    video = _video_of(probed)
    if video.get("codec_name") not in CODECS:
        raise RefusedImage(
            N_("The video is encoded as “%(codec)s”: export it as H.264, H.265, VP8, VP9 or AV1."),
            codec=str(video.get("codec_name", "?"))[:20],
        )
    width, height = video.get("width", 0), video.get("height", 0)
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise RefusedImage(
            N_(
                "The video has %(width)s × %(height)s pixels; at most 1920 × 1080 are taken: export it smaller."
            ),
            width=width,
            height=height,
        )
    if min(width, height) < LEAST_SIDE or max(width, height) > 4 * min(width, height):
        raise RefusedImage(
            N_(
                "The video has %(width)s × %(height)s pixels; it needs %(least)s on a side, and no side may be longer "
                "than four times the other."
            ),
            width=width,
            height=height,
            least=LEAST_SIDE,
        )
    _check_length(float(probed["format"].get("duration", 0) or 0))


def _check_length(seconds: float) -> None:
    if seconds > MOST_SECONDS + 0.5:
        raise RefusedImage(
            N_("The video lasts %(seconds)s seconds or more; at most %(most)s are taken: cut it shorter."),
            seconds=int(seconds),
            most=MOST_SECONDS,
        )


def _video_of(probed: dict[str, Any]) -> dict[str, Any]:
    found = [
        one
        for one in probed["streams"]
        if one.get("codec_type") == "video" and not one.get("disposition", {}).get("attached_pic")
    ]
    if len(found) != 1:
        raise RefusedImage(N_("The file has %(count)s video tracks: export it with one."), count=len(found))
    video: dict[str, Any] = found[0]
    return video


def _run(*command: str) -> bytes:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise RefusedImage(N_("This machine has no ffmpeg: have it installed, or take a picture.")) from error
    if done.returncode < 0 or b"Cannot allocate memory" in done.stderr:
        raise RefusedImage(N_("The video takes too much memory or time to decode: export it smaller."))
    if done.returncode:
        raise RefusedImage(N_("The video cannot be decoded: export it anew from a video program."))
    return done.stdout


def main() -> None:
    bound()
    os.chdir(sys.argv[2])
    try:
        answer: dict[str, Any] = make(sys.argv[1])
    except RefusedImage as error:
        answer = {"refused": error.text, "facts": error.facts}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
