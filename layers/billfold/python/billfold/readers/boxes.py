"""Where text stands: from a map of probabilities to rectangles around words, at any angle.

What the detecting network yields is a picture in which each pixel says how likely it is text, shrunk to the middle of each
line. Pixels above a threshold that touch make one region; the smallest rectangle around it, grown back, holds the line.
"""

import math
from collections import defaultdict
from typing import Any

import numpy as np

from billfold.card_photos.printed_lines import Corner

Map = np.ndarray[Any, np.dtype[Any]]
Box = tuple[Corner, Corner, Corner, Corner]
PIXEL_THRESHOLD = 0.3
REGION_THRESHOLD = 0.5
MIN_SIDE = 3
# How far the network shrinks a line: its area by its perimeter, times this.
GROWTH = 1.6
MAX_REGIONS = 100


def boxes(probabilities: Map) -> list[Box]:
    """Rectangles, corners clockwise from the top left as the line is read, in pixels of the map, the largest first; at most 100."""
    found = []
    for runs in sorted(_regions(probabilities > PIXEL_THRESHOLD), key=_pixels, reverse=True)[:MAX_REGIONS]:
        points = [(float(x), float(row)) for row, start, end in runs for x in (start, end - 1)]
        score = sum(float(probabilities[row, start:end].sum()) for row, start, end in runs)
        if score / sum(end - start for _, start, end in runs) < REGION_THRESHOLD:
            continue
        box = _smallest_rectangle(_hull(points))
        if box and min(math.dist(box[0], box[1]), math.dist(box[0], box[3])) >= MIN_SIDE:
            found.append(_grown(box))
    return found


Run = tuple[int, int, int]


def _pixels(runs: list[Run]) -> int:
    return sum(end - start for _, start, end in runs)


def _regions(marked: Map) -> list[list[Run]]:
    """The marked pixels that touch, each region as its runs (row, start, end)."""
    runs: list[Run] = []
    parents: list[int] = []

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    above: list[int] = []
    edges = np.diff(np.pad(marked.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    for row in np.flatnonzero(marked.any(axis=1)).tolist():
        above = [index for index in above if runs[index][0] == row - 1]
        current = []
        starts, ends = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            index = len(runs)
            runs.append((row, start, end))
            parents.append(index)
            current.append(index)
            for other in above:
                if runs[other][1] <= end and start <= runs[other][2]:
                    parents[root(other)] = root(index)
        above = current
    regions = defaultdict(list)
    for index, run in enumerate(runs):
        regions[root(index)].append(run)
    return list(regions.values())


def _hull(points: list[Corner]) -> list[Corner]:
    """The convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    half: list[list[Corner]] = []
    for way in (ordered, ordered[::-1]):
        chain: list[Corner] = []
        for point in way:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        half.append(chain[:-1])
    return half[0] + half[1]


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _smallest_rectangle(hull: list[Corner]) -> Box | None:
    """The rectangle of least area around a hull: one of its sides lies along one of the hull's."""
    if len(hull) < 3:
        return None
    points = np.array(hull)
    best: tuple[float, Any] = (math.inf, None)
    for (x0, y0), (x1, y1) in zip(hull, hull[1:] + hull[:1], strict=True):
        angle = math.atan2(y1 - y0, x1 - x0)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turned = points @ turn
        (left, top), (right, bottom) = turned.min(axis=0), turned.max(axis=0)
        area = float((right - left) * (bottom - top))
        if area < best[0]:
            corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ turn.T
            best = (area, corners)
    return _as_read([(float(x), float(y)) for x, y in best[1]])


def _as_read(corners: list[Corner]) -> Box:
    """The corners from the line's top left: its long side runs to the right, or down where it stands upright."""
    first = min(range(4), key=lambda at: corners[at][0] + corners[at][1])
    a, b, c, d = corners[first:] + corners[:first]
    if math.dist(a, b) < math.dist(a, d) and abs(b[1] - a[1]) > abs(b[0] - a[0]):
        a, b, c, d = d, a, b, c
    return a, b, c, d


def _grown(box: Box) -> Box:
    """The rectangle with every side moved outwards."""
    width, height = math.dist(box[0], box[1]), math.dist(box[0], box[3])
    by = width * height * GROWTH / (2 * (width + height))
    right = ((box[1][0] - box[0][0]) / width * by, (box[1][1] - box[0][1]) / width * by)
    down = ((box[3][0] - box[0][0]) / height * by, (box[3][1] - box[0][1]) / height * by)
    moves = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    a, b, c, d = (
        (x + along * right[0] + across * down[0], y + along * right[1] + across * down[1])
        for (x, y), (along, across) in zip(box, moves, strict=True)
    )
    return a, b, c, d
