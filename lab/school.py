"""A journey of the tour: a class of tablets is switched on for an hour, and off again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from ads.models import Impression
from auth.staff.roles import Role
from db.engine import reading
from gateways.nftables import kernel
from lab import doors, internet
from lab.clerk import Colleague
from lab.flows import echo
from lab.guest import Guest, Page
from lab.hotspot import now
from lab.journeys import MOST_AFTER_DEADLINE, MOST_AFTER_STAFF, SCHOOL, Tour, cut_at, is_online, is_reachable
from lab.namespace import Namespace
from lab.network import outside_address
from lab.report import StepFailed, until
from sites.import_export import SCHOOL_LINES, TABLET_CLASSES, TABLETS
from sites.import_export.records import Records, import_records
from sites.import_export.rows import Row
from sites.models import Site
from sites.schools.models import TabletClass
from sites.schools.timetable import Press

NAME, OTHER = "class-of-the-tour", "other-of-the-tour"
# So many are in the inventory; of the class, all but the last phone of the school's are real.
TABLETS_OF_A_CLASS = 12
# An hour becomes twelve seconds.
HOUR = timedelta(seconds=12)
SAFE, FORBIDDEN, INSTEAD = outside_address(4, 53), "jeux.example.org", "192.0.2.1"
OVER_TLS = 853
# The kernel counts whole seconds.
MOST_APART = 1.5
# The agent looks every five.
MOST_TO_THE_WIFI = 12.0


class Head(Colleague):
    """The head of the school, on the page of its classes."""

    role, door = Role.SCHOOL, "/staff/classes"

    def sign_in(self) -> Page:
        return self.give_digits(self.give_password(self.open_door()))

    def switch_on(self) -> Page:
        """“This class, this hour”, here."""
        site = doors.SCHOOL.site
        return self.browser.submit(self.open_door(), f"{self.door}/{NAME}/on", site=site, minutes="60")

    def switch_off(self) -> Page:
        return self.browser.submit(self.open_door(), f"{self.door}/{NAME}/off")


def class_for_an_hour(tour: Tour) -> None:
    report, (*ours, other) = tour.report, tour.tablets
    report.journey("11. A class of tablets is switched on for an hour, and off again")
    _bring_inventory(tour)
    for tablet in tour.tablets:
        tour.arrive(tablet, SCHOOL)
    with _resolver(tour):
        report.step("the class is off: none of its tablets passes", not _online(tour.tablets))
        _wait_for_wifi(tour, up=False)
        head = Head(tour.place)
        page = head.sign_in()
        report.step("the head sees it on one page", page.has_form(f"{head.door}/{NAME}/on"), page.path)
        _switch_on(tour, head, ours)
        _asks_the_safe_one(tour, ours[0])
        report.step("a tablet of another class, which is off, does not pass", not _online([other]))
        tour.stranger.walk(tour.place.net.gateways[SCHOOL])
        report.step(
            "nor does anybody's phone", not is_reachable(tour.stranger, tour.outside, internet.STREAM)
        )
        _hour_ends(tour, ours)
        _switch_off(tour, head, ours)


def _bring_inventory(tour: Tour) -> None:
    """The school's line, two classes that only the button switches on, and their tablets, as rows of files."""
    site, network = doors.SCHOOL.site, doors.SCHOOL.network
    *ours, other = [tablet.phone.mac for tablet in tour.tablets]
    others = [f"02:00:00:00:7a:{number:02x}" for number in range(TABLETS_OF_A_CLASS - len(ours))]
    cards = [(NAME, mac) for mac in (*ours, *others)] + [(OTHER, other)]
    _import(tour, SCHOOL_LINES, [{"site": site, "resolver": str(SAFE), "wifi": "classes"}])
    rows = [{"slug": slug, "name": slug, "network": network, "stops": site} for slug in (NAME, OTHER)]
    _import(tour, TABLET_CLASSES, rows)
    tablets = [
        {"slug": f"tour-{number}", "class": slug, "mac": mac} for number, (slug, mac) in enumerate(cards)
    ]
    _import(tour, TABLETS, [{**row, "state": "in_use"} for row in tablets])


def _import(tour: Tour, records: Records, rows: list[dict[str, str]]) -> None:
    with tour.place.services.make_session.begin() as db:
        import_records(db, records, [Row("the tour", row) for row in rows], by="tour", now=now())


@contextmanager
def _resolver(tour: Tour) -> Iterator[None]:
    """A resolver that tells another address of one name; and on the town's, DNS over TLS."""
    core = tour.place.net.internet
    with Namespace("resolver") as node, core.socket() as over_tls:
        core.ip(f"link add safe type veth peer name eth0 netns {node.pid}", "link set safe master core up")
        node.ip(f"addr add {SAFE}/24 dev eth0", "link set eth0 up", f"route add default via {tour.outside}")
        names = [f"--address=/#/{tour.outside}", f"--address=/{FORBIDDEN}/{INSTEAD}"]
        alone = ("--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--listen-address={SAFE}")
        tour.place.run_dnsmasq(node, "safe-resolver", *alone, *names)
        over_tls.bind((tour.outside, OVER_TLS))
        over_tls.listen()
        with node.socket() as line:
            line.connect((tour.outside, OVER_TLS))
        yield


