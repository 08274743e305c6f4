"""Interpretation of LDAP answers: pure functions from raw values and result codes to our own types."""

from __future__ import annotations

import enum
import re
import uuid
from datetime import UTC, date, datetime, timedelta

Values = tuple[bytes, ...]

_EPOCH = date(1970, 1, 1)
_AD_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_AD_NEVER = (0, 0x7FFFFFFFFFFFFFFF)
_AD_DISABLED = 0x0002
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{2}(?:\d{2})?)?)?")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NUMBER = re.compile(r"-?\d{1,19}")
_NO_WORDS = frozenset({"", "false", "no", "0", "n", "non", "off"})

# Active Directory puts the true reason of a refused bind in its message: "… data 533, v2580".
_AD_DATA = re.compile(r"\bdata ([0-9a-f]{3})\b")
# Those it only gives to somebody who knew the password: hours, workstation, expired password, disabled
# account, expired account, must change. 525 (no such account), 52e (wrong) and 775 (locked) prove nothing.
_AD_PROVEN = {
    "530": "blocked",
    "531": "blocked",
    "532": "to change",
    "533": "blocked",
    "701": "expired",
    "773": "to change",
}
_POLICY_PASSWORD_EXPIRED, _POLICY_CHANGE_AFTER_RESET = 0, 2

_SUCCESS = 0
# Wrong, or no password to be right about: constraintViolation (how some say "locked"), noSuchObject,
# invalidDNSyntax, inappropriateAuthentication, invalidCredentials, insufficientAccessRights,
# unwillingToPerform.
_WRONG = frozenset({19, 32, 34, 48, 49, 50, 53})


class UnreadableAttribute(ValueError):
    """An attribute does not hold what the settings say. The text names the attribute, never its value."""


class BindResult(enum.StrEnum):
    """The result of a bind: the secret, and the state of the account."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    # The card is good; only its password has to be another one.
    TO_CHANGE = "to change"
    UNKNOWN = "unknown"


def judge_bind(code: int, message: str, policy: int | None) -> BindResult:
    """Read a bind's answer. Only what proves that the secret was right may say more than `WRONG`.

    OpenLDAP's password policy reports an expired or reset password only after it has compared it; its
    "locked" comes before, and so proves nothing. While it grants grace logins, an expired password is right.
    """
    if code == _SUCCESS:
        return BindResult.TO_CHANGE if policy == _POLICY_CHANGE_AFTER_RESET else BindResult.RIGHT
    if code not in _WRONG:
        return BindResult.UNKNOWN
    if policy == _POLICY_PASSWORD_EXPIRED:
        return BindResult.TO_CHANGE
    data_code = _AD_DATA.search(message)
    return BindResult(_AD_PROVEN.get(data_code.group(1), "wrong")) if data_code else BindResult.WRONG


def read_id(attribute: str, values: Values) -> str:
    """The stable id as text; Active Directory's objectGUID as a UUID, other octets in hex.

    Raises `UnreadableAttribute` unless there is exactly one value.
    """
    if len(values) != 1 or not values[0]:
        raise UnreadableAttribute(f"the entry has {len(values)} values of {attribute}, not one")
    if attribute.lower() in ("objectguid", "guid") and len(values[0]) == 16:
        return str(uuid.UUID(bytes_le=values[0]))
    try:
        return values[0].decode()
    except UnicodeDecodeError:
        return values[0].hex()


def read_text(values: Values) -> str | None:
    """The first value in alphabetical order, because a directory gives several in any order."""
    texts = sorted(value.decode(errors="replace").strip() for value in values)
    return next((text for text in texts if text), None)


def read_expiry(attribute: str, values: Values) -> date | None:
    """The last day of validity, or None for no end. Raises `UnreadableAttribute`.

    - ``shadowExpire`` counts days since 1970 and names the first day that is over (shadow(5));
    - ``accountExpires`` counts 100 ns since 1601 and names the first instant that is over; 0 and 2**63-1
      mean never;
    - a generalizedTime (RFC 4517 section 3.3.13) or a date names the last day itself, as librarians write it.
    """
    text = read_text(values)
    if text is None:
        return None
    try:
        if attribute.lower() == "shadowexpire":
            days = int(text)
            return None if days < 0 else _EPOCH + timedelta(days=days - 1)
        if attribute.lower() == "accountexpires":
            return _read_ad_time(int(text))
        return _read_day(text)
    except (ValueError, OverflowError):
        raise UnreadableAttribute(f"{attribute} holds no date in a form that is known") from None


def _read_ad_time(ticks: int) -> date | None:
    if ticks in _AD_NEVER:
        return None
    return (_AD_EPOCH + timedelta(microseconds=(ticks - 1) // 10)).date()


def _read_day(text: str) -> date | None:
    if match := _DAY.fullmatch(text):
        return date(*(int(part) for part in match.groups()))
    if match := _TIME.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if _NUMBER.fullmatch(text):
        # A number under another name: 100 ns ticks are many digits long, days are few.
        number = int(text)
        if len(text) > 8:
            return _read_ad_time(number)
        return None if number < 0 else _EPOCH + timedelta(days=number - 1)
    raise ValueError


def read_lock(attribute: str, values: Values) -> bool:
    """Whether the account is locked. Raises `UnreadableAttribute`.

    ``userAccountControl`` is a bit field of Active Directory; any other attribute locks when it is there
    and does not say no: a boolean, or a time such as ``pwdAccountLockedTime``.
    """
    text = read_text(values)
    if text is None:
        return False
    if attribute.lower() == "useraccountcontrol":
        if not _NUMBER.fullmatch(text):
            raise UnreadableAttribute(f"{attribute} holds no number")
        return bool(int(text) & _AD_DISABLED)
    return text.lower() not in _NO_WORDS
