"""What readers take for a picture: JPEG and PNG within bounds, decoded only when the header says that it is small enough."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from billfold.readers import MAX_BYTES, NoImage, TooLarge, embedded, pictures
from tests.world import photo_world


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
        png(400, 300),
        png(0, 300),
        png(400, 300, b"\x00" * 100),
    ],
    ids=range(12),
)
def test_anything_else_is_refused(image):
    """CB-02: other formats, broken files, too few pixels."""
    with pytest.raises(NoImage) as refusal:
        pictures.decoded(image)
    assert not isinstance(refusal.value, TooLarge)


@pytest.mark.parametrize(
    "image",
    [file((4_000, 3_251), "PNG"), png(8_064, 6_048), png(400_000, 33), png(12_000, 12_000), b"\x00" * (MAX_BYTES + 1)],
    ids=["13 megapixels and a row", "48 megapixels", "a long strip", "144 megapixels", "8 MiB and a byte"],
)
def test_a_picture_that_is_too_large_is_told_from_none(image):
    """CB-02: a phone at its finest, which better light does not help."""
    with pytest.raises(TooLarge):
        pictures.decoded(image)


def printed(mode):
    """A picture of print in a mode: dark on light, or on nothing where the mode can show nothing."""
    black = ImageOps.invert(Image.open(io.BytesIO(photo_world.number_alone("4242424242424242"))).convert("L"))
    plain = ImageOps.invert(black)
    clear = Image.new("RGBA", plain.size, (20, 30, 40, 255))
    clear.putalpha(black)
    deep = Image.fromarray(np.asarray(plain, dtype=np.uint16) * 257)
    return {
        "RGBA": lambda: clear,
        "LA": lambda: clear.convert("LA"),
        "PA": lambda: clear.quantize(16),
        "I;16": lambda: deep,
        "P": lambda: plain.convert("RGB").quantize(32),
    }.get(mode, lambda: plain.convert(mode))()


MODES = [("PNG", mode) for mode in ("1", "L", "LA", "I;16", "P", "PA", "RGB", "RGBA")]
MODES += [("JPEG", mode) for mode in ("1", "L", "RGB", "CMYK", "YCbCr")]


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_print_looks_the_same_in_every_mode(kind, mode):
    """CB-02: transparent, with a palette, of sixteen bits, for printers: dark digits on a light ground."""
    saved = io.BytesIO()
    printed(mode).save(saved, kind)
    seen = pictures.decoded(saved.getvalue())
    assert seen.mode == "RGB"
    expected = np.asarray(printed("L"), dtype=np.float32)
    assert np.abs(np.asarray(seen.convert("L"), dtype=np.float32) - expected).mean() < 8


def test_every_mode_that_a_png_can_have_is_among_these():
    """CB-02: the decoder's own list."""
    known = {mode for mode, _ in PngImagePlugin._MODES.values()}
    assert known <= {mode for kind, mode in MODES if kind == "PNG"} | {"I;16B"}
    assert "I;16B" in pictures.DEEP


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_one_colour_that_counts_as_nothing_is_nothing(mode):
    """CB-02: PNGs may name a colour instead of saying how clear each pixel is; light print then stands on a dark ground."""
    light = ImageOps.invert(printed("L").point(lambda value: 255 if value > 127 else 0)).convert(mode)
    saved = io.BytesIO()
    light.save(saved, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    seen = np.asarray(pictures.decoded(saved.getvalue()).convert("L"))
    assert seen.mean() < 60
    assert seen.max() == 255


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_is_upright_however_it_was_held(turn):
    """CB-02: each of the eight ways that EXIF knows."""
    exif = Image.Exif()
    exif[0x0112] = turn
    upright = Image.new("L", (80, 60))
    upright.paste(255, (0, 0, 40, 20))
    back = {2: (0,), 3: (3,), 4: (1,), 5: (5,), 6: (2,), 7: (6,), 8: (4,)}.get(turn, ())
    stored = upright
    for way in back:
        stored = stored.transpose(Image.Transpose(way))
    saved = io.BytesIO()
    stored.save(saved, "PNG", exif=exif)
    assert np.array_equal(np.asarray(pictures.decoded(saved.getvalue()).convert("L")), np.asarray(upright))


@pytest.mark.parametrize("size", [(400_000, 32), (32, 400_000), (32, 32)])
def test_a_picture_of_any_shape_is_looked_at(size):
    """CB-02: however long and thin; there is nothing to read in it, and no fault."""
    assert [lines for lines in embedded.looks(file(size, "PNG")) if lines] == []


@pytest.mark.parametrize("mode", ["RGBA", "I;16", "PA"])
def test_a_number_is_read_in_the_modes_that_screens_and_scanners_save(mode):
    """CB-02: by the networks, not only by the eye."""
    saved = io.BytesIO()
    printed(mode).save(saved, "PNG")
    assert "".join(line.text for line in next(embedded.looks(saved.getvalue()))).replace(" ", "") == "4242424242424242"


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


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_no_exif_whatever_stands_in_it_is_a_fault_of_ours(kind):
    """H46: each byte of it replaced in turn; the picture is read, or is none. Much EXIF can be read and not be written again."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:25 04:00:00"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    written = exif.tobytes()
    for place in range(len(written)):
        for byte in (0, 1, 5, 127, 255):
            image = file((64, 48), kind, exif=written[:place] + bytes([byte]) + written[place + 1 :])
            try:
                assert sorted(pictures.decoded(image).size) == [48, 64]
            except NoImage:
                continue
