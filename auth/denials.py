"""Why a request is denied: each reason is declared once, with all its texts, in the errors of the noun that raises it.

`portal.denials` renders a reason to guests, staff, programs and reports; nothing else has words of its own for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from http import HTTPStatus
from typing import ClassVar, ParamSpec

P = ParamSpec("P")


def N_(message: str) -> str:
    """Mark a text for the catalogues (a no-op, as in gettext): it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Plural:
    """`one` or `many`, by the number that the fact `count` holds; ``%(n)s`` stands for it."""

    one: str
    many: str
    count: str


@dataclass(frozen=True, slots=True)
class Case:
    """The text for the value of one fact."""

    fact: str
    texts: Mapping[object, str | Plural]
    otherwise: str = ""


# A text may name facts of its denial: ``%(until)s``.
Text = str | Plural | Case


@dataclass(frozen=True, slots=True)
class ProblemWords:
    """What a program is told (RFC 9457) where that differs from a page; `type` where the code is no good name."""

    title: Text
    advice: Text
    type: str = ""
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A denial that is written down, as staff look it up: its name, what it means, what to tell the person.

    `report` is its line in a report, where that is not its name.
    """

    name: str
    meaning: str
    advice: str
    report: str = ""


@dataclass(frozen=True, slots=True)
class DenialReason:
    """One reason. `code` is what the database and the API's problem types hold: it never changes.

    `title` (what happened) and `advice` (what to do next) are for whoever was denied; `staff_advice` and `api` stand
    in for them on a staff page and for programs. Without `incident` a denial is shown and not written down.
    `retry_after` is in seconds, or names the fact that says when or how long. `form_field` is the field of the form
    that is wrong. `facts` are written down with the incident, each with its sentence for staff (empty: none).
    `with_day`: its times may be days away; `day_alone`: they are told by their day, without the time.
    """

    code: str
    status: HTTPStatus
    title: Text
    advice: Text
    _: KW_ONLY
    staff_advice: Text | None = None
    api: ProblemWords | None = None
    incident: Incident | None = None
    retry_after: int | str | None = None
    form_field: str | None = None
    facts: Mapping[str, Text] = field(default_factory=dict)
    with_day: bool = False
    day_alone: bool = False

    @property
    def problem_type(self) -> str:
        """The last part of its type for programs."""
        return (self.api.type if self.api else "") or self.code.replace("_", "-")


class NetworkSlugs(tuple[str, ...]):
    """Networks among the facts of a denial: they are shown by their names."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text among the facts of a denial. Its own facts may be texts for the catalogues too."""

    text: str
    facts: Mapping[str, str | int]


class Denial(Exception):
    """A denied request: its reason, and in its attributes the facts that it was denied on."""

    reason: ClassVar[DenialReason]

    @property
    def facts(self) -> Mapping[str, object]:
        return vars(self)


class DoubleReason(Exception):
    """Two reasons have one code or one problem type."""


class Registry:
    """Every reason that was declared, by its code."""

    def __init__(self) -> None:
        self._reasons: dict[str, DenialReason] = {}

    def add(self, reason: DenialReason) -> DenialReason:
        """Take up a reason. Raises `DoubleReason`."""
        for one in self:
            if one.code == reason.code or one.problem_type == reason.problem_type:
                raise DoubleReason(reason.code)
        self._reasons[reason.code] = reason
        return reason

    def remove(self, reason: DenialReason) -> None:
        del self._reasons[reason.code]

    def find(self, code: str) -> DenialReason | None:
        return self._reasons.get(code)

    def __iter__(self) -> Iterator[DenialReason]:
        return iter(list(self._reasons.values()))


REASONS = Registry()


def _declaring(make: Callable[P, DenialReason]) -> Callable[P, DenialReason]:
    def declare(*args: P.args, **kwargs: P.kwargs) -> DenialReason:
        return REASONS.add(make(*args, **kwargs))

    return declare


# Makes a `DenialReason` and registers it. Raises `DoubleReason`.
declare = _declaring(DenialReason)

# Facts that several denials have.
UNTIL: Mapping[str, Text] = {"until": N_("Until %(until)s.")}
OPENS_AT: Mapping[str, Text] = {"opens_at": N_("Possible from %(opens_at)s on.")}
