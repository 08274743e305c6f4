"""Files that no page may ever show: each is refused, early, with its own sentence."""

from __future__ import annotations

import resource

import pytest

from sites.images import preparing
from sites.images.errors import RefusedImage
from sites.images.preparing import prepare
from sites.images.shapes import LOGO, PHOTOGRAPH
from tests.sites.images import made

# What Pillow says of every JPEG and WebP that it opens.
OWN_WORDS = {
    *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"),
    *("loop", "background", "duration", "timestamp"),
}


@pytest.mark.parametrize("name", list(made.HOSTILE))
def test_it_is_refused_in_words(name: str) -> None:
    filename, content, words = made.HOSTILE[name]
    with pytest.raises(RefusedImage) as refusal:
        prepare(content if isinstance(content, bytes) else content(), filename, LOGO)
    assert words in refusal.value.reason
    assert refusal.value.reason.endswith(".")


def test_this_process_does_not_swell_with_a_bomb() -> None:
    """The greatest memory that this process ever had, in kB, before and after."""
    bomb = made.png_of_size(5000, 5000)
    assert len(bomb) < 50_000
    prepare(made.logo(), "a.png", LOGO)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    prepare(bomb, "a.png", LOGO)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_decoder_that_crashes_or_hangs_refuses_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = preparing.COMMAND
    for program, limit in (("import os; os.abort()", 30.0), ("while True: pass", 0.5)):
        monkeypatch.setattr(preparing, "COMMAND", [whole[0], "-c", program])
        monkeypatch.setattr(preparing, "LIMIT_SECONDS", limit)
        with pytest.raises(RefusedImage, match="too much memory or time"):
            prepare(made.photograph(), "a.jpg", PHOTOGRAPH)
    monkeypatch.undo()
    assert prepare(made.photograph(), "a.jpg", PHOTOGRAPH).files


def test_what_is_made_holds_nothing_of_the_file_but_its_pixels() -> None:
    """Neither the place where it was taken, nor who took it, nor a second picture."""
    picture = made.opened(made.photograph())
    exif = picture.getexif()
    exif[0x013B] = "Josiane Martin"
    exif[0x8825] = {1: "N", 2: (47.0, 14.0, 20.0)}
    content = made.saved(picture, "JPEG", exif=exif, comment=b"Josiane Martin") + b"Josiane Martin, behind it"
    prepared = prepare(content, "a.jpg", PHOTOGRAPH)
    for file in (*(one.content for one in prepared.files), prepared.placeholder):
        assert b"Josiane" not in file and b"Exif" not in file and b"ICC_PROFILE" not in file
        again = made.opened(file)
        assert not again.getexif()
        assert again.info.keys() <= OWN_WORDS
