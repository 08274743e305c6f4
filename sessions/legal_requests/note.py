"""The note that goes with the data, in the language of those who asked: its texts are a file, see ``languages/``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sessions.legal_requests.finding import Doubt, Exactness, Identification, Why
from sessions.legal_requests.models import Requisition
from sessions.legal_requests.scopes import RequestScope, ScopeKind

FRENCH = Path(__file__).with_name("languages") / "fr.toml"

# What may be filled in, by text; none where a text is not listed.
_FILLED_IN: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("sentences", "exactness"): frozenset({"exactness", "why"}),
    ("sentences", "doubt"): frozenset({"doubt"}),
    ("sentences", "port"): frozenset({"port"}),
    ("sentences", "origin"): frozenset({"address", "port", "at", "as_written", "tolerance"}),
    ("sentences", "span"): frozenset({"kind", "value", "since", "until"}),
    ("note", "text"): frozenset(
        {
            *("number", "now", "operator", "asker", "signer", "reference", "basis", "scope"),
            *("exactness", "doubts", "zone"),
        }
    ),
    **{("exactness", each.name.lower()): frozenset({"sessions"}) for each in Exactness},
}
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "files": ("note", "request", "answer"),
    "exactness": tuple(each.name.lower() for each in Exactness),
    "why": tuple(each.name.lower() for each in Why),
    "doubts": tuple(each.name.lower() for each in Doubt),
    "kinds": tuple(each.name.lower() for each in ScopeKind if each is not ScopeKind.ORIGIN),
    "sentences": ("exactness", "doubt", "port", "no_port", "origin", "span", "local_time"),
    "note": ("text",),
}


class UnusableNote(Exception):
    """The file of texts has faults, all of them in `faults`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class LegalNote:
    """The texts by section and name, the zone that instants are told in beside UTC, and who answers (`operator`)."""

    texts: Mapping[str, Mapping[str, str]]
    zone: ZoneInfo
    operator: str

    def file_name(self, what: str) -> str:
        """What the package calls its ``note``, ``request`` or ``answer``."""
        return self.texts["files"][what]

    def exactness(self, finding: Identification) -> str:
        """How exact the answer is, and why: one sentence."""
        head = self.texts["exactness"][finding.exactness.name.lower()].format(sessions=finding.sessions)
        return self._say("exactness", exactness=head, why=self.texts["why"][finding.why.name.lower()])

    def scope(self, scope: RequestScope) -> str:
        """What was asked, on one line; instants in UTC and in the town's zone."""
        if scope.kind is ScopeKind.ORIGIN:
            assert scope.at is not None
            return self._say(
                "origin",
                address=scope.public_address,
                port=self._say("port", port=scope.port) if scope.port else self._say("no_port"),
                at=self._both(scope.at),
                as_written=scope.as_written,
                tolerance=scope.tolerance_seconds,
            )
        assert scope.since is not None and scope.until is not None
        kind = self.texts["kinds"][scope.kind.name.lower()]
        return self._say(
            "span", kind=kind, value=scope.value, since=self._both(scope.since), until=self._both(scope.until)
        )

    def whole(self, entry: Requisition, finding: Identification, *, now: datetime) -> str:
        """The file for whoever reads the package."""
        doubts = (
            self._say("doubt", doubt=self.texts["doubts"][each.name.lower()]) for each in finding.doubts
        )
        return self.texts["note"]["text"].format(
            number=entry.id,
            now=self._both(now),
            operator=self.operator,
            asker=entry.authority,
            signer=entry.signer,
            reference=entry.reference,
            basis=f"{entry.basis.name} – {entry.basis_text or entry.basis.text}",
            scope=self.scope(RequestScope.of(entry.scope)),
            exactness=self.exactness(finding),
            doubts="".join(f"{doubt}\n" for doubt in doubts),
            zone=self.zone.key,
        )

    def _say(self, name: str, **values: object) -> str:
        return self.texts["sentences"][name].format(**values)

    def _both(self, at: datetime) -> str:
        there = at.astimezone(self.zone).strftime(self.texts["sentences"]["local_time"])
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({there})"


def read_note(content: bytes, zone: ZoneInfo, *, operator: str) -> LegalNote:
    """Read a file of texts (TOML, UTF-8). Raises `UnusableNote` with every fault."""
    try:
        document = tomllib.loads(content.decode())
    except ValueError as error:
        raise UnusableNote([f"is not TOML in UTF-8: {error}"]) from error
    faults = list(_faults(document))
    if faults:
        raise UnusableNote(faults)
    return LegalNote(document, zone, operator)


def _faults(document: Mapping[str, Any]) -> Iterator[str]:
    for section, names in _TEXTS.items():
        found = document.get(section)
        texts = found if isinstance(found, dict) else {}
        for name in names:
            if not isinstance(texts.get(name), str) or not texts[name].strip():
                yield f"has no text {name} in [{section}]"
            elif fault := _fault(texts[name], _FILLED_IN.get((section, name), frozenset())):
                yield f"[{section}] {name}: {fault}"
        yield from (f"[{section}] knows no {name}" for name in texts if name not in names)


def _fault(text: str, values: frozenset[str]) -> str | None:
    try:
        text.format(**dict.fromkeys(values, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        known = ", ".join(f"{{{value}}}" for value in sorted(values)) or "nothing"
        return f"what stands in braces cannot be filled in: there is {known}"
    return None
