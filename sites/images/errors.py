"""The one refusal of this folder."""

from __future__ import annotations

from sites.errors import SitesError


def N_(message: str) -> str:
    """Mark a text for the catalogues (a no-op, as in gettext): pages translate it, commands say it as it is."""
    return message


class RefusedImage(SitesError):
    """A file that is not taken as a picture: `reason` says why and what to do.

    It is `text` with its ``%(name)s`` filled in by `facts`; a fact that is a text of its own is marked with `N_` too.
    """

    def __init__(self, text: str, **facts: str | int) -> None:
        self.text, self.facts = text, facts
        self.reason = text % facts if facts else text
        super().__init__(self.reason)
