"""Who acts: made where a request, a command or a round of the sweep comes in, and handed to every service that writes
an entry of the audit log."""

from __future__ import annotations

import enum
from dataclasses import dataclass

# How entries name what is done on the machine itself.
_COMMAND_LINE = "command line"
_LONGEST_OPERATOR = 60


class ActorKind(enum.StrEnum):
    STAFF = "staff"
    TOKEN = "token"
    COMMAND_LINE = "command line"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is what entries keep: a login, "token:NAME", "command line" or "system".

    `networks` are the slugs that this actor works for; none means all.
    """

    kind: ActorKind
    name: str
    networks: frozenset[str] = frozenset()

    @property
    def only_network(self) -> str | None:
        """The one network that this actor works for; None where there are several, or all."""
        return next(iter(self.networks)) if len(self.networks) == 1 else None


def staff_member(login: str, networks: frozenset[str]) -> Actor:
    return Actor(ActorKind.STAFF, login, networks)


def api_token(name: str, networks: frozenset[str]) -> Actor:
    """The program with this token; its name is unique for ever."""
    return Actor(ActorKind.TOKEN, f"token:{name}", networks)


def command_line(operator: str = "") -> Actor:
    """Whoever sits at the machine; `operator` is their login or the name they gave, where it is known."""
    known = operator.strip()[:_LONGEST_OPERATOR]
    return Actor(ActorKind.COMMAND_LINE, f"{known} ({_COMMAND_LINE})" if known else _COMMAND_LINE)


def named(name: str) -> Actor:
    """The actor whose name an earlier entry or row has kept; what they work for is not kept."""
    if name == _COMMAND_LINE or name.endswith(f" ({_COMMAND_LINE})"):
        return Actor(ActorKind.COMMAND_LINE, name)
    return Actor(ActorKind.TOKEN if name.startswith("token:") else ActorKind.STAFF, name)


# The sweep, and what else the portal does by itself.
SYSTEM = Actor(ActorKind.SYSTEM, "system")
