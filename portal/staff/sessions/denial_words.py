"""The rules that keep somebody outside, told to staff: what it is, what it means, what to tell the person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.i18n.translation import say
from sessions.log.denials import Rule, Step

Instant = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Told:
    """A rule in words."""

    name: str
    meaning: str
    advice: str


def rule_in_words(rule: str) -> Told:
    """The words for one word of `Rule`; a rule that has none is told as it is written."""
    try:
        known = Rule(rule)
    except ValueError:
        return Told(rule, "", "")
    return (_about_cards() | _about_passes() | _about_messages() | _about_who_asks() | _about_us())[known]


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
        Step.PAGE: say("on a page for everybody"),
    }
    return words.get(Step(step), step) if step in list(Step) else step


def knew_in_words(detail: dict[str, Any], tell: Instant) -> list[str]:
    """What the rule went by, as short sentences. `tell` says an instant."""
    told: list[str] = []
    if "until" in detail:
        told.append(say("Until %(time)s.", time=tell(datetime.fromisoformat(detail["until"]))))
    if "opens_at" in detail:
        told.append(say("Possible from %(time)s on.", time=tell(datetime.fromisoformat(detail["opens_at"]))))
    if "on" in detail:
        told.append(say("The card ended on %(day)s.", day=detail["on"]))
    if "missing" in detail:
        told.append(say("Characters missing: %(n)s.", n=detail["missing"]))
    if "surplus" in detail:
        told.append(say("Characters too many: %(n)s.", n=detail["surplus"]))
    if "position" in detail:
        told.append(say("A look-alike (0, O, 1, I, L) as character number %(n)s.", n=detail["position"]))
    if detail.get("fault") == "check symbol":
        told.append(say("One character is wrong or two are swapped: the check symbol does not agree."))
    if "refused" in detail:
        told.append(say("The gateway said: %(words)s", words=detail["refused"]))
    return told


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


def _about_cards() -> dict[Rule, Told]:
    return {
        Rule.WRONG_CREDENTIALS: Told(
            say("Card number or PIN wrong"),
            say("The library's directory knows no such card, or it knows it and the PIN was another one."),
            say(
                "Ask for the number printed on the card, and have the PIN set anew at the library's desk if in doubt."
            ),
        ),
        Rule.EXPIRED_CARD: Told(
            say("Card to be renewed"),
            say("Number and PIN were right; the card's own end is over."),
            say("The library's desk renews it in a minute. A day pass helps until then."),
        ),
        Rule.BLOCKED_CARD: Told(
            say("Card blocked"),
            say("Number and PIN were right; the library has blocked the card."),
            say("Only the library can say why and put it right. A day pass helps until then."),
        ),
        Rule.PASSWORD_TO_CHANGE: Told(
            say("PIN to be changed first"),
            say(
                "Number and PIN were right and the card is good; the library's directory wants a new PIN first."
            ),
            say(
                "They change it in their library account, or the library's desk sets a new one. A day pass helps "
                "until then."
            ),
        ),
        Rule.WRONG_PLACE: Told(
            say("Card not for this network"),
            say("Number and PIN were right; this group of patrons does not use this network."),
            say("Name the network that is theirs, or give a day pass."),
        ),
        Rule.DIRECTORY_AWAY: Told(
            say("Directory of cards away"),
            say(
                "The library's directory gave no answer in time. No card can be checked then, and no PIN is wrong."
            ),
            say("It is not their PIN. A day pass works meanwhile; tell the operator if it lasts."),
        ),
        Rule.TOO_MANY_ATTEMPTS: Told(
            say("Too many attempts"),
            say(
                "This device, this account or this place has used up its attempts; a quarter of an hour without any "
                "gives them back."
            ),
            say("Wait until the time given. Trying meanwhile does no harm and no good."),
        ),
    }


def _about_passes() -> dict[Rule, Told]:
    return {
        Rule.UNREADABLE_CODE: Told(
            say("Mistyped code"),
            say(
                "What was typed cannot be the code of a pass. Nothing was looked up, and it counts as no attempt."
            ),
            say("Compare with the ticket, group by group."),
        ),
        Rule.UNKNOWN_PASS: Told(
            say("Unknown pass"),
            say("The code is well formed, and nobody was ever given it."),
            say("Compare with the ticket; if it is the same, give another pass."),
        ),
        Rule.SPENT_PASS: Told(
            say("Pass is over"),
            say("The pass was used, and its time has ended."),
            say("Give another pass."),
        ),
        Rule.EXPIRED_PASS: Told(
            say("Pass never used in time"),
            say("The pass could be used until a day that is over, and was not."),
            say("Give another pass."),
        ),
        Rule.VOID_PASS: Told(
            say("Pass cancelled"),
            say("Somebody of the staff wrote this pass off, replaced it or took it back."),
            say("Look at the pass to see why, and give another one if that is right."),
        ),
        Rule.SUSPENDED_PASS: Told(
            say("Batch on hold"),
            say("The whole batch that this pass belongs to is suspended."),
            say("The code is right. Whoever suspended the batch can resume it."),
        ),
        Rule.FOREIGN_PASS: Told(
            say("Pass for another place"),
            say("The pass is good, and does not hold on this network or at this site."),
            say("Say where it holds, or give one that holds here."),
        ),
        Rule.PASS_IN_USE: Told(
            say("Pass in use on another device"),
            say("As many devices as the pass allows are online with it."),
            say("The page offers to move it: one tap, and no time is lost."),
        ),
    }


def _about_messages() -> dict[Rule, Told]:
    return {
        Rule.TOO_EARLY: Told(
            say("Button pressed too early"),
            say("The message has to stay for some seconds before it can be accepted."),
            say("Wait the seconds that the page says, then press the same button again."),
        ),
        Rule.NOT_DUE: Told(
            say("Renewed too early"),
            say("The device is online already, and can renew only in the last minutes."),
            say("Nothing is wrong: they are online."),
        ),
        Rule.SPENT_TICKET: Told(
            say("Counted already"),
            say("The same button was sent a second time; the first one counted."),
            say("Nothing is wrong: open the page of the connection."),
        ),
    }


def _about_who_asks() -> dict[Rule, Told]:
    return {
        Rule.EXPIRED_PAGE: Told(
            say("Page too old"),
            say("The page had been open for more than half an hour when its button was pressed."),
            say("Begin again with the button; nothing is lost."),
        ),
        Rule.FOREIGN_PAGE: Told(
            say("Page of another device"),
            say(
                "The link or page was made for another device than the one that sent it: a link that was passed on, "
                "an address that changed meanwhile, or somebody who tried."
            ),
            say("Switch the wifi off and on, and open the portal's page on the device itself."),
        ),
        Rule.FOREIGN_FORM: Told(
            say("Form from elsewhere"),
            say("The browser said that another site sent the form. Nothing was done."),
            say("Open the portal's page itself and begin again."),
        ),
        Rule.NOT_HERE: Told(
            say("Not behind a gateway of ours"),
            say(
                "No gateway has this device, as far as the portal can tell: mobile data, a VPN, or another network."
            ),
            say("Switch VPN and mobile data off, the wifi off and on, and open the portal's page again."),
        ),
        Rule.NOT_OFFERED: Told(
            say("Not offered on this network"),
            say("The device is on a network that does not take this way of signing in."),
            say("Name the network that takes it, or the way that this one takes."),
        ),
    }


def _about_us() -> dict[Rule, Told]:
    return {
        Rule.UNCONFIRMED: Told(
            say("Gateway has not confirmed"),
            say(
                "Access was granted, and the gateway had not said after five seconds that it lets the device through."
            ),
            say("The gateway is silent or slow: look at the gateways. It is not their device."),
        ),
        Rule.BUSY: Told(
            say("Portal busy"),
            say("The portal's database was away or busy for more than two seconds."),
            say("Try again in a few seconds. Tell the operator if it lasts."),
        ),
        Rule.FAULT: Told(
            say("Fault of ours"),
            say(
                "The portal met an error of its own; the operator finds it in the portal's log at this time."
            ),
            say("Try again. Tell the operator the code and the time."),
        ),
    }
