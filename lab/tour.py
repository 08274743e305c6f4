"""``python -m lab.tour``: walk the journeys against a live hotspot of its own, with seconds for minutes.

Exit status 0 only if every step held; 3 when this machine cannot have the hotspot.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select, update

from lab import doors, freeradius, journeys, opennds, staff, three_kinds
from lab.fixed_devices import camera_of_the_register
from lab.hotspot import Hotspot, hotspot, now
from lab.journeys import LEASE_SECONDS, RENEWAL_SECONDS, STAY_SECONDS, VIEWING_SECONDS, Tour
from lab.left_open import page_left_open_warns_and_ends
from lab.many_kinds import many_kinds, opennds_door, uam_door
from lab.namespace import NoNamespaces, become_root, demand_namespaces
from lab.packages import HOTSPOT, MissingPackages, provide
from lab.records import announce_with_pictures
from lab.report import Report, StepFailed
from lab.school import class_for_an_hour
from lab.taking_turns import campaigns_take_turns, crisis_message_comes_and_goes
from lab.visitor import visitor_has_a_day_pass
from lab.waiting import DidNotStart
from sites.demo.town import load_demo
from sites.models import Network, Site

DOORS = (doors.LIBRARY, doors.STATION, doors.BATTANT, doors.SCHOOL)
KINDS = (
    doors.STATION,
    opennds_door("battant-opennds", doors.BATTANT.site, doors.BATTANT.network),
    uam_door(2, "granvelle-uam", "place-granvelle", doors.BATTANT.network),
)
PACKAGES = (*HOTSPOT, *opennds.PACKAGES, *freeradius.PACKAGES)
JOURNEYS = (
    journeys.patron_signs_in,
    journeys.passer_by_renews_and_is_cut,
    journeys.walks_to_another_site,
    journeys.staff_ends_a_session,
    journeys.agent_is_killed,
    visitor_has_a_day_pass,
    page_left_open_warns_and_ends,
    campaigns_take_turns,
    crisis_message_comes_and_goes,
    camera_of_the_register,
    class_for_an_hour,
)
# A patron, a passer-by, a visitor and a stranger; three tablets of a class and one of another.
PHONES = 8
FAILED, IMPOSSIBLE = 1, 3


def main() -> int:
    try:
        provide(PACKAGES)
        become_root()
        demand_namespaces("dnsmasq", "openssl", "nginx", *opennds.NEEDED, *freeradius.NEEDED)
    except MissingPackages as missing:
        print(f"The tour needs packages that are not here. This line installs them:\n  {missing}")
        return IMPOSSIBLE
    except NoNamespaces as reason:
        print(f"The tour cannot walk here: {reason}.")
        return IMPOSSIBLE
    folder = Path(tempfile.mkdtemp(prefix="arobase-tour-"))
    report = Report()
    try:
        with hotspot(folder, DOORS, phones=PHONES) as place:
            walk(place, report)
        walk_kinds(folder / "kinds", report)
    except DidNotStart as fault:
        report.broke(fault)
    return _conclude(report, folder)


def walk(place: Hotspot, report: Report) -> None:
    """Compress the time, open everything, and go on every journey, whatever became of the one before."""
    began = time.monotonic()
    compress(place)
    announce_with_pictures(place.services.make_session, now=now())
    staff.hire(place.services, at=now())
    place.start()
    print(f"Portal, {len(DOORS)} gateways and an Internet are up after {time.monotonic() - began:.1f} s.")
    patron, passer_by, visitor, stranger, *tablets = place.net.phone
    school = tuple(map(place.guest, tablets))
    guests = place.guest(patron), place.guest(passer_by), place.guest(visitor)
    tour = Tour(place, report, *guests, stranger, school)
    for journey in JOURNEYS:
        try:
            journey(tour)
        except StepFailed:
            # It was told when it happened. The next journey may still show something.
            continue
        except Exception as error:
            report.broke(error)


def walk_kinds(folder: Path, report: Report) -> None:
    """The ways in once more, on gateways of three kinds, and a phone that walks between them."""
    guests = len(KINDS) * len(three_kinds.WAYS) + 1
    with many_kinds(folder, KINDS, phones=guests) as place:
        three_kinds.prepare(place)
        place.start()
        three_kinds.three_times(place, report)


def compress(place: Hotspot) -> None:
    """Seconds for minutes, and a library that is open at any hour."""
    with place.services.make_session.begin() as db:
        load_demo(db, now=now())
        free = {
            "lease_seconds": LEASE_SECONDS,
            "renewal_seconds": RENEWAL_SECONDS,
            "viewing_seconds": VIEWING_SECONDS,
        }
        db.execute(update(Network).where(Network.slug == doors.STATION.network).values(**free))
        library = update(Network).where(Network.slug == doors.LIBRARY.network)
        db.execute(library.values(lease_seconds=STAY_SECONDS))
        site = db.scalars(select(Site).where(Site.slug == doors.LIBRARY.site)).one()
        site.opening_hours = "24/7"


def _conclude(report: Report, folder: Path) -> int:
    if report.failed:
        logs = f"{folder / 'log'} and {folder / 'kinds/log'}"
        print(f"\n{report.failed} failed, {report.held} held. The logs are in {logs}.")
        return FAILED
    print(f"\nAll {report.held} steps held.")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
