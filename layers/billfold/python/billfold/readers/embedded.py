"""The reader that ships with the function: two networks of the RapidOCR package (PP-OCR), run by ONNX Runtime, offline.

    photo ── detect ──> boxes ── cut out ──> strips ── recognise ──> lines     as it is, then upside down,
                                                                              then with its contrast stretched and enlarged

Of these tries the first that shows a card's number, or two, is taken, else the one that shows most text. RapidOCR's own
test for upside-down text turns some cards over, so here the number itself decides. The package's code would bring OpenCV
with it (153 MB unzipped), with which the function would not stay below Lambda's 250 MB; only its networks are used.
"""

import math
import pathlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageFilter, ImageOps

from billfold import card_photos
from billfold.card_photos import Line
from billfold.readers import pictures
from billfold.readers.boxes import Box, boxes

# The longer side that the detecting network looks at: a card's digits are then 15 to 40 pixels high.
LOOKED_AT = 960
# The side to which the picture is brought before strips are cut out of it.
CUT_FROM = 1600
STRIP_HEIGHT = 48
MAX_STRIP_WIDTH = 1600
STEP = 32
MIN_CONFIDENCE = 0.5
UPRIGHT_STRIP = 1.5
Strip = Image.Image


def read(image: bytes) -> list[Line]:
    """The lines of text in a photo of a card."""
    best: list[Line] = []
    for lines in _tries(pictures.decoded(image)):
        if card_photos.settled(lines):
            return lines
        best = max(best, lines, key=_amount)
    return best


def _amount(lines: list[Line]) -> float:
    """How much was recognised, and how surely."""
    return sum(len(line.text) * line.confidence**2 for line in lines)


def _tries(picture: Image.Image) -> Iterator[list[Line]]:
    for improve in (_as_it_is, _stretched, _sharpened):
        improved = improve(picture)
        found = _detect(improved)
        strips = [_cut(improved, box) for box in found]
        yield _recognise(found, strips)
        turned = [strip.transpose(Image.Transpose.ROTATE_180) for strip in strips]
        yield _recognise([(c, d, a, b) for a, b, c, d in found], turned)


def _as_it_is(picture: Image.Image) -> Image.Image:
    scale = CUT_FROM / max(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)


def _stretched(picture: Image.Image) -> Image.Image:
    """Greys over the whole range, each measured against what surrounds it: print that hardly differs from its card stands out."""
    grey = np.asarray(_as_it_is(picture).convert("L"), dtype=np.float32)
    around = _smoothed(grey, 40)
    # Rounding can leave a little less than nothing.
    spread = np.sqrt(_smoothed((grey - around) ** 2, 40).clip(0)) + 3
    return Image.fromarray((128 + 48 * (grey - around) / spread).clip(0, 255).astype(np.uint8)).convert("RGB")


def _smoothed(values: Any, radius: int) -> Any:
    """Each value's mean over a square around it."""
    padded = np.pad(values, radius, mode="edge").cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    padded = np.pad(padded, ((1, 0), (1, 0)))
    side = 2 * radius + 1
    sums = padded[side:, side:] - padded[:-side, side:] - padded[side:, :-side] + padded[:-side, :-side]
    return (sums[: values.shape[0], : values.shape[1]] / side**2).astype(np.float32)


def _sharpened(picture: Image.Image) -> Image.Image:
    """Out of focus, or grainy: smoothed, sharpened, over the whole range."""
    calm = _as_it_is(picture).filter(ImageFilter.GaussianBlur(1.2))
    return ImageOps.autocontrast(calm.filter(ImageFilter.UnsharpMask(6, 220, 0)), cutoff=1)


def _detect(picture: Image.Image) -> list[Box]:
    """Where there is text, in pixels of the picture."""
    scale = LOOKED_AT / max(picture.size)
    width, height = (max(STEP, round(side * scale / STEP) * STEP) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    (answer,) = _network("det")(_normal(small))
    across, down = picture.width / width, picture.height / height
    return [_scaled(box, across, down) for box in boxes(answer[0, 0])]


def _scaled(box: Box, across: float, down: float) -> Box:
    a, b, c, d = ((x * across, y * down) for x, y in box)
    return a, b, c, d


def _cut(picture: Image.Image, box: Box) -> Strip:
    """What stands in a box, upright, 48 pixels high."""
    a, b, c, d = box
    width, height = math.dist(a, b), math.dist(a, d)
    size = (max(1, round(width)), max(1, round(height)))
    strip = picture.transform(size, Image.Transform.QUAD, (*a, *d, *c, *b), Image.Resampling.BICUBIC)
    if height >= UPRIGHT_STRIP * width:
        strip = strip.transpose(Image.Transpose.ROTATE_90)
    wide = max(8, min(MAX_STRIP_WIDTH, round(strip.width * STRIP_HEIGHT / strip.height)))
    return strip.resize((wide, STRIP_HEIGHT), Image.Resampling.BILINEAR)


def _recognise(found: list[Box], strips: list[Strip]) -> list[Line]:
    lines = []
    for box, strip in zip(found, strips, strict=True):
        (answer,) = _network("rec")(_normal(strip))
        text, confidence = _decoded(answer[0])
        if text and confidence >= MIN_CONFIDENCE:
            lines.append(Line(text, confidence, box))
    return lines


def _decoded(answer: Any) -> tuple[str, float]:
    """The text of one strip: at each place the likeliest character, repeats and blanks (0) left out."""
    likeliest = answer.argmax(axis=1)
    new = np.append(True, likeliest[1:] != likeliest[:-1]) & (likeliest != 0)
    if not new.any():
        return "", 0.0
    alphabet = _alphabet()
    return "".join(alphabet[index] for index in likeliest[new]), float(answer.max(axis=1)[new].mean())


def _normal(picture: Image.Image) -> Any:
    """A picture as the networks want it: one of (1, 3, height, width), blue first, -1 to 1."""
    values = np.asarray(picture, dtype=np.float32)[:, :, ::-1] / 127.5 - 1
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis])


@cache
def _network(task: str) -> Callable[[Any], list[Any]]:
    """The network `det` or `rec`, loaded at first use."""
    session = _session(task)
    name = session.get_inputs()[0].name
    return lambda values: list(session.run(None, {name: values}))


@cache
def _session(task: str) -> Any:
    spec = find_spec("rapidocr")
    assert spec is not None, "the layer `reading` has it"
    (folder,) = spec.submodule_search_locations or [""]
    (path,) = pathlib.Path(folder, "models").glob(f"*_{task}_*.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@cache
def _alphabet() -> list[str]:
    """The characters by the network's numbers: blank first, space last."""
    text = _session("rec").get_modelmeta().custom_metadata_map["character"]
    return ["", *text.splitlines(), " "]
