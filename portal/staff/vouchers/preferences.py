"""What this desk's computer was asked to do last: which desk it is, which kind of pass, how its printer prints.

The browser keeps it itself, in a sealed cookie, for everybody who works at this computer: a printer that prints two
millimetres beside does so for all of them. It opens nothing and names nobody.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.printing.papers import Paper
from portal.services import services

PURPOSE = "staff habits"
LIFE = timedelta(days=180)
# Beside them: which desk this sign-in issued at last, in the browser's session.
DESK = "desk"


@dataclass(frozen=True, slots=True)
class DeskPreferences:
    """Plan and desk by their slugs, empty at first; offsets in millimetres to the right and down."""

    plan: str = ""
    desk: str = ""
    paper: str = Paper.A4.value
    languages: tuple[str, ...] = ()
    large: bool = False
    offset_mm: tuple[float, float] = (0.0, 0.0)


def desk_preferences() -> DeskPreferences:
    """Those of this browser; the first ones where it has none of ours."""
    service = services()
    spoken = service.settings.languages
    try:
        claims = service.tokens.verify(PURPOSE, request.cookies.get(cookie_name(), ""), now=service.clock())
    except InvalidToken:
        return DeskPreferences(languages=spoken[:2])
    right, down = claims["offset_mm"]
    return DeskPreferences(
        plan=claims["plan"],
        desk=claims["desk"],
        paper=claims["paper"],
        languages=tuple(code for code in claims["languages"] if code in spoken) or spoken[:2],
        large=claims["large"],
        offset_mm=(right, down),
    )


def keep(response: AnyResponse, kept: DeskPreferences) -> AnyResponse:
    """Let this browser remember what was just done."""
    service = services()
    response.set_cookie(
        cookie_name(),
        service.tokens.sign(PURPOSE, asdict(kept), now=service.clock(), life=LIFE),
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=service.settings.is_https,
        httponly=True,
        samesite="Strict",
    )
    return response


def cookie_name() -> str:
    return "__Host-arobase-desk" if services().settings.is_https else "arobase-desk"
