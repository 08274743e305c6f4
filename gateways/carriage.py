"""What a guest's browser carries to a gateway that takes nobody's word but a browser's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Carriage:
    """A request for the browser to make: with GET by a redirect, with POST by a form.

    `url` is of the gateway's own host, which the kind has made sure of.
    """

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    method: Literal["GET", "POST"] = "GET"

    @property
    def address(self) -> str:
        """Where a GET goes: the URL with the fields in its query."""
        if not self.fields:
            return self.url
        return f"{self.url}{'&' if urlsplit(self.url).query else '?'}{urlencode(self.fields)}"

    @property
    def origin(self) -> str:
        """The gateway's origin, as a Content-Security-Policy names it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"
