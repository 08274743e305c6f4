"""Where the wifi is: the list by kind, its filters, and the map. For everybody, from any network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response, request

from db.engine import reading
from portal.guest import guests
from portal.guest.open_pages import visit_if_any
from portal.guest.places import by_kind, map_address, places_now
from portal.i18n.labels import kinds_in_words, layer_in_words
from portal.i18n.translation import language
from portal.public_values import render_page
from portal.services import services
from sessions.troubles.places import measured
from sites.directory import Hotspot, alphabetical, geojson
from sites.directory import hotspots as hotspots_by_own_names
from sites.map import TownMap, draw
from sites.map_background import Bounds, Layer
from sites.models import SiteKind, SiteState

# Maps in the very pixels of the page: marks and numbers are read without enlarging. In wide windows fewer share one.
NARROW, WIDE = 340.0, 640.0


@dataclass(frozen=True, slots=True)
class HotspotFilter:
    """Which of the places are shown; it stands in the query of the page."""

    open: bool = False
    step_free: bool = False
    kind: SiteKind | None = None

    @property
    def query(self) -> dict[str, str]:
        kind = {"kind": self.kind.value} if self.kind else {}
        return {name: "1" for name in ("open", "step_free") if getattr(self, name)} | kind

    def holds(self, spot: Hotspot) -> bool:
        """Open now: the place is, and its wifi works."""
        works = spot.open and spot.state is SiteState.LIVE
        return (
            (works or not self.open)
            and (spot.step_free is True or not self.step_free)
            and self.kind in (None, spot.kind)
        )


@dataclass(frozen=True, slots=True)
class FilterLink:
    """A filter to put on, or to take off where it is `on`; `places` are those that it would show."""

    words: str
    query: dict[str, str]
    on: bool
    places: int


@guests.get("/hotspots")
def hotspots() -> str:
    background, wanted = services().map_background, asked_filter()
    with reading(services().make_session) as db:
        known = places_now(db)
    kinds = by_kind([spot for spot in known if wanted.holds(spot)])
    spots = [spot for kind in kinds for _, spot in kind.spots]
    town, wide = _draw(spots), _draw(spots, width=WIDE)
    larger = [(part, _draw(spots, bounds=part.bounds)) for part in background.parts]
    parts = [(f"part-{number}", *one) for number, one in enumerate(larger, start=1) if one[1].marks]
    return render_page(
        "guests/hotspots.html",
        kinds=kinds,
        count=len(spots),
        known=len(known),
        wanted=wanted,
        open_link=replace(wanted, open=not wanted.open).query,
        step_free_link=replace(wanted, step_free=not wanted.step_free).query,
        kind_links=kind_links(known, wanted),
        layers=layers_in_words([town, *(drawn for _, _, drawn in parts)]),
        map=town,
        wide_map=wide,
        parts=parts,
        on_phone=map_address,
        visit=visit_if_any(),
    )


def _draw(spots: Sequence[Hotspot], *, width: float = NARROW, bounds: Bounds | None = None) -> TownMap:
    return draw(spots, services().map_background, width=width, bounds=bounds, language=language())


@guests.get("/hotspots.geojson")
def hotspots_geojson() -> Response:
    now = services().clock()
    with reading(services().make_session) as db:
        document = geojson(hotspots_by_own_names(db, now=now, measured=measured(db)), now=now)
    return Response(json.dumps(document, ensure_ascii=False), content_type="application/geo+json")


def asked_filter() -> HotspotFilter:
    """The filter of this request; what is none is left out."""
    kind = request.args.get("kind")
    return HotspotFilter(
        open=request.args.get("open") == "1",
        step_free=request.args.get("step_free") == "1",
        kind=SiteKind(kind) if kind in set(SiteKind) else None,
    )


def kind_links(known: Sequence[Hotspot], wanted: HotspotFilter) -> list[FilterLink]:
    """One for each kind that there is, with the other filters kept."""
    links = []
    for kind in sorted({spot.kind for spot in known}, key=lambda kind: alphabetical(kinds_in_words(kind))):
        on = wanted.kind is kind
        there = replace(wanted, kind=None if on else kind)
        places = sum(replace(wanted, kind=kind).holds(spot) for spot in known)
        links.append(FilterLink(kinds_in_words(kind), there.query, on, places))
    return links


def layers_in_words(maps: Sequence[TownMap]) -> list[tuple[Layer, str]]:
    """What the maps show beside the places: waters by their names, the rest by what it is."""
    features = [one.feature for drawn in maps for one in (*drawn.areas, *drawn.lines)]
    found = {
        (one.layer, one.name(language()) if one.layer is Layer.WATER else layer_in_words(one.layer)): None
        for one in features
    }
    return sorted(found, key=lambda entry: list(Layer).index(entry[0]))
