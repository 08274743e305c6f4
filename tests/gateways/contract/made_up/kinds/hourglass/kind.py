"""A box that is turned over for so many minutes."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning, Option


def _yes_or_no(text: str) -> str:
    if text not in ("yes", "no"):
        raise ValueError(f"{text[:20]!r} is neither yes nor no")
    return text


KIND = Kind(
    name="hourglass",
    product="Hourglass 60",
    capabilities=Capabilities(
        learns=Learning.PULLED,
        learns_within_seconds=10,
        ends_by_itself=True,
        finest_seconds=60,
        extends=False,
        revokes=False,
        limits_rates=False,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        is_heard=True,
    ),
    options=(
        Option(name="sealed", read=_yes_or_no, default="yes", help="Whether its glass is sealed: yes or no."),
    ),
    guessed_where=(("sealed", "no"),),
)
