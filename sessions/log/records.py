"""Lines of the log as records for files: machine words, instants in UTC and on the place's clocks, masked as seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sessions.log.denials import show_code
from sessions.log.masks import Visibility
from sessions.log.query import ListedSession
from sessions.models import Decision
from sites.models import Network, Site

# The order of the columns. Those of `INSTANTS` are instants; all others are text.
COLUMNS = (
    *("kind", "number", "site", "network", "method"),
    *("began_utc", "began_local", "ended_utc", "ended_local", "until_utc"),
    *("end_reason", "mac", "address", "pseudonym", "rule", "step", "device"),
)
INSTANTS = ("began_utc", "ended_utc", "until_utc")
Record = dict[str, str | datetime | None]


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id: slugs of sites and networks, zones of sites."""

    sites: Mapping[int, str]
    zones: Mapping[int, ZoneInfo]
    networks: Mapping[int, str]

    @classmethod
    def of(cls, sites: Iterable[Site], networks: Iterable[Network]) -> Names:
        known = list(sites)
        return cls(
            {site.id: site.slug for site in known},
            {site.id: site.tzinfo for site in known},
            {network.id: network.slug for network in networks},
        )


def records(lines: Iterable[ListedSession | Decision], names: Names, sight: Visibility) -> Iterator[Record]:
    """One record for each line."""
    for line in lines:
        yield (
            _session(line, names, sight) if isinstance(line, ListedSession) else _refusal(line, names, sight)
        )


def as_written(record: Record) -> dict[str, str | None]:
    """The record with its instants as text, for files that know no instants."""
    return {
        name: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for name, value in record.items()
    }


def _session(line: ListedSession, names: Names, sight: Visibility) -> Record:
    return {
        **dict.fromkeys(COLUMNS),
        "kind": "session",
        "number": str(line.id),
        **_place(line.site_id, line.network_id, names),
        "method": line.method.value,
        "began_utc": line.started_at,
        "began_local": _local(line.started_at, line.site_id, names),
        "ended_utc": line.ended_at,
        "ended_local": _local(line.ended_at, line.site_id, names),
        "until_utc": line.until,
        "end_reason": line.end_reason.value if line.end_reason else None,
        "mac": sight.mac(line.mac),
        "address": sight.address(line.address),
        "pseudonym": sight.subject(line.subject),
    }


def _refusal(line: Decision, names: Names, sight: Visibility) -> Record:
    return {
        **dict.fromkeys(COLUMNS),
        "kind": "refusal",
        "number": show_code(line.code),
        **_place(line.site_id, line.network_id, names),
        "began_utc": line.at,
        "began_local": _local(line.at, line.site_id, names),
        "mac": sight.mac(line.mac),
        "address": sight.address(line.address),
        "pseudonym": sight.subject(line.subject),
        "rule": line.rule,
        "step": line.step,
        "device": line.detail.get("device"),
    }


def _place(site_id: int | None, network_id: int | None, names: Names) -> Record:
    return {"site": names.sites.get(site_id or 0), "network": names.networks.get(network_id or 0)}


def _local(at: datetime | None, site_id: int | None, names: Names) -> str | None:
    """On the place's clocks, with the offset: one hour a year exists twice."""
    if at is None:
        return None
    return at.astimezone(names.zones.get(site_id or 0, UTC)).isoformat(timespec="seconds")
