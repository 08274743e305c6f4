"""The portal's side of the press: hands a job to a child process, bounds it, and takes the document back.

Typst is a large native program that reads what strangers may have written. It never runs in a process that answers
guests: should it crash, hang or swell, one print fails, and the next one works.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from auth.denials import N_, Denial, declare
from portal.printing.pages import Job, write_job

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-s", "-B", "-m", "portal.printing.press"]
# Nothing of ours goes in: no secret, no setting, no proxy.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "RAYON_NUM_THREADS": "2",
    "MALLOC_ARENA_MAX": "2",
}
LIMIT_SECONDS = 30.0
QUEUE_SECONDS = 20.0
# One at a time: a child takes 170 MB for a thousand tickets, and guests come first.
_press = threading.BoundedSemaphore(1)


class NotPrinted(Denial):
    """A document was not made."""

    reason = declare(
        "not_printed",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("That was not printed."),
        N_("Try again in a minute. The page and the table for a spreadsheet hold the same figures."),
    )


class FailedPrinting(NotPrinted):
    """The document could not be made. The text is for the operator's log, not for the page."""


class RendererBusy(NotPrinted):
    """Other documents are being made; trying again in a minute will do."""


def typeset(job: Job) -> bytes:
    """The document of this job. Raises `RendererBusy` or `FailedPrinting`."""
    return _take_turns(write_job(job))


def typeset_report(document: Mapping[str, Any]) -> bytes:
    """A usage report as a tagged PDF. `document` holds what report.typ reads. Raises as `typeset` does."""
    return _take_turns({"report": document})


def typeset_poster(poster: Mapping[str, Any]) -> bytes:
    """A poster as a tagged PDF. `poster` holds what poster.typ reads. Raises as `typeset` does."""
    return _take_turns({"poster": poster})


def _take_turns(job: Mapping[str, Any]) -> bytes:
    if not _press.acquire(timeout=QUEUE_SECONDS):
        raise RendererBusy
    try:
        return _run(json.dumps(job).encode())
    finally:
        _press.release()


def _run(job: bytes) -> bytes:
    try:
        done = subprocess.run(
            COMMAND,
            input=job,
            capture_output=True,
            cwd=ROOT,
            env=ENVIRONMENT,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedPrinting(f"not done after {LIMIT_SECONDS:g} s") from error
    except OSError as error:
        raise FailedPrinting(f"the press did not start: {error}") from error
    if done.returncode or not done.stdout:
        complaint = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise FailedPrinting(f"the press ended with {done.returncode}: {complaint[:300]}")
    return done.stdout
