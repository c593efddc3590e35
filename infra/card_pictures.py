"""Photos of cards that never were: drawn, laid on a table, tilted, dimmed, blurred, and saved as a phone would.

    flat          dark print on a light card, or light print on a dark one
    embossed      raised letters: a lit edge, a shaded edge, and a face of nearly the card's own colour
    low_contrast  print that differs from the card by a tenth to a sixth of the range
    tilted        turned by up to 15 degrees, and seen at a slant
    upside_down   turned by about 180 degrees
    dim           an eighth to a quarter of the light, with a sensor's noise
    blurred       out of focus

Everything follows from the seed. Numbers are made up: a brand's first digits, then random ones, then the check digit.
"""

import io
import pathlib
import random
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

CONDITIONS = ("flat", "embossed", "low_contrast", "tilted", "upside_down", "dim", "blurred")
WIDTH, HEIGHT = 1012, 638
TABLE = (1280, 900)
FIRST = {
    "Visa": (("4", 16),),
    "Mastercard": (("51", 16), ("55", 16), ("2221", 16)),
    "American Express": (("34", 15), ("37", 15)),
    "Discover": (("6011", 16),),
    "JCB": (("3530", 16),),
    "UnionPay": (("6212", 16),),
}
HOLDERS = ("AMELIA JONES", "MARC O'NEIL", "YUKI TANAKA", "J P VAN DIJK", "SOFIA GARCIA LOPEZ", "DR HANS MUELLER")
BANKS = ("First River Bank", "NORTHLIGHT", "Banco del Sol", "Harbour Savings")
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
        cuts = (0, 4, 10, 15) if len(self.number) == 15 else (0, 4, 8, 12, 16)
        return " ".join(self.number[start:end] for start, end in pairwise(cuts))

    @property
    def thru(self) -> str:
        return f"{self.expiry[5:]}/{self.expiry[2:4]}"


def checked(digits: str) -> str:
    """The digits with the check digit that ISO/IEC 7812 wants after them."""
    return next(digits + last for last in "0123456789" if _sum(digits + last) % 10 == 0)


def _sum(number: str) -> int:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled)


def card(chance: random.Random, *, valid: bool = True) -> Card:
    """A made-up card; not `valid`: one whose check digit is wrong."""
    brand = chance.choice([*FIRST, "Visa", "Mastercard"])
    first, length = chance.choice(FIRST[brand])
    number = checked(first + "".join(chance.choices("0123456789", k=length - len(first) - 1)))
    if not valid:
        number = number[:-1] + str((int(number[-1]) + chance.randint(1, 9)) % 10)
    expiry = f"20{chance.randint(27, 34)}-{chance.randint(1, 12):02d}"
    return Card(number, brand, expiry, chance.choice(HOLDERS), chance.choice(BANKS))


def photo(shown: Card, condition: str, chance: random.Random, *, kind: str = "JPEG") -> bytes:
    """A photo of one card in a condition."""
    return encoded(_seen(_laid(_printed(shown, condition, chance), condition, chance), condition, chance), kind)


def photo_of_two(one: Card, other: Card, chance: random.Random) -> bytes:
    """Two cards beside each other, one a little lower."""
    table = _table((1700, 1000), chance)
    for at, shown in enumerate((one, other)):
        small = _printed(shown, "flat", chance).resize((780, 492), Image.Resampling.LANCZOS)
        table.paste(small, (40 + at * 830, 120 + at * 180), small)
    return encoded(table.convert("RGB"))


def landscape(chance: random.Random) -> bytes:
    """No card at all: sky, hills, a sun."""
    picture = Image.linear_gradient("L").resize(TABLE).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((900, 80, 1040, 220), fill=(250, 240, 180))
    for _ in range(9):
        x, y = chance.randint(-200, 1200), chance.randint(450, 700)
        draw.ellipse((x, y, x + 700, y + 600), fill=(chance.randint(20, 60), chance.randint(90, 150), 50))
    return encoded(picture.filter(ImageFilter.GaussianBlur(2)))


def notice(chance: random.Random) -> bytes:
    """A sheet of paper with text and some digits, but no card."""
    picture = Image.new("RGB", TABLE, (240, 238, 230))
    draw = ImageDraw.Draw(picture)
    lines = ("Meeting moved to Tuesday", "Room 214, second floor", "please bring the minutes", "and something to write")
    for at, line in enumerate(lines):
        draw.text((140, 160 + at * 130), line, font=_font(FONTS[chance.randrange(4)], 58), fill=(30, 30, 40))
    return encoded(picture)


def turned(image: bytes, degrees: int) -> bytes:
    """A photo turned by quarters."""
    return encoded(Image.open(io.BytesIO(image)).rotate(degrees, expand=True))


def encoded(picture: Image.Image, kind: str = "JPEG") -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, kind, **({"quality": 85} if kind == "JPEG" else {}))
    return file.getvalue()


