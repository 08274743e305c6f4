"""The capabilities of a kind of gateway in words, for the staff page and the command line."""

from __future__ import annotations

from collections.abc import Callable

from gateways.kinds import Capabilities, Kind, Learning
from gateways.registry import kinds
from portal.i18n.translation import say


def product_of(kind: str) -> str:
    """What the operator calls gateways of the kind of this name."""
    if kind not in kinds():
        return say("a kind that this version does not know: %(kind)s", kind=kind)
    return kinds()[kind].product


def in_words_of(kind: str) -> list[str]:
    """What gateways of the kind of this name can do; nothing of a kind that this version does not know."""
    return (
        [*capabilities_in_words(kinds()[kind].capabilities), *_guessing(kinds()[kind])]
        if kind in kinds()
        else []
    )


def lacks_of(kind: str) -> list[str]:
    """Of these sentences, those that tell what gateways of the kind cannot do, and what follows."""
    if kind not in kinds():
        return []
    lacks = [
        say_it(kinds()[kind].capabilities)
        for say_it, can_do in _SENTENCES
        if not can_do(kinds()[kind].capabilities)
    ]
    return [*lacks, *_guessing(kinds()[kind])]


def capabilities_in_words(can: Capabilities) -> list[str]:
    """One sentence for each capability, with what follows where the kind lacks it."""
    return [say_it(can) for say_it, _ in _SENTENCES]


def _learning(can: Capabilities) -> str:
    seconds = can.learns_within_seconds
    if can.learns is Learning.CARRIED and can.revokes:
        return say("The guest's browser carries each permission to it; the portal calls it to take one back.")
    return {
        Learning.FOLLOWED: say(
            "It follows the portal: a change is there within %(seconds)s s.", seconds=seconds
        ),
        Learning.PULLED: say(
            "It asks the portal again and again: a change is there within %(seconds)s s.", seconds=seconds
        ),
        Learning.CARRIED: say(
            "The guest's browser carries each permission to it: the portal cannot reach it by itself."
        ),
        Learning.PUSHED: say("The portal calls it: a change is there within %(seconds)s s.", seconds=seconds),
    }[can.learns]


def _end(can: Capabilities) -> str:
    if not can.ends_by_itself:
        return say(
            "It does not end access by itself: the portal tells it each end. While the portal is away, people stay "
            "online."
        )
    if can.finest_seconds == 1:
        return say("It ends access by itself, to the second, even while the portal is away.")
    if can.revokes:
        return say(
            "It ends access by itself in steps of %(seconds)s s, even while the portal is away; the portal tells it "
            "the exact end.",
            seconds=can.finest_seconds,
        )
    return say(
        "It ends access by itself in steps of %(seconds)s s, even while the portal is away: stays are rounded down.",
        seconds=can.finest_seconds,
    )


def _extending(can: Capabilities) -> str:
    if can.extends:
        return say("A stay can be renewed while it lasts.")
    return say("A stay cannot be renewed while it lasts: people go on after its end.")


def _revoking(can: Capabilities) -> str:
    if can.revokes:
        return say("Access can be taken back before its end.")
    return say(
        "Access cannot be taken back: who leaves, or is sent away, passes until the end that was granted."
    )


def _rates(can: Capabilities) -> str:
    if can.limits_rates:
        return say("It keeps each device to its rates.")
    return say("It limits no rates: those of network and site are not kept there.")


def _volume(can: Capabilities) -> str:
    if can.limits_volume:
        return say("It can end access after a volume of data.")
    return say("It knows no limit of volume.")


def _accounting(can: Capabilities) -> str:
    if can.accounts:
        return say("It reports the volume of each stay.")
    return say("It reports no volume: the log and the report of use count its stays, not their data.")


def _presence(can: Capabilities) -> str:
    if can.reports_presence:
        return say(
            "It reports how long a device has been silent, so that stays of those who are gone end early."
        )
    return say("It cannot tell who is gone: every stay lasts to its end.")


def _hearing(can: Capabilities) -> str:
    if can.is_heard:
        return say("It lets itself be heard: its silence is noticed.")
    return say("It does not let itself be heard: a failure there is not noticed.")


def _ports(can: Capabilities) -> str:
    if can.assigns_ports:
        return say("It can give each device source ports of its own, so that a port tells who it was.")
    return say(
        "It gives no device source ports of its own: behind a shared address, a port does not tell who it was."
    )


def _resolvers(can: Capabilities) -> str:
    if can.chooses_resolvers:
        return say("It keeps the tablets of a class to the resolver that their school names.")
    return say("It cannot keep a device to one resolver: no class of tablets is served there.")


def _radio(can: Capabilities) -> str:
    if can.switches_radio:
        return say("It switches a school's wifi off and on at the hours that the school has chosen.")
    return say("It cannot switch its wifi off: in a school, a schedule of its own has to do that.")


def _guessing(kind: Kind) -> list[str]:
    if kind.capabilities.landings_can_be_guessed:
        return [
            say(
                "What it tells of a device can be guessed: it serves networks where access is free, and no others."
            )
        ]
    return [
        say(
            "With %(option)s=%(value)s, what it tells of a device can be guessed: then it serves networks where access "
            "is free, and no others.",
            option=option,
            value=value,
        )
        for option, value in kind.guessed_where
    ]


# Each with whether a kind can do what it is about.
_SENTENCES: tuple[tuple[Callable[[Capabilities], str], Callable[[Capabilities], bool]], ...] = (
    (_learning, lambda can: can.learns is not Learning.CARRIED),
    (_end, lambda can: can.ends_by_itself and can.finest_seconds == 1),
    (_extending, lambda can: can.extends),
    (_revoking, lambda can: can.revokes),
    (_rates, lambda can: can.limits_rates),
    (_volume, lambda can: can.limits_volume),
    (_accounting, lambda can: can.accounts),
    (_presence, lambda can: can.reports_presence),
    (_hearing, lambda can: can.is_heard),
    (_ports, lambda can: can.assigns_ports),
    (_resolvers, lambda can: can.chooses_resolvers),
    (_radio, lambda can: can.switches_radio),
)
