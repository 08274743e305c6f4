"""What a kind of gateway is, and what it can do: a value that policy reads and the operator is shown."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateways.radius.profile import RadiusProfile
from gateways.sentences import Sentence, reason_of


class Learning(enum.StrEnum):
    """How a gateway comes to know of a changed lease."""

    # It holds a line to the portal open and has the change at once: the nftables agent.
    FOLLOWED = "followed"
    # It asks the portal again and again: openNDS authmon, RADIUS at sign-in.
    PULLED = "pulled"
    # The guest's browser carries a signed word to it: UAM, openNDS levels 0 to 2.
    CARRIED = "carried"
    # The portal calls it: a controller's interface, RADIUS Disconnect-Request and CoA (RFC 5176).
    PUSHED = "pushed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What gateways of one kind can do. What one cannot do, policy does in another way, or does not promise.

    `learns_within_seconds` is how long a change may take to reach a gateway that works. Raises ValueError where the
    end of access could be kept in no way at all.
    """

    learns: Learning
    learns_within_seconds: int
    # It ends access at the deadline by itself. Otherwise the portal sends it each end.
    ends_by_itself: bool
    # The finest step of time in which it keeps a deadline.
    finest_seconds: int = 1
    # It moves the deadline of a client that passes already. Otherwise time is granted anew after the end.
    extends: bool
    # It takes access back before the deadline. Otherwise a lease that it has runs to its end.
    revokes: bool
    # It keeps each client to its own rates.
    limits_rates: bool
    # It ends access after a volume of data.
    limits_volume: bool
    # It reports bytes and packets by client.
    accounts: bool
    # It reports how long each client has been silent.
    reports_presence: bool
    # It lets itself be heard although no guest does anything, so that its silence says something.
    is_heard: bool
    # An address behind it proves who asks, because nobody else can take that address: docs/adr/0005-who-asks.md.
    proves_addresses: bool = False
    # It translates its clients' addresses on the way to the portal too, which sees its `public_addresses` instead.
    translates_addresses: bool = False
    # What it tells of a client can be guessed or made up by somebody near it. Believed where access is free, and only
    # there: elsewhere it would open a stay in somebody else's name.
    landings_can_be_guessed: bool = False
    # It has each client's IPv4 packets leave from source ports of its own: sessions/port_blocks.py.
    assigns_ports: bool = False
    # It keeps a client to the destinations of its lease. Elsewhere a device that is so restricted is not let in.
    limits_destinations: bool = False
    # It sends a client's DNS to the resolver of its lease. Elsewhere a device that has one is not let in.
    chooses_resolvers: bool = False
    # It takes its access points off the air, and puts them on again, at the times that the portal names.
    switches_radio: bool = False

    def __post_init__(self) -> None:
        if not (self.ends_by_itself or self.revokes):
            raise ValueError("a gateway that neither ends access by itself nor takes it back can end none")
        if self.finest_seconds < 1 or self.learns_within_seconds < 1:
            raise ValueError("steps of time are whole seconds, at least one")

    @property
    def must_be_told_ends(self) -> bool:
        """Whether the portal ends access there at the deadline, or before the gateway's coarser time has run out."""
        return self.revokes and (not self.ends_by_itself or self.finest_seconds > 1)

    @property
    def lease_step_seconds(self) -> int:
        """Leases there last a whole multiple of this, so that the end on the page is the one that is kept."""
        return 1 if self.revokes else self.finest_seconds

    @property
    def lease_reach_seconds(self) -> int:
        """How much longer than whole steps a lease there lasts: it counts its steps from when it learns of the lease,
        and would count one less where that came a moment too late."""
        return self.learns_within_seconds if self.lease_step_seconds > 1 else 0


class InvalidOptions(ValueError):
    """Options of a gateway's record that its kind cannot have: `faults` has a sentence for each."""

    def __init__(self, faults: list[Sentence]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something that the operator sets at each record of a kind. No secret: those are made by the portal.

    `read` gives the one canonical form of a text, or raises ValueError with what to write instead. Without a `default`
    the operator must set it. `help` is one sentence.
    """

    name: str
    read: Callable[[str], str]
    help: Sentence
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of gateway. `name` is that of its folder; it stands in the database and never changes.

    `product` is what the operator calls it: a product's name, which is not translated.
    """

    name: str
    product: str
    capabilities: Capabilities
    options: tuple[Option, ...] = ()
    # For kinds that speak RADIUS, and for no other: it makes them callers of `portal.gateway_api.radius_calls`.
    radius: RadiusProfile | None = None
    # Values of options with which `landings_can_be_guessed` of a record, although not of the kind's others.
    guessed_where: tuple[tuple[str, str], ...] = ()

    def is_for_free_access_alone(self, options: Mapping[str, str]) -> bool:
        """Whether a record with these options may serve only networks where access is free."""
        return self.capabilities.landings_can_be_guessed or any(
            self.option(options, name) == value for name, value in self.guessed_where
        )

    def read_options(self, given: Mapping[str, str]) -> dict[str, str]:
        """The options as a record keeps them, without those left at their default. Raises `InvalidOptions`."""
        known = {option.name: option for option in self.options}
        faults = [
            Sentence("%(name)s has no option '%(option)s'", name=self.name, option=name[:40])
            for name in given
            if name not in known
        ]
        kept: dict[str, str] = {}
        for name, option in known.items():
            if name not in given:
                if option.default is None:
                    faults.append(Sentence("%(name)s must be set: %(help)s", name=name, help=option.help))
                continue
            try:
                kept[name] = option.read(given[name])
            except ValueError as error:
                faults.append(Sentence("%(name)s: %(fault)s", name=name, fault=reason_of(error)))
        if faults:
            raise InvalidOptions(faults)
        return {name: value for name, value in kept.items() if value != known[name].default}

    def option(self, options: Mapping[str, str], name: str) -> str:
        """The value of an option in these of a record, else its default. Raises KeyError for one it does not have."""
        if name in options:
            return options[name]
        default = next(option.default for option in self.options if option.name == name)
        if default is None:
            raise KeyError(name)
        return default
