"""The kinds of gateways there are: each folder beside this file that has a ``kind.py`` with a ``KIND``."""

from __future__ import annotations

import functools
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType

import gateways
from gateways.kinds import Capabilities, Kind
from gateways.sentences import Sentence


class UnknownKind(ValueError):
    """This version knows no kind of gateway of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Sentence("'%(text)s' is none of %(words)s", text=name[:40], words=", ".join(kinds()))
        )
        self.name = name


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name, in order of the alphabet. Raises LookupError for a folder whose kind has another name."""
    found: dict[str, Kind] = {}
    for folder in sorted(each.name for each in pkgutil.iter_modules(gateways.__path__) if each.ispkg):
        if importlib.util.find_spec(f"gateways.{folder}.kind") is None:
            continue
        declared: Kind = importlib.import_module(f"gateways.{folder}.kind").KIND
        if declared.name != folder:
            raise LookupError(f"gateways/{folder}/kind.py declares the kind {declared.name!r}")
        found[folder] = declared
    return MappingProxyType(found)


def kind_of(name: str) -> Kind:
    """The kind of this name. Raises `UnknownKind`."""
    try:
        return kinds()[name]
    except KeyError as error:
        raise UnknownKind(name) from error


def names(which: Callable[[Capabilities], bool]) -> list[str]:
    """The names of the kinds of whose capabilities `which` holds: for statements that choose gateways."""
    return [kind.name for kind in kinds().values() if which(kind.capabilities)]
