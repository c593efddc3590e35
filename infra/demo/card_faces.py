"""What is printed on cards that never were, and how: typefaces, colours, groups of digits, and the designs of a face.

classic           the number in one line, the expiry below it, then the holder
ellipses          outlines of ellipses behind it, which a reader may take for digits
four_lines        upright, the number in four lines, the holder below
four_short_lines  the same with EXP and CVV to their right
two_lines         the number in two lines
back              all on one side: the holder above, the number, expiry and code below
code_in_line      the code in the number's line
serial_beside     a small serial number in the number's line
bin_below         the first four digits again, small, below the number
code_above        four digits above the number, as American Express prints them
"""

import pathlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1012, 638
CUTS = {13: (0, 4, 7, 10, 13), 14: (0, 4, 10, 14), 15: (0, 4, 10, 15), 19: (0, 4, 8, 12, 16, 19)}
FONTS = (
    ("fontpkg_ibm_plex_mono", "IBMPlexMono-SemiBold.ttf"),
    ("fontpkg_ibm_plex_mono", "IBMPlexMono-Regular.ttf"),
    ("fontpkg_inconsolata", "Inconsolata[wdth,wght].ttf"),
    ("", ""),
)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Card:
    """What is printed on a card."""

    number: str
    brand: str
    expiry: str
    holder: str
    bank: str

    @property
    def grouped(self) -> str:
        """The number as cards print it: 4-4-4-4, or 4-6-5."""
        return " ".join(self.groups)

    @property
    def groups(self) -> list[str]:
        """The groups in which the number is printed."""
        cuts = CUTS.get(len(self.number), range(0, len(self.number) + 4, 4))
        return [self.number[start:end] for start, end in pairwise(cuts)]

    @property
    def thru(self) -> str:
        return f"{self.expiry[5:]}/{self.expiry[2:4]}"


def font(named: tuple[str, str], size: int) -> ImageFont.FreeTypeFont:
    package, file = named
    if not package:
        found = ImageFont.load_default(size)
        assert isinstance(found, ImageFont.FreeTypeFont)
        return found
    spec = find_spec(package)
    assert spec is not None, f"{package} is among what requirements-dev.txt installs"
    (folder,) = spec.submodule_search_locations or [""]
    return ImageFont.truetype(str(pathlib.Path(folder) / "files" / file), size)


def colours(condition: str, chance: random.Random) -> tuple[Colour, Colour]:
    """The card's colour and its print's."""
    light = chance.random() < 0.5
    card_colour = [chance.randint(150, 225) if light else chance.randint(25, 95) for _ in range(3)]
    if condition == "low_contrast":
        step = chance.randint(24, 40) * (-1 if light else 1)
        print_colour = [channel + step for channel in card_colour]
    elif condition == "embossed":
        print_colour = [channel + (-14 if light else 14) for channel in card_colour]
    else:
        print_colour = [chance.randint(5, 45) if light else chance.randint(215, 250) for _ in range(3)]
    return (card_colour[0], card_colour[1], card_colour[2]), (print_colour[0], print_colour[1], print_colour[2])


class Face:
    """A card's face while it is drawn: a ground with faint ellipses, and print in one typeface."""

    def __init__(self, condition: str, chance: random.Random, *, upright: bool = False) -> None:
        self.condition, self.chance = condition, chance
        self.size = (HEIGHT, WIDTH) if upright else (WIDTH, HEIGHT)
        self.ground, self.ink = colours(condition, chance)
        self.named = FONTS[chance.randrange(len(FONTS))]
        self.picture = Image.new("RGBA", self.size, (*self.ground, 255))
        draw = ImageDraw.Draw(self.picture)
        for _ in range(3):
            x, y, size = chance.randint(0, WIDTH), chance.randint(0, HEIGHT), chance.randint(200, 600)
            draw.ellipse((x - size, y - size, x + size, y + size), fill=(*_near(self.ground, 9, chance), 255))

    def print(self, at: tuple[int, int], text: str, size: int) -> None:
        """Print as the number is printed."""
        write(
            self.picture,
            at,
            text,
            font(self.named, size if self.named[0] else round(size * 1.07)),
            self.ink,
            self.condition,
        )

    def brand(self, at: tuple[int, int], text: str, size: int) -> None:
        """A bank's or a brand's own letters, never raised."""
        plain = "low_contrast" if self.condition == "low_contrast" else "flat"
        ink = self.ink if plain == "low_contrast" else inverse(self.ground)
        write(self.picture, at, text, font(FONTS[-1], size), ink, plain)

    def chip(self, x: int, y: int) -> None:
        shape = (x, y, x + 130, y + 100)
        ImageDraw.Draw(self.picture).rounded_rectangle(
            shape, 16, fill=(205, 175, 95, 255), outline=(120, 95, 40, 255), width=3
        )

    def done(self) -> Image.Image:
        """The face with round corners."""
        mask = Image.new("L", self.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, self.size[0] - 1, self.size[1] - 1), 40, fill=255)
        self.picture.putalpha(mask)
        return self.picture


def _near(ground: Colour, by: int, chance: random.Random) -> Colour:
    a, b, c = (max(0, min(255, channel + chance.randint(-by, by))) for channel in ground)
    return a, b, c


