"""The reader that ships with the function: two networks of the RapidOCR package (PP-OCR), run by ONNX Runtime, offline.

    photo ── detect ──> boxes ── cut out ──> strips ── recognise ──> lines     as it is, then with its contrast stretched,
                                                                              then sharpened

Each look reads its strips as they stand and, unless that is plainly the right way up, turned over; the way with the
greater sum of confidence counts. RapidOCR's own test for upside-down text turns some cards over. The package's code would
bring OpenCV with it (153 MB unzipped), with which the function would not stay below Lambda's 250 MB; only its networks are
used. Work is bounded before it begins (regions, pixels) and by a deadline, far below the function's time-out.
"""

import math
import pathlib
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageFilter, ImageOps

from billfold.card_photos.printed_lines import Line
from billfold.readers import OutOfTime, pictures
from billfold.readers.boxes import Box, boxes

# The longer side that the detecting network looks at: a card's digits are then 15 to 40 pixels high.
LOOKED_AT = 960
# The side to which the picture is brought before strips are cut out of it.
CUT_FROM = 1600
STRIP_HEIGHT = 48
MAX_STRIP_WIDTH = 1600
STEP = 32
MIN_CONFIDENCE = 0.5
# A box that is higher than wide by this factor holds a line that does not run across.
UPRIGHT_STRIP = 1.5
# Of all strips of a look together, a card's are a quarter of this.
MAX_STRIPS_WIDTH = 16_000
# From this mean confidence on text stands the right way up.
PLAIN = 0.92
# What a photo may take; the slowest of a card takes a quarter of it.
SECONDS = 12.0
Strip = Image.Image


def looks(image: bytes, seconds: float = SECONDS) -> Iterator[list[Line]]:
    """The lines of text in a photo of a card; OutOfTime when that many seconds are over."""
    end = time.monotonic() + seconds
    picture = pictures.decoded(image)
    for improve in (_as_it_is, _stretched, _sharpened):
        improved = improve(picture)
        found = _bounded([_along(box) for box in _detect(improved)])
        strips = [_cut(improved, box) for box in found]
        lines = _recognise(found, strips, end)
        if _sureness(lines, len(found)) < PLAIN:
            turned = [strip.transpose(Image.Transpose.ROTATE_180) for strip in strips]
            lines = max(lines, _recognise([(c, d, a, b) for a, b, c, d in found], turned, end), key=_amount)
        yield lines


def _along(box: Box) -> Box:
    """The corners from the text's beginning, with the line along the first side."""
    a, b, c, d = box
    return (b, c, d, a) if math.dist(a, d) >= UPRIGHT_STRIP * math.dist(a, b) else box


def _bounded(found: list[Box]) -> list[Box]:
    """The largest boxes, as many as strips of bounded length take: a card's print is among them, a page's is not."""
    wide = 0.0
    for at, (a, b, _, d) in enumerate(found):
        wide += min(MAX_STRIP_WIDTH, STRIP_HEIGHT * math.dist(a, b) / math.dist(a, d))
        if wide > MAX_STRIPS_WIDTH:
            return found[:at]
    return found


def _amount(lines: list[Line]) -> float:
    """How much was recognised, and how surely."""
    return sum(len(line.text) * line.confidence**2 for line in lines)


def _sureness(lines: list[Line], boxes_looked_at: int) -> float:
    """The mean confidence of what was recognised; 0 when half of the boxes gave nothing."""
    if 2 * len(lines) < boxes_looked_at or not lines:
        return 0.0
    return sum(len(line.text) * line.confidence for line in lines) / sum(len(line.text) for line in lines)


def _as_it_is(picture: Image.Image) -> Image.Image:
    scale = CUT_FROM / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


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
    """What stands in a box, 48 pixels high."""
    a, b, c, d = box
    width, height = math.dist(a, b), math.dist(a, d)
    size = (max(1, round(width)), max(1, round(height)))
    strip = picture.transform(size, Image.Transform.QUAD, (*a, *d, *c, *b), Image.Resampling.BICUBIC)
    wide = max(8, min(MAX_STRIP_WIDTH, round(strip.width * STRIP_HEIGHT / strip.height)))
    return strip.resize((wide, STRIP_HEIGHT), Image.Resampling.BILINEAR)


def _recognise(found: list[Box], strips: list[Strip], end: float) -> list[Line]:
    lines = []
    for box, strip in zip(found, strips, strict=True):
        if time.monotonic() > end:
            raise OutOfTime
        (answer,) = _network("rec")(_normal(strip))
        line = _decoded(answer[0], box)
        if line.text and line.confidence >= MIN_CONFIDENCE:
            lines.append(line)
    return lines


def _decoded(answer: Any, box: Box) -> Line:
    """The text of one strip: at each place the likeliest character, repeats and blanks (0) left out."""
    likeliest = answer.argmax(axis=1)
    new = np.append(True, likeliest[1:] != likeliest[:-1]) & (likeliest != 0)
    starts = np.flatnonzero(new)
    if not len(starts):
        return Line("", 0.0, box)
    ends = np.append(np.flatnonzero(np.diff(likeliest) != 0) + 1, len(likeliest))
    ends = ends[np.searchsorted(ends, starts, side="right")]
    alphabet = _alphabet()
    text = "".join(alphabet[index] for index in likeliest[new])
    chances = answer.max(axis=1)
    return Line(
        text,
        float(chances[new].mean()),
        box,
        tuple(((starts + ends) / 2 / len(likeliest)).tolist()),
        tuple(float(chances[start:end].max()) for start, end in zip(starts, ends, strict=True)),
    )


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
