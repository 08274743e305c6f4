"""Journeys of the tour: campaigns take turns, the books agree with the kernel, a crisis message comes and goes."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass

from sqlalchemy import func, select

from ads.models import Creative, CreativeDay, Impression
from db.engine import reading
from gateways.nftables import kernel
from lab import doors
from lab.guest import Guest, Page
from lab.hotspot import PORTAL_URL
from lab.journeys import LIBRARY, PROBE, STATION, VIEWING_SECONDS, Tour, is_online
from lab.report import until
from sessions.models import Lease

# One may be shown everywhere, and is shown in no library all the same.
TITLES = {"tour-pain": "Le pain de Noël", "tour-livres": "La foire aux livres"}
PLACES: dict[str, list[str]] = {"tour-pain": [], "tour-livres": [doors.STATION.site]}
ROUNDS = 4
CRISIS = "Crue du Doubs"
# A quarter of a minute.
SHORT_HOURS = 0.004
# What stands in the town's pages is looked at anew every two seconds.
MOST_TO_THE_PAGE = 60.0
# The kernel counts whole seconds.
MOST_APART = 1.5


@dataclass(frozen=True, slots=True)
class HeldLease:
    """What a gateway's kernel said of a lease: the session it is of, and when it ends, in seconds since the epoch."""

    access_id: int
    until: float


def campaigns_take_turns(tour: Tour) -> None:
    report, guest = tour.report, tour.passer_by
    report.journey("8. Two campaigns take turns at the station, and none is shown in the library")
    _run_campaigns(tour)
    tour.arrive(guest, STATION)
    seen, held = [], []
    for _ in range(ROUNDS):
        title, page = _accept(guest)
        seen.append(title)
        held.append(_in_the_kernel(tour))
        guest.submit(page, "/leave")
        until(lambda: not is_online(guest), 5)
    takes_turns = all(one != other for one, other in itertools.pairwise(seen))
    report.step("they take turns", takes_turns and set(seen) == set(TITLES.values()), ", ".join(seen))
    patron = tour.patron
    tour.arrive(patron, LIBRARY)
    page = patron.get(PROBE) if not is_online(patron) else patron.get(f"{PORTAL_URL}/status")
    report.step("the library shows none", not _titles(page) and "Publicité" not in page.text, page.path)
    _books_agree(tour, held)


def crisis_message_comes_and_goes(tour: Tour) -> None:
    report, online, newcomer = tour.report, tour.passer_by, tour.visitor
    report.journey(
        "9. A crisis message: read by whoever is online, no waiting for whoever comes, and its end"
    )
    tour.arrive(online, STATION)
    _accept(online)
    number = _start_crisis(tour, hours=1)
    began = time.monotonic()
    status = f"{PORTAL_URL}/status"
    until(lambda: CRISIS in online.get(status).text, MOST_TO_THE_PAGE)
    took = time.monotonic() - began
    report.step("whoever is online reads it", took < MOST_TO_THE_PAGE, f"after {took:.1f} s")
    tour.arrive(newcomer, STATION)
    page = newcomer.get(PROBE)
    report.step("it is the message of the first page", CRISIS in page.text, page.path)
    pressed = time.monotonic()
    page = newcomer.submit(page, "/pause")
    until(lambda: is_online(newcomer), 5, every=0.005)
    report.step(
        "one tap, and nobody waits", True, f"{(time.monotonic() - pressed) * 1000:.0f} ms to the Internet"
    )
    elsewhere = tour.patron.get(PROBE if not is_online(tour.patron) else status)
    report.step("it is not shown in the library", CRISIS not in elsewhere.text, elsewhere.path)
    tour.place.flask("campaigns", "override", "stop", number, "--by", "Ada Diallo")
    began = time.monotonic()
    until(lambda: CRISIS not in online.get(status).text, MOST_TO_THE_PAGE)
    report.step("stopped, it is gone", True, f"after {time.monotonic() - began:.1f} s")
    report.step("and nobody was sent away", is_online(online) and is_online(newcomer))
    _start_crisis(tour, hours=SHORT_HOURS)
    until(lambda: CRISIS in online.get(status).text, MOST_TO_THE_PAGE)
    _, took = until(lambda: CRISIS not in online.get(status).text, MOST_TO_THE_PAGE, every=0.2)
    report.step("another one ends by itself", True, f"{took:.1f} s later")


