"""Pictures as readers take them: bounded before they are decoded, upright as the phone was held, three bytes a pixel."""

import io
import warnings

from PIL import Image, ImageOps

from billfold.readers import MAX_BYTES, NoImage

# What phones call 12 megapixels is up to 4080 by 3060.
MAX_PIXELS = 13_000_000
MIN_SIDE = 32
FORMATS = ("JPEG", "PNG")


def decoded(image: bytes) -> Image.Image:
    """The picture in these bytes; NoImage when they are none, or one of more than 13 million pixels or 8 MiB."""
    if len(image) > MAX_BYTES:
        raise NoImage("too many bytes")
    try:
        with warnings.catch_warnings():
            # Pillow warns of what we refuse a line below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(image), formats=FORMATS)
        if opened.width * opened.height > MAX_PIXELS or min(opened.size) < MIN_SIDE:
            raise NoImage("too many pixels, or too few")
        # A JPEG can be decoded at a half or a quarter: faster, and the network looks at no more.
        opened.draft("RGB", (2_000, 2_000))
        return ImageOps.exif_transpose(opened).convert("RGB")
    except NoImage:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, Image.DecompressionBombError) as fault:
        raise NoImage("not a picture") from fault
