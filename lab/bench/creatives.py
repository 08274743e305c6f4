"""Pictures and videos of messages: how long they take to be made anew, and the first page of a guest who sees one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from PIL import Image, ImageFilter

from ads import campaigns, loading
from auth.audit.actor import SYSTEM, command_line
from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun, demand
from lab.bench.made_anew import Made
from lab.bench.pages import MEGABYTE, fetch, landing_url, rate_of
from lab.bench.portal import RunningPortal, running_portal
from lab.doors import STATION
from lab.hotspot import now
from lab.servers import TOP
from tests.ads.videos import video

# 20 million pixels, as a camera has them, and Full HD.
PHOTO, FILM = (5472, 3648), "1920x1080"
# The portal looks at its campaigns every two seconds: so long a row of looks has met both workers after theirs.
LOOKS, RUNNING, LOOK_SECONDS = 80, 10, 0.25
DOCUMENT = {
    "advertisers": [{"slug": "bench", "name": "Bench", "identity": "Bench SARL"}],
    "campaigns": [
        {
            "slug": "bench",
            "name": "Bench",
            "advertiser": "bench",
            "category": "commerce",
            "creatives": [
                {
                    "slug": "bench-1",
                    "picture": "photo.jpg",
                    "texts": {"fr": {"title": "Du pain", "text": "Tous les jours.", "alt": "Une miche"}},
                }
            ],
        }
    ],
}


def measure(folder: Path, *, seconds: int, film_seconds: int) -> Iterator[Figure]:
    """A photo and a video, each in a process of its own; then first pages without and with the photo."""
    demand("wrk", "ffmpeg")
    folder.mkdir(parents=True, exist_ok=True)
    photo, film = folder / "photo.jpg", folder / "film.mp4"
    photo.write_bytes(_photograph())
    film.write_bytes(video(size=FILM, seconds=film_seconds, rate=30, sound=True))
    for name, file in (
        (f"photo of {PHOTO[0] * PHOTO[1] / 1e6:.0f} megapixels", photo),
        (f"video of {film_seconds} seconds in Full HD", film),
    ):
        made = _prepare_apart(file)
        yield Figure(f"{name}, made anew", made.seconds, "s")
        yield Figure(f"{name}, peak memory of the child", made.peak_bytes / MEGABYTE, "MB")
    with running_portal(folder, f"sqlite:///{folder / 'town.sqlite3'}") as portal:
        url = f"{landing_url(portal, STATION)}&lang=fr"
        for name, is_pictured in (("text alone", False), ("a picture", True)):
            if is_pictured:
                _show(portal, folder)
                _await_picture(url, portal)
            yield Figure(f"interstitial pages with {name}", rate_of(url, portal, seconds=seconds), "1/s")


def _photograph() -> bytes:
    """As a camera makes them: large areas, and noise in all of them."""
    small = Image.frombytes("RGB", (342, 228), Random(1).randbytes(3 * 342 * 228))
    picture = small.filter(ImageFilter.GaussianBlur(6)).resize(PHOTO, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(PHOTO, 12).convert("RGB")
    out = io.BytesIO()
    Image.blend(picture, grain, 0.15).save(out, "JPEG", quality=85)
    return out.getvalue()


def _prepare_apart(file: Path) -> Made:
    """In a process of its own, whose children are these alone."""
    command = [sys.executable, "-m", "lab.bench.made_anew", str(file)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SpoiltRun(f"{file.name}: {done.stderr[-300:]}")
    return Made(**json.loads(done.stdout))


def _show(portal: RunningPortal, folder: Path) -> None:
    """A campaign with the photo in the place of the town's announcements."""
    zone, at = ZoneInfo("Europe/Paris"), now()
    with portal.services.make_session() as db:
        known = loading.known_names(db)
    wanted = loading.read(DOCUMENT, known, zone=zone, folder=folder)
    with portal.services.make_session.begin() as db:
        campaigns.pause(db, "annonces-de-la-ville", actor=SYSTEM, now=at)
        loading.save(db, wanted, actor=SYSTEM, now=at)
        campaigns.propose(db, "bench", actor=SYSTEM, now=at)
        campaigns.approve(db, "bench", actor=command_line(), zone=zone, now=at)


def _await_picture(url: str, portal: RunningPortal) -> None:
    """Until both workers have it: several looks running."""
    running = 0
    for _ in range(LOOKS):
        running = running + 1 if b"<picture" in fetch(url, portal.ca_file) else 0
        if running == RUNNING:
            return
        time.sleep(LOOK_SECONDS)
    raise SpoiltRun("the page does not show the picture")
