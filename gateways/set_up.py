"""What an operator has to put into a gateway, and what the portal finds still missing there."""

from __future__ import annotations

from dataclasses import dataclass, replace

MASK = "********"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to paste: `where` is the file's path or the name of the screen on the box, as it is called there."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """Everything that a box needs from its portal. `secrets` are those of the texts in `lines` that are secret.

    `commands` do it all, where a box has a shell to paste them into; `MASK` stands where the gateway's credential goes.
    """

    lines: tuple[Lines, ...]
    secrets: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def commands_with(self, credential: str) -> tuple[str, ...]:
        return tuple(line.replace(MASK, credential) for line in self.commands)

    def masked(self) -> SetUp:
        """The same without its secrets, for whoever may see where things go and no more."""
        return replace(self, lines=tuple(replace(one, text=self._mask(one.text)) for one in self.lines))

    def _mask(self, text: str) -> str:
        # The longest first: one may begin like another.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a self-test found missing or wrong: its stable name, and facts that the words for it need."""

    name: str
    facts: tuple[tuple[str, str], ...] = ()
