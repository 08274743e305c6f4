"""The deeds of the audit trail, told in the reader's language. The trail itself keeps one word for each."""

from __future__ import annotations

from portal.i18n.translation import say


def deed_in_words(action: str) -> str:
    """What was done; a deed that has no words here is told as it is written."""
    words = _about_people() | _about_passes() | _about_privacy() | _about_the_log()
    return words.get(action, action)


def every_deed() -> list[tuple[str, str]]:
    """The deeds that can be looked for, each with its words, by their words."""
    words = _about_people() | _about_passes() | _about_privacy() | _about_the_log()
    return sorted(words.items(), key=lambda deed: deed[1].casefold())


def _about_people() -> dict[str, str]:
    return {
        "signed in": say("signed in"),
        "signed out": say("signed out"),
        "signed out everywhere": say("signed out everywhere"),
        "password changed": say("changed the password"),
        "recovery codes made": say("made recovery codes"),
        "account made": say("made an account"),
        "account set up": say("set the account up"),
        "account changed": say("changed an account"),
        "account reset": say("began an account anew"),
        "account disabled": say("disabled an account"),
        "account enabled": say("enabled an account"),
        "second person asked": say("asked for a second person"),
        "request granted": say("granted it as the second person"),
        "request refused": say("refused it as the second person"),
        "token made": say("made a token"),
        "token revoked": say("revoked a token"),
    }


def _about_passes() -> dict[str, str]:
    return {
        "passes issued": say("issued passes"),
        "codes heard again": say("let codes be tried again"),
        "slips printed": say("printed tickets"),
        "pass replaced": say("replaced a pass"),
        "pass voided": say("wrote a pass off"),
        "pass revoked": say("took a pass back"),
        "revocation undone": say("undid taking back"),
        "batch suspended": say("suspended a batch"),
        "batch resumed": say("resumed a batch"),
        "unused passes voided": say("wrote off what was left"),
        "batch revoked": say("took a batch back"),
        "books exported": say("exported the books"),
        "batch exported": say("exported a batch"),
    }


def _about_privacy() -> dict[str, str]:
    return {
        "requisitions listed": say("looked at the requisitions"),
        "requisition registered": say("registered a requisition"),
        "requisition opened": say("opened a requisition"),
        "requisition weighed": say("looked at how exact an answer would be"),
        "requisition being answered": say("began to answer a requisition"),
        "requisition answered": say("gave the package of a requisition"),
        "requisition closed": say("closed a requisition"),
        "basis changed": say("changed the list of legal bases"),
        "backup made": say("copied the database"),
        "database restored": say("put a backup in the database’s place"),
        "trail purged": say("purged the trail up to an entry"),
        "purged": say("purged what was past its term"),
        "purge refused": say("refused to purge"),
        "term changed": say("changed a term"),
        "shorter term asked": say("asked for a shorter term"),
        "shorter term confirmed": say("confirmed a shorter term"),
        "shorter term withdrawn": say("withdrew a shorter term"),
        "hold placed": say("placed a legal hold"),
        "hold confirmed": say("confirmed a legal hold"),
        "hold lift asked": say("asked to lift a legal hold"),
        "hold goes on": say("refused to lift a legal hold"),
        "hold lifted": say("lifted a legal hold"),
        "holds listed": say("looked at the legal holds"),
    }


def _about_the_log() -> dict[str, str]:
    return {
        "log listed": say("looked at the log"),
        "log searched": say("searched the log"),
        "session opened": say("opened a session"),
        "incident opened": say("opened an incident"),
        "unmasked": say("lifted masks"),
        "log exported": say("exported from the log"),
        "export written": say("was given the export"),
        "usage report made": say("took a usage report"),
        "session ended": say("ended a session"),
    }
