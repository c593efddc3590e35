"""What readers take for a picture: JPEG and PNG within bounds, decoded only when the header says that it is small enough."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from billfold.readers import MAX_BYTES, NoImage, pictures


def file(size=(400, 300), kind="JPEG", **options):
    saved = io.BytesIO()
    Image.new("RGB", size, (90, 120, 150)).save(saved, kind, **options)
    return saved.getvalue()


def png(width, height, rows=b""):
    """A PNG that says it is so large, whatever it holds."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_jpeg_and_a_png_are_pictures(kind):
    """CB-02: what phones send."""
    assert pictures.decoded(file(kind=kind)).size == (400, 300)


@pytest.mark.parametrize("size", [(4_000, 3_000), (4_032, 3_024), (4_080, 3_060)])
def test_what_phones_call_twelve_megapixels_is_a_picture(size):
    """CB-02: some are a little more than that."""
    assert pictures.decoded(file(size)).width >= 2_000


def test_a_photo_that_says_it_is_turned_is_turned_back():
    """CB-02: phones store portrait photos lying, with a note."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert pictures.decoded(file(exif=exif)).size == (300, 400)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"not a picture",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        file()[:600],
        file(kind="GIF"),
        file(kind="WEBP"),
        file(kind="TIFF"),
        file((20, 400)),
        file((4_000, 3_251), "PNG"),
        png(400, 300),
        png(0, 300),
        png(400, 300, b"\x00" * 100),
        b"\x00" * (MAX_BYTES + 1),
    ],
    ids=range(14),
)
def test_anything_else_is_refused(image):
    """CB-02: other formats, broken files, too many pixels or bytes."""
    with pytest.raises(NoImage):
        pictures.decoded(image)


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    """CB-02: a kilobyte that says it is ten gigabytes takes no memory."""
    tracemalloc.start()
    try:
        for side in (20_000, 60_000):
            with pytest.raises(NoImage):
                pictures.decoded(png(side, side, b"\x00" * 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
