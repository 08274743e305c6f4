"""A fixed device on its record: how it stands, and the page of its owner, made and revoked here."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import abort, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.fixed_devices import links, register
from auth.fixed_devices.models import FixedDevice
from auth.records import within
from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.device_words import length_in_words
from portal.i18n.labels import standing_in_words
from portal.records.devices import DEVICE_PAGES
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.configuration import record
from portal.staff.forms import use_form
from sessions.managed import presence


@staff.post("/records/devices/<key>/link")
@needs(Action.DEVICES)
def devices_link(key: str) -> AnyResponse:
    """Make the owner's page, or give it another address: the old one opens nothing any more."""
    service, place = services(), url_for("staff.devices_record", key=key)
    with service.make_session.begin() as db:
        device = _mine(db, key)
        use_form(db, place=place)
        service.owner_links.make(db, device, actor=current_staff().actor, now=service.clock())
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post("/records/devices/<key>/unlink")
@needs(Action.DEVICES)
def devices_unlink(key: str) -> AnyResponse:
    service, place = services(), url_for("staff.devices_record", key=key)
    with service.make_session.begin() as db:
        device = _mine(db, key)
        use_form(db, place=place)
        links.revoke(db, device, actor=current_staff().actor, now=service.clock())
    return redirect(place, HTTPStatus.SEE_OTHER)


def _mine(db: Session, key: str) -> FixedDevice:
    """The device, if it is of this person's networks; for others there is none (404)."""
    device = register.find(db, key)
    if device is None or not within(current_staff().authority.networks, {device.network.slug}):
        abort(HTTPStatus.NOT_FOUND)
    return device


def _more(cells: Mapping[str, str]) -> dict[str, object]:
    """How the device stands, on the page of a record that is there."""
    service = services()
    with reading(service.make_session) as db:
        device = register.find(db, cells.get("slug", ""))
        if device is None:
            return {"device": None}
        secret = service.owner_links.secret_of(device)
        return {
            "device": device,
            "zone": device.site.zone,
            "presence": presence.of_device(db, device, now=service.clock()),
            "owner_url": f"{service.settings.portal_url}/devices/{secret}" if secret else None,
            "reserved": register.reserved_line(device),
            "standing_in_words": standing_in_words,
            "length_in_words": length_in_words,
        }


record.EXTRAS[DEVICE_PAGES.slug] = ("staff/configuration/device.html", _more)
