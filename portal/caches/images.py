"""Files of pictures, remembered by name: what has a name never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from db.engine import SessionMaker, reading
from sites.images import store

MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SentImage:
    media_type: str
    content: bytes


@dataclass(slots=True)
class ImageCache:
    """The files asked for last, as many as `MOST_BYTES` hold."""

    make_session: SessionMaker
    _files: OrderedDict[str, SentImage] = field(default_factory=OrderedDict, init=False)
    _bytes: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def by_name(self, name: str) -> SentImage | None:
        with self._lock:
            if (known := self._files.get(name)) is not None:
                self._files.move_to_end(name)
                return known
        with reading(self.make_session) as db:
            row = store.find(db, name)
            found = None if row is None else SentImage(row.media_type, row.content)
        if found is not None:
            self._remember(name, found)
        return found

    def _remember(self, name: str, found: SentImage) -> None:
        with self._lock:
            if name not in self._files:
                self._files[name] = found
                self._bytes += len(found.content)
            while self._bytes > MOST_BYTES:
                _, oldest = self._files.popitem(last=False)
                self._bytes -= len(oldest.content)
