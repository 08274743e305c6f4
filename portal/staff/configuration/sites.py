"""A place on its form: its hours day by day with the weeks to come, and its pin on a map that takes a click."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.translation import comma, language, say, write_date
from portal.records.sites import SHOWN_HOURS, SITE_PAGES, week_field
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.configuration import record
from portal.staff.configuration.shown_pictures import shown_picture
from portal.staff.configuration.typed import Cells, zone_of
from sites import weekly_hours
from sites.directory import Hotspot, hotspots
from sites.holidays import public_holidays, school_holidays
from sites.import_export import cells as read
from sites.map import around, draw, place_at, point_at
from sites.map_background import Bounds
from sites.opening_rules import InvalidHours, parse

# A browser tells where a picture was clicked in its own pixels: it is shown as large as it is drawn, on a phone too.
WIDTH, HEIGHT, RADIUS = 280, 230, 5.0
# Some hundred metres to each side of the pin: 3 m to a pixel.
NEAR_DEGREES = 0.005
WEEKS = 3


@dataclass(frozen=True, slots=True)
class ClickMap:
    """A map that is a button of the form. Its `bounds` travel with the click, so that it is read as it was drawn."""

    name: str
    title: str
    source: str
    bounds: str


@staff.post("/records/sites/-/place")
@needs(Action.SITES)
def site_place() -> AnyResponse:
    """The form as it was typed, with the pin where a map was clicked, and the weeks to come. Nothing is written."""
    return record.look_first(SITE_PAGES, _take_click)


def _take_click(cells: dict[str, str]) -> None:
    for name in ("near", "wide"):
        x, y = (request.form.get(f"{name}.{axis}", type=int) for axis in ("x", "y"))
        bounds = _read_bounds(request.form.get(f"{name}_bounds", ""))
        # A button that is pressed by its key says the corner: it was not pointed at anything.
        if bounds is None or not x or not y:
            continue
        longitude, latitude = place_at(x, y, bounds, width=WIDTH, height=HEIGHT, radius=RADIUS)
        cells["longitude"], cells["latitude"] = f"{longitude:.6f}", f"{latitude:.6f}"


def _read_bounds(text: str) -> Bounds | None:
    try:
        west, south, east, north = (float(part) for part in text.split())
    except ValueError:
        return None
    fits = -180 <= west <= east <= 180 and -90 < south <= north < 90
    return Bounds(west, south, east, north) if fits else None


def _below(cells: Cells) -> dict[str, object]:
    hours = render_template(
        "staff/configuration/site_hours.html",
        shown=cells.get("opening_hours", ""),
        shown_name=SHOWN_HOURS,
        days=_days(cells.get("opening_hours", "")),
        weeks=_weeks(cells),
        is_asked=request.endpoint == "staff.site_place",
    )
    with reading(services().make_session) as db:
        picture = shown_picture(db, cells.get("slug", ""), SITE_PAGES)
        maps = render_template(
            "staff/configuration/site_maps.html", maps=_maps(db, cells), width=WIDTH, height=HEIGHT
        )
    return {"picture": picture, "below": {"opening_hours": Markup(hours), "longitude": Markup(maps)}}


def _days(hours: str) -> list[tuple[str, str, str]]:
    """The fields for the hours of each day: name, words, and what stands there."""
    shown = weekly_hours.by_day(hours) or dict.fromkeys(weekly_hours.DAYS, "")
    # Any Monday.
    monday = date(2024, 1, 1).toordinal()
    words = [write_date(date.fromordinal(monday + number), "EEEE").capitalize() for number in range(7)]
    words += [say("Public holidays"), say("School holidays")]
    return [
        (week_field(day), word, shown[day].replace(",", ", "))
        for day, word in zip(weekly_hours.DAYS, words, strict=True)
    ]


def _weeks(cells: Cells) -> list[list[tuple[str, str, str]]]:
    """The days to come, in rows of a week: the day, its hours in figures (empty: closed), and what holiday it is."""
    try:
        hours = parse(cells.get("opening_hours", ""), read.school_zone(cells.get("school_zone", "")))
    except (InvalidHours, ValueError):
        return []
    today = services().clock().astimezone(zone_of(cells)).date()
    off = school_holidays(hours.zone) if hours.names_school else ()
    return [
        [
            (
                write_date(day, "EEE d MMM"),
                comma().join(map(weekly_hours.span_in_figures, spans)),
                _holiday(day, is_school=day in off),
            )
            for day, spans in week
        ]
        for week in weekly_hours.coming_weeks(hours, today, weeks=WEEKS)
    ]


def _holiday(day: date, *, is_school: bool) -> str:
    if day in public_holidays(day.year):
        return say("public holiday")
    return say("school holidays") if is_school else ""


def _maps(db: Session, cells: Cells) -> Sequence[ClickMap]:
    """The town, and what lies around the pin; none where nothing says where the town is."""
    background, pin = services().map_background, _pin(cells)
    spots = hotspots(db, language=language(), now=services().clock())
    found = []
    whole = around(spots, background)
    if whole.east > whole.west:
        found.append(("wide", say("The town: click where the place is"), whole))
    if pin is not None:
        longitude, latitude = pin
        near = Bounds(
            longitude - NEAR_DEGREES,
            latitude - NEAR_DEGREES,
            longitude + NEAR_DEGREES,
            latitude + NEAR_DEGREES,
        )
        found.append(("near", say("Around it: click again to put it right"), near))
    return [
        ClickMap(name, title, _picture(spots, bounds, pin), _written(bounds)) for name, title, bounds in found
    ]


def _picture(spots: Sequence[Hotspot], bounds: Bounds, pin: tuple[float, float] | None) -> str:
    """A drawing as the address of a picture."""
    size = {"width": float(WIDTH), "height": float(HEIGHT), "radius": RADIUS}
    drawn = draw(spots, services().map_background, bounds=bounds, language=language(), **size)
    at = point_at(*pin, bounds, **size) if pin else None
    svg = render_template("staff/configuration/map.svg", map=drawn, pin=at)
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _written(bounds: Bounds) -> str:
    return f"{bounds.west} {bounds.south} {bounds.east} {bounds.north}"


def _pin(cells: Cells) -> tuple[float, float] | None:
    try:
        return read.degrees(180)(cells.get("longitude", "")), read.degrees(89)(cells.get("latitude", ""))
    except ValueError:
        return None


record.EXTRAS[SITE_PAGES.slug] = ("staff/configuration/site.html", _below)
