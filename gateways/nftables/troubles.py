"""What is wrong with this gateway now: logged once when it begins and once when it ends, and reported to the portal.

A trouble is a short code that the portal has words for, and at most a few names that help to find it.
docs/gateway-nftables-protocol.md lists the codes.
"""

from __future__ import annotations

import logging
import re

from gateways.faults import LONGEST_DETAIL, FaultCode

# What the portal takes: names of interfaces, tables and files, and the system's own words.
_ODD = re.compile(r"[^ -~]")
log = logging.getLogger(__name__)


class Troubles:
    """All troubles that last, by code."""

    def __init__(self) -> None:
        self._details: dict[FaultCode, str] = {}
        # Whether everything was looked at once: before that, nothing may be called well.
        self.is_whole = False

    def note(self, code: FaultCode, detail: str | None, words: str) -> None:
        """The trouble `code` lasts when `detail` is a text, and is over when it is None. `words` are for the log."""
        before = self._details.get(code)
        if detail is None:
            if before is not None:
                del self._details[code]
                log.warning("over: %s", words)
            return
        detail = _ODD.sub("?", detail)[:LONGEST_DETAIL]
        if before is None:
            log.error("%s%s", words, f" ({detail})" if detail else "")
        self._details[code] = detail

    def rows(self) -> list[dict[str, str]]:
        """The report's `faults`."""
        return [{"code": code, "detail": detail} for code, detail in sorted(self._details.items())]
