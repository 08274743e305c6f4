"""The few words that every ticket carries, by language. They are the visitor's, not the desk's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`join` and `redeem` stand at the two codes; `by_hand` says how to do without a camera."""

    wifi: str
    join: str
    redeem: str
    by_hand: str


WORDS = {
    "fr": Words(
        wifi="Wifi",
        join="Rejoindre le wifi",
        redeem="Ouvrir votre pass",
        by_hand="Sans appareil photo : choisissez le wifi {ssid}, ouvrez {address} et tapez le code.",
    ),
    "en": Words(
        wifi="Wifi",
        join="Join the wifi",
        redeem="Open your pass",
        by_hand="Without a camera: choose the wifi {ssid}, open {address} and type the code.",
    ),
    "de": Words(
        wifi="WLAN",
        join="WLAN beitreten",
        redeem="Pass öffnen",
        by_hand="Ohne Kamera: WLAN {ssid} wählen, {address} öffnen und den Code eintippen.",
    ),
}


def words(language: str) -> Words:
    """The words of this language, or the English ones where we have none."""
    return WORDS.get(language, WORDS["en"])
