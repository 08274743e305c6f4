"""Videos for these tests, made here with ffmpeg: good ones, and every kind of bad one."""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

SCRIPT = b"<script>alert(1)</script>"
CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:01.500\nLe four s\xe2\x80\x99allume.\n"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


@functools.cache
def video(
    name: str = "a.mp4",
    *options: str,
    size: str = "320x240",
    seconds: float = 1,
    rate: int = 10,
    sound: bool = False,
) -> bytes:
    """Moving colours, encoded as these options of ffmpeg say."""
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:d={seconds}:r={rate}")
    heard = ("-f", "lavfi", "-i", f"sine=d={seconds}", "-c:a", "aac") if sound else ()
    return _ffmpeg(name, *source, *heard, *(options or H264))


def _ffmpeg(name: str, *arguments: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments, str(path)], check=True)
        return path.read_bytes()


def probed(content: bytes) -> str:
    """What ffprobe says of streams, tags and chapters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.mp4"
        path.write_bytes(content)
        command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", str(path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def with_reference(kind: bytes, place: bytes) -> bytes:
    """A film whose media stand elsewhere: the entry of its data reference box is another (ISO/IEC 14496-12, 8.7.2)."""
    whole = video()
    entry = box(b"url ", b"\0\0\0\1")
    assert whole.count(entry) == 1
    other = box(kind, b"\0\0\0\0" + place)
    grown = len(other) - len(entry)
    found = bytearray(whole.replace(entry, other))
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = found.index(name) - 4
        found[at : at + 4] = struct.pack(">I", struct.unpack(">I", found[at : at + 4])[0] + grown)
    return bytes(found)


def in_moov(kind: bytes, content: bytes) -> bytes:
    """A film with one more box in its head, which stands behind its media."""
    whole = bytearray(video())
    at = whole.index(b"moov") - 4
    more = box(kind, content)
    whole[at : at + 4] = struct.pack(">I", struct.unpack(">I", whole[at : at + 4])[0] + len(more))
    return bytes(whole) + more


def with_attachment() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.txt"
        page.write_bytes(b"nothing bad")
        source = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=1:r=10", *H264)
        return _ffmpeg("a.mkv", *source, "-attach", str(page), "-metadata:s:t", "mimetype=text/plain")


def two_tracks() -> bytes:
    one = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=1:r=10")
    return _ffmpeg("a.mp4", *one, *one, "-map", "0:v", "-map", "1:v", *H264)


def sound_alone() -> bytes:
    return _ffmpeg("a.mp4", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac")


def damaged() -> bytes:
    """Its head says where the pictures are, and there is noise."""
    whole = video()
    at = whole.index(b"mdat")
    size = struct.unpack(">I", whole[at - 4 : at])[0]
    return (
        whole[: at + 4]
        + bytes((number * 37 + 11) % 256 for number in range(size - 8))
        + whole[at - 4 + size :]
    )


def that_lies_about_its_length() -> bytes:
    """Forty seconds; its head says that it is one (Matroska, element Duration, in milliseconds)."""
    whole = video("a.webm", "-c:v", "libvpx", seconds=40, rate=2)
    said = struct.pack(">d", 40_000)
    assert whole.count(said) == 1
    return whole.replace(said, struct.pack(">d", 1_000))


HLS = b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
ZIP = b"PK\5\6" + bytes(18)
LIST, BEHIND, ELSEWHERE = (
    "a list that names other files",
    "goes on behind its video",
    "stands in another file",
)
CUT, BESIDE = "is cut off", "beside the video"
# Name of the file, its content, and a part of the sentence that it is refused with.
HOSTILE: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "nothing": ("a.mp4", b"", "The file is empty."),
    "hls-playlist": ("a.mp4", HLS, LIST),
    "hls-behind-a-blank": ("a.mp4", b"\xef\xbb\xbf\n" + HLS, LIST),
    "concat-list": ("a.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n", LIST),
    "concat-without-a-head": ("a.mp4", b"file 'http://127.0.0.1/secret'\n", LIST),
    "pls-playlist": ("a.mp4", b"[playlist]\nFile1=http://127.0.0.1/\n", LIST),
    "dash-manifest": ("a.mp4", b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash"/>', LIST),
    "session-description": ("a.mp4", b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", LIST),
    "svg": ("a.mp4", b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT, "is a web page"),
    "html-as-webm": ("a.webm", b"  <!DOCTYPE html>" + SCRIPT, "is a web page"),
    "avi": ("a.avi", lambda: video("a.avi", "-c:v", "mpeg4"), "is an AVI"),
    "flash": ("a.flv", lambda: video("a.flv", "-c:v", "flv"), "is a Flash file"),
    "transport-stream": ("a.ts", lambda: video("a.ts", *H264), "is an MPEG"),
    "program-stream": ("a.mpg", lambda: video("a.mpg", "-c:v", "mpeg1video", rate=25), "is an MPEG"),
    "windows-media": ("a.wmv", lambda: video("a.wmv", "-c:v", "wmv2"), "is a Windows Media file"),
    "ogg": ("a.ogv", b"OggS\0\2" + bytes(60), "is an Ogg"),
    "gif": ("a.mp4", b"GIF89a" + bytes(60), "is a picture"),
    "heic": ("a.mp4", b"\0\0\0\x18ftypheic" + bytes(60), "is a picture"),
    "m4a": ("a.mp4", b"\0\0\0\x18ftypM4A " + bytes(60), "is a sound recording"),
    "mp3": ("a.mp4", b"ID3\4" + bytes(60), "is a sound recording"),
    "zip": ("a.mp4", b"PK\3\4" + bytes(60) + ZIP, "is a ZIP"),
    "program": ("a.mp4", b"\x7fELF\2\1\1" + bytes(60), "is a program"),
    "shell-script": ("a.mp4", b"#!/bin/sh\ncurl http://127.0.0.1/\n", "is a program"),
    "noise": ("a.mp4", b"hello, I am a film", "no video that is known here"),
    "webm-called-mp4": ("a.mp4", lambda: video("a.webm", "-c:v", "libvpx"), "its name ends in “.mp4”"),
    "mp4-called-html": ("a.html", video, "its name ends in “.html”"),
    "mp4-then-zip": ("a.mp4", lambda: video() + b"PK\3\4" + bytes(60) + ZIP, BEHIND),
    "mp4-then-html": ("a.mp4", lambda: video() + SCRIPT, BEHIND),
    "webm-then-html": ("a.webm", lambda: video("a.webm", "-c:v", "libvpx") + SCRIPT, BEHIND),
    "zip-in-a-free-box": ("a.mp4", lambda: video() + box(b"free", ZIP), f"holds a ZIP archive {BESIDE}"),
    "html-in-a-free-box": ("a.mp4", lambda: video() + box(b"free", SCRIPT), f"holds a web page {BESIDE}"),
    "pdf-in-a-user-box": ("a.mp4", lambda: video() + box(b"uuid", b"%PDF-1.7"), f"holds a PDF {BESIDE}"),
    "html-in-a-title": (
        "a.mp4",
        lambda: video("a.mp4", *H264, "-metadata", f"title={SCRIPT.decode()}"),
        f"holds a web page {BESIDE}",
    ),
    "attached-file": ("a.mkv", with_attachment, f"holds other files {BESIDE}"),
    "mp4-cut-off": ("a.mp4", lambda: video()[:-200], CUT),
    "mp4-without-its-head": ("a.mp4", lambda: video().partition(b"moov")[0][:-4], CUT),
    "mp4-head-alone": ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(12), CUT),
    "webm-cut-off": ("a.webm", lambda: video("a.webm", "-c:v", "libvpx")[:-900], CUT),
    "webm-head-alone": ("a.webm", b"\x1aE\xdf\xa3", CUT),
    "box-of-four-gigabytes": ("a.mp4", b"\0\0\0\x18ftypmp42" + bytes(12) + b"\xff\xff\xff\xffmdat", CUT),
    "remote-reference": ("a.mp4", lambda: with_reference(b"url ", b"http://127.0.0.1/film\0"), ELSEWHERE),
    "local-reference": ("a.mp4", lambda: with_reference(b"url ", b"file:///etc/passwd\0"), ELSEWHERE),
    "data-reference": ("a.mp4", lambda: with_reference(b"url ", b"data:video/mp4;base64,AAAA\0"), ELSEWHERE),
    "alias-reference": ("a.mov", lambda: with_reference(b"alis", b"\0" * 20), ELSEWHERE),
    "reference-film": ("a.mov", lambda: in_moov(b"rmra", box(b"rmda", b"")), ELSEWHERE),
    "compressed-head": ("a.mov", lambda: in_moov(b"cmov", bytes(20)), "head of the video is compressed"),
    "damaged": ("a.mp4", damaged, "cannot be decoded"),
    "sound-alone": ("a.mp4", sound_alone, "has 0 video tracks"),
    "two-tracks": ("a.mp4", two_tracks, "has 2 video tracks"),
    "old-codec": ("a.mov", lambda: video("a.mov", "-c:v", "mjpeg"), "is encoded as “mjpeg”"),
    "too-many-pixels": ("a.mp4", lambda: video(size="2560x1440", seconds=0.2), "has 2560 × 1440 pixels"),
    "a-thin-strip": ("a.mp4", lambda: video(size="1920x160", seconds=0.2), "four times the other"),
    "too-small": ("a.mp4", lambda: video(size="64x64"), "has 64 × 64 pixels"),
    "too-long": ("a.mp4", lambda: video(seconds=40, rate=2), "lasts 40 seconds"),
    "too-long-and-lies": ("a.webm", that_lies_about_its_length, "at most 30 are taken"),
    "too-many-bytes": ("a.mp4", lambda: video() + bytes(64 * 1024 * 1024), "bytes; at most 67,108,864"),
}
BAD_CAPTIONS: dict[str, tuple[bytes, str]] = {
    "subrip": (b"1\n00:00:01,000 --> 00:00:02,000\nBonjour\n", "are no WebVTT"),
    "latin-1": (b"WEBVTT\n\n00:00.000 --> 00:01.000\nD\xe9but\n", "are not in UTF-8"),
    "without-lines": (b"WEBVTT\n\nNOTE nothing\n", "have 0 lines"),
    "backwards": (b"WEBVTT\n\n00:02.000 --> 00:01.000\nx\n", "ends before it begins"),
    "unreadable": (b"WEBVTT\n\n00:02 --> 00:05\nx\n", "an instant that cannot be read"),
    "too-many-bytes": (b"WEBVTT\n\n" + bytes(70_000), "at most 65,536"),
}