def _start_crisis(tour: Tour, *, hours: float) -> str:
    """Begin a crisis message at the station; its number."""
    started = tour.place.flask(
        *("campaigns", "override", "start", "--hours", str(hours), "--site", doors.STATION.site),
        *("--by", "Ada Diallo", "--title", f"fr={CRISIS}", "--text", "fr=Quittez les quais."),
    )
    return started.split()[0]


def _run_campaigns(tour: Tour) -> None:
    """As the town's people do: one hands in, another approves."""
    campaigns = [
        {
            "slug": slug,
            "name": title,
            "advertiser": "tour-ada",
            "category": "commerce",
            "sites": PLACES[slug],
            "creatives": [{"slug": f"{slug}-1", "texts": {"fr": {"title": title, "text": "À deux pas."}}}],
        }
        for slug, title in TITLES.items()
    ]
    payer = {"slug": "tour-ada", "name": "Boulangerie Ada", "identity": "Ada SARL, SIREN 123 456 789"}
    file = tour.place.folder / "campaigns.json"
    file.write_text(json.dumps({"advertisers": [payer], "campaigns": campaigns}), encoding="utf-8")
    flask = tour.place.flask
    flask("campaigns", "load", str(file))
    for slug in TITLES:
        flask("campaigns", "propose", slug, "--by", "Ada Diallo")
        flask("campaigns", "approve", slug, "--by", "Bo Lang")
    flask("campaigns", "pause", "annonces-de-la-ville")


def _accept(guest: Guest) -> tuple[str, Page]:
    """Read the message, and press the button; the title that was shown, and the page of the connection."""
    # The portal reads the campaigns anew every two seconds.
    until(lambda: _titles(guest.get(PROBE)), 10, every=0.2)
    landing = guest.get(PROBE)
    (title,) = _titles(landing)
    time.sleep(VIEWING_SECONDS + 0.1)
    page = guest.submit(landing, "/pause")
    until(lambda: is_online(guest), 5)
    return title, page


def _titles(page: Page) -> list[str]:
    return [title for title in TITLES.values() if title in page.text]


def _in_the_kernel(tour: Tour) -> HeldLease:
    """The lease of the passer-by, as the kernel at the station has it."""
    access = tour.access(tour.passer_by)

    def look() -> HeldLease | None:
        table = kernel.read_table()
        found = {} if table is None else kernel.read_leases(table.classes, now=time.time())
        return HeldLease(access.id, found[access.id].ends) if access.id in found else None

    held, _ = until(lambda: tour.place.net.gateways[STATION].ns.call(look), 5)
    if held is None:
        raise AssertionError("waited for")
    return held


def _books_agree(tour: Tour, held: list[HeldLease]) -> None:
    """The sums of the days, the ledger's rows, their confirmed leases, and what the kernel held."""
    of_ours = select(Creative.id).where(Creative.slug.in_([f"{slug}-1" for slug in TITLES]))

    def rows() -> list[tuple[int, float]]:
        with reading(tour.place.services.make_session) as db:
            found = db.execute(
                select(Lease.access_id, Lease.until)
                .join(Impression, Impression.lease_id == Lease.id)
                .where(
                    Impression.creative_id.in_(of_ours),
                    Impression.is_counted,
                    Impression.confirmed_at.is_not(None),
                )
                .order_by(Impression.id)
            )
            return [(number, until_.timestamp()) for number, until_ in found]

    ledger, _ = until(lambda: found if len(found := rows()) == len(held) else None, 5)
    with reading(tour.place.services.make_session) as db:
        accepted = db.scalar(
            select(func.sum(CreativeDay.accepted)).where(CreativeDay.creative_id.in_(of_ours))
        )
        counted = db.scalar(select(func.count(Impression.id)).where(Impression.creative_id.in_(of_ours)))
    report, leases = tour.report, ledger or []
    claim = "accepted by the sums of the day = rows of the ledger = confirmed leases = leases in the kernel"
    figures = (accepted, counted, len(leases), len(held))
    report.step(claim, set(figures) == {ROUNDS}, " = ".join(map(str, figures)))
    apart = [abs(one.until - end) for one, (_, end) in zip(held, leases, strict=True)]
    same = [one.access_id for one in held] == [number for number, _ in leases]
    report.step(
        "of the same sessions, until the same instants",
        same and max(apart) <= MOST_APART,
        f"at most {max(apart):.2f} s apart, by a kernel that counts whole seconds",
    )