def classic(shown: Card, condition: str, chance: random.Random, below: str = "", beside: str = "") -> Image.Image:
    """The usual face; small digits may stand below the number's first group, or at the end of its line."""
    face = Face(condition, chance)
    face.chip(80, 200)
    face.print((76, 340), shown.grouped, 62)
    face.print((360, 436), "VALID THRU", 22)
    face.print((500, 426), shown.thru, 40)
    face.print((76, 528), shown.holder, 38)
    face.brand((76, 60), shown.bank, 46)
    face.brand((WIDTH - 290, 560), shown.brand, 34)
    if below:
        face.print((80, 414), below, 26)
    if beside:
        face.print((WIDTH - 110, 366), beside, 20)
    return face.done()


def ellipses(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    """Outlines of ellipses behind the print."""
    picture = classic(shown, condition, chance)
    under = picture.copy()
    draw = ImageDraw.Draw(under)
    ink = chance.choice(((25, 25, 30), (235, 235, 230)))
    for _ in range(6):
        x, y, size = chance.randint(0, WIDTH), chance.randint(250, 450), chance.randint(10, 160)
        draw.ellipse((x - size, y - size, x + size, y + size), outline=(*ink, 255), width=chance.randint(1, 6))
    return Image.blend(picture, under, 0.5)


def bin_below(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    return classic(shown, condition, chance, below=shown.number[:4])


def serial_beside(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    return classic(shown, condition, chance, beside=str(chance.randint(100_000, 999_999)))


def code_above(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    face = Face(condition, chance)
    face.brand((76, 60), shown.bank, 46)
    face.print((WIDTH - 200, 270), f"{chance.randint(1000, 9999)}", 34)
    face.print((76, 340), shown.grouped, 62)
    face.print((360, 436), "VALID THRU " + shown.thru, 32)
    face.print((76, 528), shown.holder, 38)
    return face.done()


def four_lines(shown: Card, condition: str, chance: random.Random, beside: bool = False) -> Image.Image:
    """Upright, a group a line."""
    face = Face(condition, chance, upright=True)
    face.brand((60, 60), shown.bank, 42)
    for at, group in enumerate(shown.groups):
        face.print((60, 330 + 80 * at), group, 60)
    if beside:
        face.print((330, 346), "EXP", 28)
        face.print((330, 426), shown.thru, 36)
        face.print((330, 506), "CVV", 28)
        face.print((330, 586), f"{chance.randint(0, 999):03d}", 36)
    else:
        face.print((60, 760), "THRU " + shown.thru, 36)
    face.print((60, 840), shown.holder, 36)
    face.brand((340, 940), shown.brand, 34)
    return face.done()


def four_short_lines(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    return four_lines(shown, condition, chance, beside=True)


def two_lines(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    face = Face(condition, chance)
    face.brand((76, 60), shown.bank, 46)
    half = (len(shown.groups) + 1) // 2
    face.print((76, 250), " ".join(shown.groups[:half]), 62)
    face.print((76, 336), " ".join(shown.groups[half:]), 62)
    face.print((76, 430), "EXP " + shown.thru, 36)
    face.print((76, 528), shown.holder, 38)
    face.brand((WIDTH - 290, 560), shown.brand, 34)
    return face.done()


def back(shown: Card, condition: str, chance: random.Random, inline: bool = False) -> Image.Image:
    """A stripe, the holder above the number, expiry and code below, or the code behind the number."""
    face = Face(condition, chance)
    ImageDraw.Draw(face.picture).rectangle((0, 50, WIDTH, 160), fill=(20, 20, 22, 255))
    code = f"{chance.randint(0, 999):03d}"
    face.print((76, 220), shown.holder, 38)
    face.print((76, 310), shown.grouped, 50)
    face.print((76, 400), "EXP " + shown.thru, 34)
    if inline:
        width = font(face.named, 50).getlength(shown.grouped)
        face.print(
            (round(76 + width * 1.07 + chance.randint(70, 110)), 310 + chance.randint(0, 8)),
            code,
            chance.choice((44, 50)),
        )
    else:
        face.print((400, 400), "CVV " + code, 34)
    face.brand((76, 560), "Call us on 0800 555 0199", 26)
    return face.done()


def code_in_line(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    return back(shown, condition, chance, inline=True)


DESIGNS: dict[str, Callable[[Card, str, random.Random], Image.Image]] = {
    design.__name__: design
    for design in (
        classic,
        ellipses,
        four_lines,
        four_short_lines,
        two_lines,
        back,
        code_in_line,
        serial_beside,
        bin_below,
        code_above,
    )
}


def inverse(ground: Colour) -> Colour:
    return (25, 25, 30) if sum(ground) > 380 else (235, 235, 230)


def write(
    picture: Image.Image, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, ink: Colour, condition: str
) -> None:
    draw = ImageDraw.Draw(picture)
    if condition == "embossed":
        edge = max(1, round(font.size / 28))
        lit, shaded = (tuple(max(0, min(255, channel + by)) for channel in ink) for by in (75, -75))
        draw.text((at[0] - edge, at[1] - edge), text, font=font, fill=lit)
        draw.text((at[0] + edge, at[1] + edge), text, font=font, fill=shaded)
    draw.text(at, text, font=font, fill=ink)
