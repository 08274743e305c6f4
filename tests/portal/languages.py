"""The languages that there are catalogues for: all, and those that staff pages speak too."""

from __future__ import annotations

from portal.i18n.catalogues import available, is_whole

LANGUAGES = tuple(sorted(available()))
WHOLE = tuple(code for code in LANGUAGES if is_whole(code))
