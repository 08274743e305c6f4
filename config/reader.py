"""Reads settings one by one from the environment, remembers which were asked for, and collects what is wrong."""

from __future__ import annotations

import enum
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

PREFIX = "AROBASE_"
LONGEST_FILE = 64 * 1024
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Value = TypeVar("Value")
Word = TypeVar("Word", bound=enum.StrEnum)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class SettingsError(Exception):
    """The environment does not describe an installation. `faults` holds one sentence for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Secret:
    """A secret value that shows itself to nobody: `repr` and tracebacks print ``Secret('***')``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __bool__(self) -> bool:
        return bool(self._value)


class Reader:
    """Every method takes a name without the prefix, gives a value of its type, and never raises for a wrong one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        self._known: set[str] = set()
        self.faults: list[str] = []

    def has_any(self, prefix: str) -> bool:
        return any(name.startswith(PREFIX + prefix) for name in self._environ)

    def finish(self) -> None:
        """Raises `SettingsError` if anything was wrong, names that nobody asked for included."""
        for name in sorted(set(self._environ) - self._known):
            self.faults.append(f"{name} is not a setting of Arobase. See docs/settings.md for the list.")
        if self.faults:
            raise SettingsError(self.faults)

    def fault(self, name: str, reason: str) -> None:
        self.faults.append(f"{PREFIX}{name} {reason}")

    def optional(self, name: str) -> str | None:
        """One line of text without the blanks around it; None where it is empty."""
        value = (self._raw(name) or "").strip()
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
            self.fault(name, "holds a line break, a control character or bytes that are not UTF-8.")
            return None
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            self.fault(name, f"stands in quotation marks: write {value[1:-1]} without them.")
            return None
        return value or None

    def text(self, name: str, default: str = "", *, longest: int = 200) -> str:
        value = self.optional(name) or default
        if len(value) > longest:
            self.fault(name, f"is {len(value)} characters long; at most {longest} fit on a page.")
        return value

    def parsed(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """What `read` makes of it; it raises ValueError with words that go on after the setting's name."""
        text = self.optional(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            self.fault(name, f"{error}.")
            return None

    def required(self, name: str, read: Callable[[str], Value]) -> Value | None:
        before = len(self.faults)
        value = self.parsed(name, read)
        if value is None and len(self.faults) == before:
            self.fault(name, "is missing.")
        return value

    def secret(self, name: str, *, strip: bool) -> Secret | None:
        """From the environment, or from the file that NAME_FILE names. `strip` takes the blanks around it away; of a
        file the line break at its end goes in any case.
        """
        value, path = self._raw(name), self.parsed(name + "_FILE", Path)
        if value and path:
            self.fault(name, f"and {PREFIX}{name}_FILE are both set: keep one.")
        if path:
            value = self._secret_in(name + "_FILE", path)
        value = value.strip() if value and strip else value
        if value and any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
            where = name + "_FILE" if path else name
            self.fault(where, "holds more than one line, a control character or bytes that are not UTF-8.")
            return None
        return Secret(value) if value else None

    def _secret_in(self, name: str, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                content = file.read(LONGEST_FILE)
            text = content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
        except UnicodeDecodeError:
            self.fault(name, f"names a file that is not text in UTF-8: {path}.")
            return None
        except OSError as error:
            self.fault(name, f"names a file that cannot be read: {path}: {error.strerror}.")
            return None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text.strip():
            self.fault(name, f"names an empty file: {path}.")
            return None
        return text

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            self.fault(name, f"must be true or false, not {value!r}.")
        return value.lower() == "true"

    def word(self, name: str, kind: type[Word], default: Word) -> Word:
        text = self.optional(name)
        if text is not None and text not in list(kind):
            self.fault(name, f"must be one of {', '.join(kind)}, not {text!r}.")
            return default
        return kind(text) if text is not None else default

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        value = self.optional(name)
        if value is None:
            return default
        if not _NUMBER.fullmatch(value) or not least <= float(value) <= most:
            self.fault(name, f"must be a number from {least:g} to {most:g}, not {value!r}.")
            return default
        return float(value)

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdecimal() or not least <= int(value[:9]) <= most:
            self.fault(name, f"must be a whole number from {least} to {most}, not {value!r}.")
            return default
        return int(value)

    def networks(self, name: str, default: tuple[str, ...]) -> tuple[IpNetwork, ...]:
        value = self.optional(name)
        parts = [part.strip() for part in value.split(",")] if value else list(default)
        found: list[IpNetwork] = []
        for part in filter(None, parts):
            try:
                found.append(_network(part))
            except ValueError as error:
                self.fault(name, f"holds {part!r}, which {error}.")
        return tuple(found)

    def _raw(self, name: str) -> str | None:
        self._known.add(PREFIX + name)
        return self._environ.get(PREFIX + name) or None


def whole_path(text: str) -> Path:
    """A path from the root, so that it means the same wherever a command is started."""
    path = Path(text)
    if not path.is_absolute():
        raise ValueError(f"must be a path from the root, as in /etc/arobase/{path.name}, not {text!r}")
    return path


def _network(text: str) -> IpNetwork:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        try:
            whole = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(
                "is not an address or network such as 10.0.0.0/24; several stand with commas between"
            ) from None
        raise ValueError(
            f"is an address inside a network: write {whole}, or the address without /…"
        ) from None
    if network.prefixlen == 0:
        raise ValueError("is everybody: name the addresses of your own machines")
    return network
