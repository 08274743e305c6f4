"""The one refusal of this folder."""

from __future__ import annotations

from sites.errors import SitesError


class RefusedImage(SitesError):
    """A file that is not taken as a picture: `reason` says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
