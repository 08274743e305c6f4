"""What a video may be, as it comes and as it is made. Plain values that both processes know."""

from __future__ import annotations

# As it comes. A phone films 30 seconds in Full HD into some 60 MB.
MOST_BYTES = 64 * 1024 * 1024
MOST_SECONDS = 30
MOST_PIXELS = 1920 * 1088
LEAST_SIDE, LONGEST_SIDE = 160, 1920
CODECS = ("h264", "hevc", "vp8", "vp9", "av1")
# As it is made: H.264 in MP4, which every browser plays.
SIDE, BITS_PER_SECOND, FRAMES_PER_SECOND = 640, 700_000, 30
MOST_BYTES_MADE = 6 * 1024 * 1024
# Captions and transcripts.
MOST_CAPTION_BYTES, MOST_CUES, LONGEST_CUE = 64 * 1024, 500, 300
LONGEST_TRANSCRIPT = 4_000