def _switch_on(tour: Tour, head: Head, tablets: list[Guest]) -> None:
    report = tour.report
    pressed = time.monotonic()
    page = head.switch_on()
    until(lambda: len(_online(tablets)) == len(tablets), 10, every=0.01)
    took = time.monotonic() - pressed
    told = page.has_form(f"{head.door}/{NAME}/off")
    report.step("“this class, this hour”: the page says that it is on", told, page.path)
    number = f"{len(tablets)} of {len(tablets)}"
    report.step("its tablets are online, without a page", True, f"{number}, {took:.1f} s after the button")
    press = _press(tour)
    length = f"{(press.until - press.at).total_seconds() / 60:.0f} min"
    report.step("for an hour, or to midnight", press.until - press.at <= timedelta(hours=1), length)
    held = len(_held(tour))
    report.step("the gateway's kernel holds a lease for each", held == TABLETS_OF_A_CLASS, str(held))
    report.step("no message was shown to them", (shown := _shown(tour)) == 0, str(shown))
    _wait_for_wifi(tour, up=True)


def _asks_the_safe_one(tour: Tour, tablet: Guest) -> None:
    report, town = tour.report, tour.outside
    answers = []
    for server in (str(SAFE), town, str(tour.place.net.gateways[SCHOOL].address(4))):
        tablet.resolver = server
        answers.append(tablet.resolve(FORBIDDEN))
    claim = "whatever server it asks, the school's resolver answers"
    report.step(claim, set(answers) == {INSTEAD}, f"{FORBIDDEN} is {', '.join(answers)}")
    reached = is_reachable(tablet.phone, town, OVER_TLS)
    report.step("another resolver over TLS is out of its reach", not reached)


def _hour_ends(tour: Tour, tablets: list[Guest]) -> None:
    """The kernel keeps the end of the hour, with the portal dead."""
    end = _bring_end(tour)
    until(lambda: all(abs(held - end.timestamp()) <= MOST_APART for held in _held(tour)), 8, every=0.1)
    flows = [echo(tablet.phone, tour.outside) for tablet in tablets]
    tour.place.kill_portal()
    try:
        cut_at(tour.report, flows, end.timestamp(), "end of the hour, the portal dead", MOST_AFTER_DEADLINE)
        _wait_for_wifi(tour, up=False)
    finally:
        tour.place.start_portal()
    tour.report.step("none of them passes any more", not _online(tablets))


def _bring_end(tour: Tour) -> datetime:
    """Let the hour that was pressed end in `HOUR`; what follows from its end is all the same from there on."""
    end = now() + HOUR
    with tour.place.services.make_session.begin() as db:
        db.execute(update(TabletClass).where(TabletClass.slug == NAME).values(switched_until=end))
    return end


def _switch_off(tour: Tour, head: Head, tablets: list[Guest]) -> None:
    head.switch_on()
    until(lambda: len(_online(tablets)) == len(tablets), 10, every=0.05)
    flows = [echo(tablet.phone, tour.outside) for tablet in tablets]
    page = head.switch_off()
    off = not page.has_form(f"{head.door}/{NAME}/off")
    tour.report.step("on once more, and “switch off”: the page says so", off, page.path)
    cut_at(tour.report, flows, _press(tour).at.timestamp(), "button", MOST_AFTER_STAFF)
    tour.report.step("no lease is left in the gateway's kernel", not _held(tour))


def _online(tablets: list[Guest] | tuple[Guest, ...]) -> list[Guest]:
    return [tablet for tablet in tablets if _passes(tablet)]


def _passes(tablet: Guest) -> bool:
    try:
        return is_online(tablet)
    except OSError:
        return False


def _press(tour: Tour) -> Press:
    """What was pressed last."""
    with reading(tour.place.services.make_session) as db:
        press = db.scalars(select(TabletClass).where(TabletClass.slug == NAME)).one().press
    if press is None:
        raise StepFailed("the books know of no button pressed")
    return press


def _held(tour: Tour) -> list[float]:
    """When the leases end that the school's gateway has in its kernel, in seconds since the epoch."""

    def look() -> list[float]:
        table = kernel.read_table()
        held = {} if table is None else kernel.read_leases(table.classes, now=time.time())
        return [lease.ends for lease in held.values()]

    return tour.place.net.gateways[SCHOOL].ns.call(look)


def _shown(tour: Tour) -> int:
    """How many messages were shown at the school, ever."""
    ours = select(Site.id).where(Site.slug == doors.SCHOOL.site)
    with reading(tour.place.services.make_session) as db:
        return db.scalar(select(func.count()).where(Impression.site_id.in_(ours))) or 0


def _wait_for_wifi(tour: Tour, *, up: bool) -> None:
    """The access point of the school is on the air with the class, and not without it."""
    (radio,) = doors.SCHOOL.radios
    gateway = tour.place.net.gateways[SCHOOL].ns

    def look() -> bool:
        [link] = json.loads(gateway.run(["ip", "-json", "link", "show", radio]).stdout)
        return ("UP" in link["flags"]) is up

    until(look, MOST_TO_THE_WIFI, every=0.1)
    tour.report.step(
        f"the school's wifi is {'on' if up else 'off'}", True, f"{radio} {'up' if up else 'down'}"
    )
