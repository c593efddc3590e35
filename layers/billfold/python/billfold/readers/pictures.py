"""Pictures as readers take them: bounded before they are decoded, upright as the phone was held, three bytes a pixel."""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageStat
from PIL.Image import Transpose

from billfold.readers import MAX_BYTES, NoImage, TooLarge

# What phones call 12 megapixels is up to 4080 by 3060.
MAX_PIXELS = 13_000_000
MIN_SIDE = 32
FORMATS = ("JPEG", "PNG")
# In these modes of Pillow a sample has more than eight bits.
DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
# How a phone was held, as EXIF says it, and what undoes it.
UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def decoded(image: bytes) -> Image.Image:
    """The picture in these bytes; NoImage when they are none, TooLarge for more than 13 million pixels or 8 MiB."""
    if len(image) > MAX_BYTES:
        raise TooLarge("too many bytes")
    try:
        with warnings.catch_warnings():
            # Pillow warns of what we refuse a line below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(image), formats=FORMATS)
        if opened.width * opened.height > MAX_PIXELS:
            raise TooLarge("too many pixels")
        if min(opened.size) < MIN_SIDE:
            raise NoImage("too few pixels")
        # A JPEG can be decoded at a half or a quarter: faster, and the network looks at no more.
        opened.draft("RGB", (2_000, 2_000))
        return opaque(_upright(opened))
    except NoImage:
        raise
    except Image.DecompressionBombError as fault:
        raise TooLarge("too many pixels") from fault
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError) as fault:
        raise NoImage("not a picture") from fault


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as the phone was held. Pillow's own way writes the EXIF anew, which fails on much of what it can read."""
    turn = UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def opaque(picture: Image.Image) -> Image.Image:
    """The picture in red, green and blue: deep samples scaled to eight bits, what is transparent laid on a contrasting ground."""
    if picture.mode in DEEP:
        values = np.asarray(picture, dtype=np.float32)
        return Image.fromarray((values * (255 / 65_535)).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    print_is_light = ImageStat.Stat(clear.convert("L"), clear.getchannel("A").point(lambda seen: 255 if seen else 0))
    light = bool(print_is_light.count[0]) and print_is_light.mean[0] > 127
    ground = Image.new("RGBA", clear.size, "black" if light else "white")
    ground.alpha_composite(clear)
    return ground.convert("RGB")
