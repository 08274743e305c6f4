"""The configuration's prefixes and uplinks as nft writes them. Pure text."""

from __future__ import annotations

from gateways.nftables.configuration import Configuration


def uplinks(configuration: Configuration) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in configuration.uplinks) + " }"


def prefixes_by_family(configuration: Configuration) -> list[tuple[str, str]]:
    """The client prefixes by the family's word in nft, families without one left out."""
    found = []
    for family, version in (("ip", 4), ("ip6", 6)):
        prefixes = ", ".join(str(each) for each in configuration.client_prefixes if each.version == version)
        if prefixes:
            found.append((family, prefixes))
    return found
