"""Fixed devices in words."""

from __future__ import annotations

from datetime import timedelta

from auth.fixed_devices.models import DeviceKind, DeviceState
from portal.i18n.translation import say, say_number


def device_kind_in_words(kind: DeviceKind) -> str:
    return {
        DeviceKind.CAMERA: say("camera"),
        DeviceKind.SHOP: say("connection of a shop"),
        DeviceKind.SENSOR: say("sensor"),
        DeviceKind.OTHER: say("other device"),
    }[kind]


def device_state_in_words(state: DeviceState) -> str:
    return {
        DeviceState.ACTIVE: say("in use"),
        DeviceState.SUSPENDED: say("off for a while"),
        DeviceState.RETIRED: say("off for good"),
    }[state]


def length_in_words(length: timedelta) -> str:
    """A length of time as people say it: minutes below two hours, then hours."""
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 120:
        return say_number("%(n)s minute", "%(n)s minutes", minutes)
    return say_number("%(n)s hour", "%(n)s hours", round(minutes / 60))