def _font(named: tuple[str, str], size: int) -> ImageFont.FreeTypeFont:
    package, file = named
    if not package:
        found = ImageFont.load_default(size)
        assert isinstance(found, ImageFont.FreeTypeFont)
        return found
    spec = find_spec(package)
    assert spec is not None, f"{package} is among what requirements-dev.txt installs"
    (folder,) = spec.submodule_search_locations or [""]
    return ImageFont.truetype(str(pathlib.Path(folder) / "files" / file), size)


def _colours(condition: str, chance: random.Random) -> tuple[Colour, Colour]:
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


def _printed(shown: Card, condition: str, chance: random.Random) -> Image.Image:
    """The card itself, face up, with round corners."""
    ground, ink = _colours(condition, chance)
    picture = Image.new("RGBA", (WIDTH, HEIGHT), (*ground, 255))
    draw = ImageDraw.Draw(picture)
    for _ in range(3):
        x, y, size = chance.randint(0, WIDTH), chance.randint(0, HEIGHT), chance.randint(200, 600)
        tint = tuple(max(0, min(255, channel + chance.randint(-9, 9))) for channel in ground)
        draw.ellipse((x - size, y - size, x + size, y + size), fill=(*tint, 255))
    draw.rounded_rectangle((80, 200, 210, 300), 16, fill=(205, 175, 95, 255), outline=(120, 95, 40, 255), width=3)
    named = FONTS[chance.randrange(len(FONTS))]
    size = 62 if named[0] else 66
    _write(picture, (76, 340), shown.grouped, _font(named, size), ink, condition)
    small = _font(named, 22)
    _write(picture, (360, 436), "VALID THRU", small, ink, condition)
    _write(picture, (500, 426), shown.thru, _font(named, 40), ink, condition)
    _write(picture, (76, 528), shown.holder, _font(named, 38), ink, condition)
    plain = "flat" if condition == "embossed" else condition
    _write(picture, (76, 60), shown.bank, _font(FONTS[-1], 46), ink if plain != "flat" else _inverse(ground), plain)
    _write(
        picture,
        (WIDTH - 290, 560),
        shown.brand,
        _font(FONTS[-1], 34),
        _inverse(ground) if plain == "flat" else ink,
        plain,
    )
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), 40, fill=255)
    picture.putalpha(mask)
    return picture


def _inverse(ground: Colour) -> Colour:
    return (25, 25, 30) if sum(ground) > 380 else (235, 235, 230)


def _write(
    picture: Image.Image, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, ink: Colour, condition: str
) -> None:
    draw = ImageDraw.Draw(picture)
    if condition == "embossed":
        edge = max(1, round(font.size / 28))
        lit, shaded = (tuple(max(0, min(255, channel + by)) for channel in ink) for by in (75, -75))
        draw.text((at[0] - edge, at[1] - edge), text, font=font, fill=lit)
        draw.text((at[0] + edge, at[1] + edge), text, font=font, fill=shaded)
    draw.text(at, text, font=font, fill=ink)


def _table(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """What lies beneath: a plain colour with a grain."""
    shade = chance.randint(60, 200)
    noise = np.random.default_rng(chance.getrandbits(32)).normal(shade, 7, (size[1], size[0], 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1)).convert("RGBA")


def _laid(face: Image.Image, condition: str, chance: random.Random) -> Image.Image:
    """The card on the table, seen from where the condition says."""
    table = _table(TABLE, chance)
    sheet = Image.new("RGBA", TABLE, (0, 0, 0, 0))
    sheet.paste(face, ((TABLE[0] - WIDTH) // 2, (TABLE[1] - HEIGHT) // 2), face)
    angle = chance.uniform(-2, 2)
    if condition == "tilted":
        angle = chance.choice((-1, 1)) * chance.uniform(6, 15)
        sheet = _slanted(sheet, chance)
    elif condition == "upside_down":
        angle += 180
    sheet = sheet.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    grown = table.resize(sheet.size)
    grown.alpha_composite(sheet)
    return grown.convert("RGB")


def _slanted(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """The sheet seen from one side: one edge up to a sixth shorter than the other."""
    width, height = sheet.size
    inset = chance.uniform(0.06, 0.16) * height / 2
    corners = [(0, -inset), (width, inset), (width, height - inset), (0, height + inset)]
    rows: list[list[float]] = []
    wanted: list[float] = []
    for (u, v), (x, y) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return sheet.transform(
        sheet.size, Image.Transform.PERSPECTIVE, np.linalg.solve(rows, wanted).tolist(), Image.Resampling.BICUBIC
    )


def _seen(picture: Image.Image, condition: str, chance: random.Random) -> Image.Image:
    """What the camera makes of it."""
    noise = np.random.default_rng(chance.getrandbits(32))
    if condition == "blurred":
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(2.0, 4.0)))
    values = np.asarray(picture, dtype=np.float32)
    if condition == "dim":
        values = values * chance.uniform(0.12, 0.25)
    return Image.fromarray((values + noise.normal(0, 4, values.shape)).clip(0, 255).astype(np.uint8))
