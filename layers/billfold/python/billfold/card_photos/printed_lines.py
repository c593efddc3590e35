"""Lines of print as a reader recognises them in a photo, and where they stand once the photo's tilt is taken out. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of recognised text, how sure its reader is (0 to 1), and its corners, clockwise from the text's top left.

    `places` says how far along the line the middle of each character stands, `chances` how sure each is, both 0 to 1; empty
    when the reader does not say.
    """

    text: str
    confidence: float
    box: tuple[Corner, Corner, Corner, Corner]
    places: tuple[float, ...] = ()
    chances: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A line where it stands along the print: from `left` to `right`, with its middle at `y`, which grows downwards."""

    line: Line
    left: float
    right: float
    y: float
    height: float

    def places(self) -> list[float]:
        """Where the middle of each character stands along the print."""
        count = len(self.line.text)
        told = self.line.places or [(at + 0.5) / count for at in range(count)]
        return [self.left + (self.right - self.left) * place for place in told]

    def chances(self) -> tuple[float, ...]:
        """How sure each character is."""
        return self.line.chances or (self.line.confidence,) * len(self.line.text)


Row = list[Placed]


def rows(lines: Iterable[Line]) -> list[Row]:
    """The lines as rows of print from the top, each from the left, whatever the tilt of the photo."""
    printed = [line for line in lines if line.text.strip()]
    if not printed:
        return []
    tilt = median(_angle(line) for line in sorted(printed, key=_width)[-5:])
    found: list[Row] = []
    for placed in sorted((_placed(line, tilt) for line in printed), key=lambda one: (one.y, one.left)):
        if not found or placed.y - found[-1][0].y > 0.5 * min(placed.height, found[-1][0].height):
            found.append([])
        found[-1].append(placed)
    return [sorted(row, key=lambda one: one.left) for row in found]


def _placed(line: Line, tilt: float) -> Placed:
    x, y = (sum(corner[axis] for corner in line.box) / 4 for axis in (0, 1))
    along, down = x * math.cos(tilt) + y * math.sin(tilt), y * math.cos(tilt) - x * math.sin(tilt)
    half = _width(line) / 2
    return Placed(line, along - half, along + half, down, math.dist(line.box[0], line.box[3]))


def _angle(line: Line) -> float:
    (x0, y0), (x1, y1) = line.box[0], line.box[1]
    return math.atan2(y1 - y0, x1 - x0)


def _width(line: Line) -> float:
    return math.dist(line.box[0], line.box[1])
