"""How far a gateway is from the leases, in words for the staff page and the command line."""

from __future__ import annotations

from gateways.kinds import Learning
from gateways.registry import kinds
from portal.i18n.translation import say, say_number
from sessions.gateway_health.overview import GatewayHealth


def distance_in_words(one: GatewayHealth) -> list[str]:
    """One sentence for each way in which it is off; else one that says how sure that is."""
    counts = [*_confirming(one), *_passing(one)]
    told = [sentence for count, sentence in counts if count]
    if one.check.held is None:
        told += [] if told else [say("It has confirmed all that the portal has told it.")]
        return [
            *told,
            say("It does not say whom it lets pass: whether somebody passes without a lease is not known."),
        ]
    if one.silent_since is not None:
        return told or [say("When it was last heard it let pass exactly whom the leases name.")]
    return told or [say("It lets pass exactly whom the leases name.")]


def _confirming(one: GatewayHealth) -> list[tuple[int, str]]:
    off = one.distance
    return [
        (off.waiting, _waiting(one)),
        (
            off.ending,
            say_number(
                "%(n)s device whose access is over may still pass: it has not confirmed the end.",
                "%(n)s devices whose access is over may still pass: it has not confirmed the ends.",
                off.ending,
            ),
        ),
        (
            off.refused,
            say_number(
                "It has refused to let %(n)s device pass.",
                "It has refused to let %(n)s devices pass.",
                off.refused,
            ),
        ),
        (
            off.refused_ends,
            say_number(
                "It refuses to end the access of %(n)s device.",
                "It refuses to end the access of %(n)s devices.",
                off.refused_ends,
            ),
        ),
    ]


def _waiting(one: GatewayHealth) -> str:
    if _is_carried(one.check.kind):
        return say_number(
            "%(n)s permission waits for the guest’s browser to carry it there.",
            "%(n)s permissions wait for the guests’ browsers to carry them there.",
            one.distance.waiting,
        )
    return say_number(
        "It has not confirmed %(n)s permission yet.",
        "It has not confirmed %(n)s permissions yet.",
        one.distance.waiting,
    )


def _passing(one: GatewayHealth) -> list[tuple[int, str]]:
    return [
        (
            one.missing,
            say_number(
                "%(n)s device is online by the leases, and it does not let it pass.",
                "%(n)s devices are online by the leases, and it does not let them pass.",
                one.missing,
            ),
        ),
        (
            one.surplus,
            say_number(
                "%(n)s device passes there without a lease.",
                "%(n)s devices pass there without a lease.",
                one.surplus,
            ),
        ),
    ]


def _is_carried(kind: str) -> bool:
    return kind in kinds() and kinds()[kind].capabilities.learns is Learning.CARRIED
