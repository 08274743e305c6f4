"""The files that a document's creatives name, made anew. They lie beside it: no path leads out of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ads.media.captions import clean_captions
from ads.media.errors import LACKING, RefusedMedia
from ads.media.limits import MOST_BYTES, MOST_CAPTION_BYTES
from ads.media.preparing import PreparedVideo, prepare_picture, prepare_video
from ads.media.store import bounded_alt, bounded_transcripts
from sites.images.errors import RefusedImage
from sites.images.preparing import PreparedImage

T = TypeVar("T")


def read_picture(folder: Path | None, name: Any) -> PreparedImage:
    """Raises `ValueError`, in words, as the other functions here do."""
    file = _beside(folder, name)
    return _in_words(lambda: prepare_picture(_content(file, MOST_BYTES), file.name))


def read_video(folder: Path | None, name: Any) -> PreparedVideo:
    """A video without its captions."""
    file = _beside(folder, name)
    return _in_words(lambda: prepare_video(_content(file, MOST_BYTES), file.name, {}))


def read_captions(folder: Path | None, names: Any) -> dict[str, bytes]:
    """Captions by language."""
    if not isinstance(names, Mapping) or not names:
        raise ValueError('files by language, such as {"fr": "bread.fr.vtt"}')
    found = {}
    for code, name in names.items():
        try:
            found[code] = clean_captions(_content(_beside(folder, name), MOST_CAPTION_BYTES))
        except (ValueError, RefusedImage) as error:
            raise ValueError(f"{code}: {error}") from error
    return found


def faults_of(record: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit together in a creative: `record` as it is written, `found` what could be read of it."""
    named = [kind for kind in ("picture", "video") if kind in record]
    if len(named) == 2:
        yield "video: a picture or a video, not both"
    if "captions" in record and "video" not in record:
        yield "captions: there is no video"
    kind = found.get("kind")
    if named and kind is not None and kind != {"picture": "still"}.get(named[0], named[0]):
        yield f"kind: it is no {kind}, there is a {named[0]}"
    texts = found.get("texts", {})
    yield from _refusal(lambda: bounded_alt(_words(texts, "alt")))
    yield from _refusal(lambda: bounded_transcripts(_words(texts, "transcript")))
    if named:
        yield from _lacking(record, found, "texts", "alt", _words(texts, "alt"))
    if "video" in record:
        yield from _lacking(record, found, "texts", "transcript", _words(texts, "transcript"))
        if "captions" in found or "captions" not in record:
            yield from _lacking(record, found, "captions", "captions", found.get("captions", {}))
    for code in sorted(found.get("captions", {}).keys() - texts.keys()):
        yield f"captions: {code}: the message has no text in this language"


def _lacking(
    record: Mapping[str, Any], found: Mapping[str, Any], where: str, part: str, words: Mapping[str, Any]
) -> Iterator[str]:
    for code in found.get("texts", {}):
        if not words.get(code):
            yield f"{where}: {LACKING[part] % {'slug': record.get('slug', ''), 'language': code}}"


def _refusal(check: Callable[[], object]) -> Iterator[str]:
    try:
        _in_words(check)
    except ValueError as error:
        yield f"texts: {error}"


def _words(texts: Mapping[str, Mapping[str, str]], part: str) -> dict[str, str]:
    return {code: said[part] for code, said in texts.items() if part in said}


def _beside(folder: Path | None, name: Any) -> Path:
    if folder is None:
        raise ValueError("this document has no folder for files")
    if not isinstance(name, str) or not name:
        raise ValueError("the name of a file beside this one")
    try:
        file = (folder / name).resolve()
        is_file = file.is_file()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{name}: it cannot be read") from error
    if not file.is_relative_to(folder.resolve()):
        raise ValueError(f"{name}: it lies outside of the folder of this file")
    if not is_file:
        raise ValueError(f"{name}: there is no such file")
    return file


def _content(file: Path, most: int) -> bytes:
    """The file, or so much of it that it is seen to be too large."""
    try:
        with file.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise ValueError(f"{file.name}: it cannot be read") from error


def _in_words(make: Callable[[], T]) -> T:
    try:
        return make()
    except RefusedMedia as error:
        text, facts = error.why.text, error.why.facts
        raise ValueError(text % facts if facts else text) from error
