"""``python -m lab.bench.made_anew FILE``: a picture or a video made anew as an upload is, and what that took.

A program of its own, whose children are these alone, and which imports nothing else of the portal's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ads.media.preparing import prepare_picture, prepare_video


@dataclass(frozen=True, slots=True)
class Made:
    """How long it took, and the most memory that the largest of the child processes had (RSS)."""

    seconds: float
    peak_bytes: int


def prepare(file: Path) -> Made:
    content, began = file.read_bytes(), time.perf_counter()
    if file.suffix == ".mp4":
        prepare_video(content, file.name, {})
    else:
        prepare_picture(content, file.name)
    took = time.perf_counter() - began
    return Made(took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


if __name__ == "__main__":
    json.dump(asdict(prepare(Path(sys.argv[1]))), sys.stdout)
