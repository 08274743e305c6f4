"""A good file becomes a picture in the sizes and formats that pages, paper and home screens need, and is kept."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sites import pictures
from sites.images import store
from sites.images.errors import RefusedImage
from sites.images.models import ImageFile
from sites.images.preparing import PreparedImage, prepare
from sites.images.shapes import LOGO, PHOTOGRAPH
from sites.import_export import NETWORKS, export_records
from sites.models import Network, Site
from tests.imports import import_records
from tests.sites.images import made

ALT = {"fr": "La place Battant", "en": "Battant square"}


@pytest.fixture(scope="module")
def photo() -> PreparedImage:
    return prepare(made.photograph(size=(3000, 2000)), "battant.JPG", PHOTOGRAPH)


@pytest.fixture(scope="module")
def mark() -> PreparedImage:
    return prepare(made.logo(), "armes.png", LOGO)


def test_a_photograph_comes_in_three_sizes_and_two_formats(photo: PreparedImage) -> None:
    sizes = [(one.media_type, one.width, one.height) for one in photo.files]
    widths = ((480, 320), (960, 640), (1600, 1067))
    assert sizes == [(f"image/{kind}", *size) for size in widths for kind in ("webp", "jpeg")]
    for one, most in zip(photo.files, (45_000, 45_000, 120_000, 120_000, 300_000, 300_000), strict=True):
        assert len(one.content) <= most
        assert made.opened(one.content).size == (one.width, one.height)
    assert len(photo.placeholder) < 400


def test_a_small_photograph_is_not_enlarged() -> None:
    found = prepare(made.photograph(size=(700, 400)), "a.jpg", PHOTOGRAPH)
    assert [one.width for one in found.files] == [480, 480, 700, 700]


@pytest.mark.parametrize(("size", "wanted"), [((2400, 600), (480, 160)), ((800, 1600), (480, 480))])
def test_what_no_page_has_room_for_is_cut(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    found = prepare(made.photograph(size=size), "a.jpg", PHOTOGRAPH)
    assert (found.files[0].width, found.files[0].height) == wanted


def test_a_photograph_taken_upright_stands_upright() -> None:
    """EXIF orientation 6: the camera was turned by a quarter."""
    lying = made.opened(made.photograph(size=(1600, 1400)))
    exif = lying.getexif()
    exif[0x0112] = 6
    found = prepare(made.saved(lying, "JPEG", exif=exif), "a.jpg", PHOTOGRAPH)
    # It is higher than a page has room for, and is cut to a square; lying, it would be 480 x 420.
    assert (found.files[0].width, found.files[0].height) == (480, 480)


def test_other_colour_spaces_become_that_of_every_screen() -> None:
    """A profile that swaps red and blue shows whether it was followed."""
    red = Image.new("RGB", (800, 600), (200, 30, 30))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    broken = prepare(made.saved(red, "JPEG", icc_profile=profile.tobytes()), "a.jpg", PHOTOGRAPH)
    assert made.opened(broken.files[0].content).convert("RGB").getpixel((9, 9))[0] > 150  # type: ignore[index]
    printed = Image.new("CMYK", (800, 600), (0, 255, 255, 0))
    found = prepare(made.saved(printed, "JPEG"), "a.jpg", PHOTOGRAPH)
    r, g, b = made.opened(found.files[1].content).convert("RGB").getpixel((9, 9))  # type: ignore[misc]
    assert r > 200 and g < 60 and b < 60


def test_a_logo_keeps_what_is_clear_on_pages_and_is_white_on_home_screens(mark: PreparedImage) -> None:
    pages = [one for one in mark.files if one.use == "page"]
    assert [(one.media_type, one.height) for one in pages] == [
        *(("image/webp", 56), ("image/png", 56), ("image/webp", 112), ("image/png", 112)),
    ]
    assert all(made.opened(one.content).convert("RGBA").getpixel((0, 0))[3] == 0 for one in pages)  # type: ignore[index]
    icons = [one for one in mark.files if one.use == "icon"]
    assert [(one.width, one.height) for one in icons] == [(192, 192), (512, 512)]
    for one in icons:
        drawn = made.opened(one.content).convert("RGB")
        assert drawn.getpixel((2, 2)) == (255, 255, 255)
        assert drawn.getpixel((one.width // 2, one.width // 2)) != (255, 255, 255)
    (tab,) = [one for one in mark.files if one.use == "favicon"]
    assert (tab.width, tab.height, tab.media_type) == (48, 48, "image/png")


def test_a_picture_is_kept_replaced_and_taken_away(
    db: Session, wifilib: Network, station: Site, photo: PreparedImage, mark: PreparedImage
) -> None:
    pictures.set_logo(db, wifilib, mark, alt=ALT)
    pictures.set_photograph(db, station, photo, alt=ALT)
    db.commit()
    db.expire_all()
    shown = pictures.photograph(station)
    assert shown is not None and shown.alt == ALT and len(shown.of_use("page")) == 6
    before = {one.name for one in shown.files}
    for one in shown.files:
        row = store.find(db, one.name)
        assert row is not None and made.opened(row.content).size == (one.width, one.height)
    other = prepare(made.photograph(size=(900, 700)), "b.jpg", PHOTOGRAPH)
    pictures.set_photograph(db, station, other, alt=ALT)
    after = pictures.photograph(station)
    assert after is not None and before.isdisjoint(one.name for one in after.files)
    assert all(store.find(db, name) is None for name in before)
    pictures.remove_photograph(db, station)
    pictures.remove_logo(db, wifilib)
    db.flush()
    assert db.scalar(select(func.count()).select_from(ImageFile)) == 0
    assert pictures.photograph(station) is None and pictures.network_mark(wifilib) is None
    assert "logo" not in wifilib.look


def test_the_same_logo_of_two_networks_is_two_pictures(
    db: Session, wifilib: Network, bibliotheques: Network, mark: PreparedImage
) -> None:
    pictures.set_logo(db, wifilib, mark, alt=ALT)
    pictures.set_logo(db, bibliotheques, mark, alt=ALT)
    pictures.remove_logo(db, wifilib)
    kept = pictures.network_mark(bibliotheques)
    assert kept is not None and all(store.find(db, one.name) for one in kept.files)


@pytest.mark.parametrize("alt", [{}, {"fr": "  "}])
def test_a_picture_without_words_is_not_taken(
    db: Session, station: Site, photo: PreparedImage, alt: dict[str, str]
) -> None:
    with pytest.raises(RefusedImage, match="for those who do not see it"):
        pictures.set_photograph(db, station, photo, alt=alt)


def test_an_import_leaves_the_logo_where_it_is(db: Session, wifilib: Network, mark: PreparedImage) -> None:
    pictures.set_logo(db, wifilib, mark, alt=ALT)
    db.flush()
    import_records(db, NETWORKS, export_records(db, NETWORKS))
    import_records(db, NETWORKS, b"slug,accent\nwifilib,#7a1f5c\n")
    assert pictures.network_mark(wifilib) is not None and wifilib.look["accent"] == "#7a1f5c"


def test_a_profile_is_read_without_leaving_it() -> None:
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = prepare(made.photograph("PNG", icc_profile=wide), "a.png", PHOTOGRAPH)
    assert all("icc_profile" not in Image.open(io.BytesIO(one.content)).info for one in found.files)
