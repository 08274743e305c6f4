"""Where on the way in something was denied, and on what kind of device, in words for staff."""

from __future__ import annotations

from typing import Any

from portal.i18n.translation import say
from sessions.log.denials import Step


def step_in_words(step: str) -> str:
    words = {
        Step.LANDING: say("on the first page"),
        Step.SIGNIN: say("signing in with a card"),
        Step.PASS: say("using a pass"),
        Step.PAUSE: say("accepting the message"),
        Step.OPENING: say("waiting for the gateway"),
        Step.STATUS: say("on the page of the connection"),
        Step.LEAVE: say("leaving"),
        Step.RESUME: say("carrying on under a new address"),
        Step.JOIN: say("joining the encrypted network"),
        Step.PROFILE: say("taking a profile for the encrypted network"),
        Step.PAGE: say("on a page for everybody"),
    }
    return words.get(Step(step), step) if step in list(Step) else step


def device_in_words(detail: dict[str, Any]) -> str:
    """The kind of device, as its owner would name it; empty where it did not say."""
    return {
        "iphone": say("iPhone"),
        "ipad": say("iPad"),
        "android": say("Android device"),
        "windows": say("Windows computer"),
        "mac": say("Mac"),
        "linux": say("Linux computer"),
    }.get(str(detail.get("device")), "")
