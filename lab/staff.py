"""Who works in the demo town, and what their authenticators show: ``python -m lab.staff``, or ``make code``.

These accounts are the lab's alone. They are made by ``make run`` in the database of its own folder, whatever the
environment says; no command of the portal makes them, and a real installation has neither this room's folder nor its
secret key.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from auth.audit.actor import command_line
from auth.fixed_devices.demo import load_devices
from auth.staff import accounts, lookup, own_account
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from auth.staff.totp import STEP_SECONDS, totp
from config import Settings
from db.engine import reading
from lab import doors
from lab.hotspot import now, portal_environment
from portal.app import make_services
from portal.services import Services
from sites.demo.schools import load_schools
from sites.queries import site_by_slug

# For the demo town only; each account is called like its role.
PASSWORD = "quatre-mots-pour-la-demo"
# The head's: two schools at which the trolley stops.
SCHOOLS = ("elementaire-battant", "elementaire-helvetie")
NAMES = {
    Role.DESK: "Camille Martin",
    Role.ADMIN: "Dana Morel",
    Role.NETWORK: "Noé Perrin",
    Role.ADS: "Alix Girard",
    Role.REPORT: "Robin Faivre",
    Role.PRIVACY: "Pascale Vuillemin",
    Role.SCHOOL: "Claude Roussel",
}
# Where the demo clerk hands passes out.
HOME = "pierre-bayle"
NOT_THERE = 3


def main() -> int:
    parser = argparse.ArgumentParser(description="Show the one-time codes of the demo town's staff.")
    parser.add_argument("--folder", type=Path, default=doors.FOLDER, help="where the hotspot keeps its state")
    folder = parser.parse_args().folder.resolve()
    if not (folder / "secret").exists() or not (folder / "arobase.sqlite3").exists():
        print(
            "There is no demo town here yet: start it with `make run` in another terminal.", file=sys.stderr
        )
        return NOT_THERE
    services = make_services_of(folder)
    shown = codes(services, at=now())
    services.engine.dispose()
    for login, code in shown.items():
        print(f"{login:<10}{code[:3]} {code[3:]}")
    left = STEP_SECONDS - int(now().timestamp()) % STEP_SECONDS
    print(
        f"Each opens its account once, with the password {PASSWORD}; new ones in {left} s.", file=sys.stderr
    )
    return 0


def make_services_of(folder: Path) -> Services:
    """The services of the lab in this folder, for looking into its database."""
    # Any address will do: nothing is served.
    return make_services(Settings.from_env(portal_environment(folder, "http://127.0.0.1")))


def hire(services: Services, *, at: datetime) -> None:
    """One account for each role, ready to sign in, where there is none of that name."""
    with reading(services.make_session) as db:
        missing = [role for role in Role if lookup.find(db, role.value) is None]
    if not missing:
        return
    password_hash = services.staff.hash(PASSWORD)
    with services.make_session.begin() as db:
        home = HOME if site_by_slug(db, HOME) is not None else ""
        if Role.SCHOOL in missing:
            load_schools(db, now=at)
            load_devices(db, now=at)
        for role in missing:
            invited = accounts.invite(
                db,
                login=role.value,
                name=NAMES.get(role, ""),
                authority=Authority(
                    frozenset({role}), ALL_NETWORKS, frozenset(SCHOOLS if role is Role.SCHOOL else ())
                ),
                actor=command_line(),
                now=at,
                home_site=home if role is Role.DESK else "",
            )
            own_account.set_up(db, invited.token, password_hash=password_hash, totp_step=0, now=at)


def codes(services: Services, *, at: datetime) -> dict[str, str]:
    """What the authenticator of each demo account shows at this instant, by login."""
    step = int(at.timestamp()) // STEP_SECONDS
    with reading(services.make_session) as db:
        people = [found for role in Role if (found := lookup.find(db, role.value)) is not None]
        return {one.login: totp(services.staff.totp_secret(one.totp_seed), step) for one in people}


def greeting(url: str) -> str:
    """How to sign in at the desk, for whoever has just started the demo town."""
    logins = ", ".join(role.value for role in Role)
    return f"""\
  The desk, for staff:       {url}/staff
    sign in as               {logins}
    password of each         {PASSWORD}
    the six digits           make code (in another terminal)"""


if __name__ == "__main__":
    sys.exit(main())
