"""A picture decoded, and made anew in the sizes that its use needs. Runs in the worker; the one home of Pillow.

Nothing of the file goes into what is made but its pixels: no metadata, no profile, no text, no second picture.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageFilter, ImageOps, UnidentifiedImageError

from sites.images.errors import N_, RefusedImage
from sites.images.shapes import LONGEST_SIDE, MOST_PIXELS, ImageShape, Rendition

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
# Tried in this order until the file is small enough.
QUALITIES = (78, 68, 58, 46, 34)
# How much of an icon's side the picture takes. A system may cut that of a home screen round (W3C manifest, "maskable").
SHARE_OF_ICON = {"icon": 0.6, "favicon": 0.94}
# AVIF looks as good at a lower number.
AVIF_LESS = 15
# What is still too large then is noise: it is blurred, each time as much more.
BLUR_PIXELS, MOST_BLUR = 1.5, 12.0


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """One file that was made."""

    use: str
    media_type: str
    width: int
    height: int
    content: bytes


def draw(content: bytes, form: str, shape: ImageShape) -> tuple[list[DrawnImage], bytes]:
    """The files of this shape, and the placeholder where it has one. Raises `RefusedImage`."""
    # Pixels are counted in `_check_head`, which says so in words.
    Image.MAX_IMAGE_PIXELS = None
    picture = _decoded(content, form, shape)
    placeholder = b""
    if shape.placeholder_width:
        small = _fitted(picture, shape.placeholder_width, shape.placeholder_width)
        placeholder = _encoded(small, "WEBP", 30)
    return list(_files(picture, shape)), placeholder


def _decoded(content: bytes, form: str, shape: ImageShape) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as opened:
            _check_head(opened, shape)
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            picture = _in_srgb(upright)
    except RefusedImage:
        raise
    except UnidentifiedImageError as error:
        raise RefusedImage(
            N_("The file begins like a %(form)s and is none: save the picture anew from an image program."),
            form=form,
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        if "truncated" in str(error):
            words = N_(
                "The %(form)s is cut off: copy it again, or save the picture anew from an image program."
            )
        else:
            words = N_(
                "The %(form)s cannot be decoded: copy it again, or save the picture anew from an image program."
            )
        raise RefusedImage(words, form=form) from error
    return _cut(picture.convert("RGBA" if shape.has_transparency else "RGB"), shape)


def _check_head(opened: Image.Image, shape: ImageShape) -> None:
    """By the header alone: nothing is decoded yet."""
    width, height = opened.size
    if getattr(opened, "is_animated", False):
        raise RefusedImage(N_("The file is an animation: take a still picture."))
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise RefusedImage(
            N_(
                "The picture has %(width)s × %(height)s pixels; at most %(most)s million are taken, and %(side)s on a "
                "side: save it smaller."
            ),
            width=width,
            height=height,
            most=MOST_PIXELS // 1_000_000,
            side=LONGEST_SIDE,
        )
    # A photograph may lie on its side.
    if max(width, height) < shape.least_width or min(width, height) < shape.least_height:
        raise RefusedImage(
            N_(
                "The picture has %(width)s × %(height)s pixels and needs %(least_width)s × %(least_height)s or more: "
                "take a larger one."
            ),
            width=width,
            height=height,
            least_width=shape.least_width,
            least_height=shape.least_height,
        )


def _in_srgb(picture: Image.Image) -> Image.Image:
    """In the colours that every screen knows; without a profile, or with a broken one, as it is."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return turned or picture


def _cut(picture: Image.Image, shape: ImageShape) -> Image.Image:
    """The middle of a picture whose proportions no page has room for."""
    width, height = picture.size
    if width > height * shape.widest:
        return ImageOps.fit(picture, (round(height * shape.widest), height))
    if height > width * shape.highest:
        return ImageOps.fit(picture, (width, round(width * shape.highest)))
    return picture


def _files(picture: Image.Image, shape: ImageShape) -> Iterator[DrawnImage]:
    sizes: set[tuple[str, tuple[int, int]]] = set()
    for wanted in shape.renditions:
        share = SHARE_OF_ICON.get(wanted.use)
        drawn = _icon(picture, wanted, share) if share else _fitted(picture, wanted.width, wanted.height)
        if (wanted.use, drawn.size) in sizes:
            # The original is smaller than this size: it is there already.
            continue
        sizes.add((wanted.use, drawn.size))
        for form in wanted.formats:
            content = _small_enough(drawn, form, wanted.most_bytes)
            yield DrawnImage(wanted.use, MEDIA_TYPES[form], *drawn.size, content)


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    share = min(width / picture.width, height / picture.height, 1.0)
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _icon(picture: Image.Image, wanted: Rendition, share: float) -> Image.Image:
    """A square on white, the picture in its middle as large as `share` of the side."""
    ground = Image.new("RGB", (wanted.width, wanted.height), "white")
    inner = ImageOps.contain(picture, (round(wanted.width * share), round(wanted.height * share)))
    corner = (wanted.width - inner.width) // 2, (wanted.height - inner.height) // 2
    ground.paste(inner, corner, inner if inner.mode == "RGBA" else None)
    return ground


def _small_enough(picture: Image.Image, form: str, most_bytes: int) -> bytes:
    content = b""
    for quality in QUALITIES:
        content = _encoded(picture, form, quality)
        if len(content) <= most_bytes:
            return content
    if form == "PNG":
        # A photograph handed in as a logo: fewer colours.
        return _encoded(picture.quantize(64), form, 0)
    radius = BLUR_PIXELS
    while len(content) > most_bytes and radius <= MOST_BLUR:
        content = _encoded(picture.filter(ImageFilter.GaussianBlur(radius)), form, QUALITIES[-1])
        radius *= 2
    return content


def _encoded(picture: Image.Image, form: str, quality: int) -> bytes:
    # Without what the file said about itself; only pixels are copied.
    clean = picture.copy()
    clean.info = {}
    out = io.BytesIO()
    match form:
        case "JPEG":
            clean.save(
                out, "JPEG", quality=quality, optimize=True, progressive=True, exif=b"", icc_profile=None
            )
        case "WEBP":
            clean.save(out, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"")
        case "AVIF":
            clean.save(
                out, "AVIF", quality=quality - AVIF_LESS, speed=6, max_threads=1, exif=b"", icc_profile=b""
            )
        case _:
            clean.save(out, "PNG", optimize=True)
    return out.getvalue()
