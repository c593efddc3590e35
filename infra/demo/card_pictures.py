"""Photos of cards that never were: drawn, laid on a table, tilted, dimmed, blurred, and saved as a phone would.

    flat          dark print on a light card, or light print on a dark one
    embossed      raised letters: a lit edge, a shaded edge, and a face of nearly the card's own colour
    low_contrast  print that differs from the card by a tenth to a sixth of the range
    tilted        turned by up to 15 degrees, and seen at a slant
    upside_down   turned by about 180 degrees
    slanted       seen from one side, an edge up to a third shorter than the other
    dim           an eighth to a quarter of the light, with a sensor's noise
    blurred       out of focus
    glare         a lamp's reflection somewhere on the card, half transparent
    noisy         a sensor's noise alone
    compressed    saved small, progressively
    small         a third of the size

What lies on a card is its `cover`: a thumb, or a highlight that leaves nothing to see, on one group of the number.

Everything follows from the seed. Numbers are made up: a brand's first digits, then random ones, then the check digit.
"""

import io
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from infra.demo.card_faces import DESIGNS, FONTS, Card, classic, font

CONDITIONS = (
    *("flat", "embossed", "low_contrast", "tilted", "upside_down", "slanted"),
    *("dim", "blurred", "glare", "noisy", "compressed", "small"),
)
TABLE = (1280, 900)
FIRST = {
    "Visa": (("4", 16),),
    "Mastercard": (("51", 16), ("55", 16), ("2221", 16)),
    "American Express": (("34", 15), ("37", 15)),
    "Discover": (("6011", 16),),
    "JCB": (("3530", 16),),
    "UnionPay": (("6212", 16),),
}
# Lengths that are rarer, and two brands more.
RARE = FIRST | {
    "Visa": (("4", 13), ("4", 16), ("4", 19)),
    "Discover": (("6011", 16), ("6011", 19)),
    "UnionPay": (("6212", 16), ("6250", 19)),
    "Diners Club": (("36", 14),),
    "Maestro": (("6759", 16), ("6761", 19)),
}
HOLDERS = ("AMELIA JONES", "MARC O'NEIL", "YUKI TANAKA", "J P VAN DIJK", "SOFIA GARCIA LOPEZ", "DR HANS MUELLER")
BANKS = ("First River Bank", "NORTHLIGHT", "Banco del Sol", "Harbour Savings")


def checked(digits: str) -> str:
    """The digits with the check digit that ISO/IEC 7812 wants after them."""
    return next(digits + last for last in "0123456789" if _sum(digits + last) % 10 == 0)


def _sum(number: str) -> int:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled)


def card(chance: random.Random, *, valid: bool = True, rare: bool = False) -> Card:
    """A made-up card; not `valid`: one whose check digit is wrong; `rare`: of eight brands and 13 to 19 digits."""
    known = RARE if rare else FIRST
    brand = chance.choice([*known, "Visa", "Mastercard"])
    first, length = chance.choice(known[brand])
    number = checked(first + "".join(chance.choices("0123456789", k=length - len(first) - 1)))
    if not valid:
        number = number[:-1] + str((int(number[-1]) + chance.randint(1, 9)) % 10)
    expiry = f"20{chance.randint(27, 34)}-{chance.randint(1, 12):02d}"
    return Card(number, brand, expiry, chance.choice(HOLDERS), chance.choice(BANKS))


def photo(
    shown: Card, condition: str, chance: random.Random, *, kind: str = "JPEG", design: str = "classic", cover: str = ""
) -> bytes:
    """A photo of one card in a condition; `cover` is `thumb` or `highlight`, and a group's number from 0, as in `thumb 0`."""
    face = DESIGNS[design](shown, condition, chance)
    if cover:
        kind_of_cover, group = cover.split()
        _covered(face, shown, kind_of_cover, int(group))
    taken = _seen(_laid(face, condition, chance), condition, chance)
    return encoded(taken, kind, compressed=condition == "compressed")


def _covered(face: Image.Image, shown: Card, cover: str, group: int) -> None:
    """Something lies over a group of a number in one line."""
    each = 62 * 0.6
    before = sum(len(one) + 1 for one in shown.groups[:group])
    left, right = 76 + before * each - 18, 76 + (before + len(shown.groups[group])) * each + 18
    over = Image.new("RGBA", face.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(over)
    if cover == "thumb":
        draw.ellipse((left - 20, 310, right + 20, 900), fill=(205, 160, 135, 255))
    else:
        draw.ellipse((left - 10, 300, right + 10, 470), fill=(255, 255, 255, 255))
    face.alpha_composite(over.filter(ImageFilter.GaussianBlur(5)))


def photo_of_two(one: Card, other: Card, chance: random.Random) -> bytes:
    """Two cards beside each other, one a little lower."""
    table = _table((1700, 1000), chance)
    for at, shown in enumerate((one, other)):
        small = classic(shown, "flat", chance).resize((780, 492), Image.Resampling.LANCZOS)
        table.paste(small, (40 + at * 830, 120 + at * 180), small)
    return encoded(table.convert("RGB"))


def receipt(chance: random.Random) -> bytes:
    """A till's slip: an order number that could be a card's, a masked card, dates, thanks."""
    order = checked("4" + "".join(chance.choices("0123456789", k=14)))
    lines = (
        *("CORNER STORE", "12 High Street", f"ORDER {order}", "2 x Coffee 7.00", "TOTAL 7.00", "CARD **** 4242"),
        *("12/11/26 10:24", "THANK YOU", "PLEASE COME AGAIN"),
    )
    return _sheet(lines, 44, chance)


def small_print(chance: random.Random) -> bytes:
    """A page of 1600 by 2200 pixels full of small print."""
    words = (
        "the",
        "card",
        "holder",
        "agrees",
        "that",
        "every",
        "amount",
        "of",
        "1250",
        "or",
        "more",
        "is",
        "due",
        "then",
    )
    picture = Image.new("RGB", (1600, 2200), "white")
    draw = ImageDraw.Draw(picture)
    for y in range(30, 2170, 20):
        draw.text((40, y), " ".join(chance.choices(words, k=26)), font=font(FONTS[-1], 15), fill="black")
    return encoded(picture)


def _sheet(lines: tuple[str, ...], size: int, chance: random.Random) -> bytes:
    picture = Image.new("RGB", TABLE, (240, 238, 230))
    draw = ImageDraw.Draw(picture)
    named = FONTS[chance.randrange(len(FONTS))]
    for at, line in enumerate(lines):
        draw.text((140, 60 + round(at * 780 / len(lines))), line, font=font(named, size), fill=(30, 30, 40))
    return encoded(picture)


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
    lines = ("Meeting moved to Tuesday", "Room 214, second floor", "please bring the minutes", "and something to write")
    return _sheet(lines, 58, chance)


def turned(image: bytes, degrees: int) -> bytes:
    """A photo turned by quarters."""
    return encoded(Image.open(io.BytesIO(image)).rotate(degrees, expand=True))


def encoded(picture: Image.Image, kind: str = "JPEG", *, compressed: bool = False) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    options = {"quality": 35 if compressed else 85, "progressive": compressed} if kind == "JPEG" else {}
    picture.convert("RGB").save(file, kind, **options)
    return file.getvalue()


def _table(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """What lies beneath: a plain colour with a grain."""
    shade = chance.randint(60, 200)
    noise = np.random.default_rng(chance.getrandbits(32)).normal(shade, 7, (size[1], size[0], 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1)).convert("RGBA")


def _laid(face: Image.Image, condition: str, chance: random.Random) -> Image.Image:
    """The card on the table, seen from where the condition says."""
    table = _table(TABLE, chance)
    if face.height > face.width:
        table = table.rotate(90, expand=True)
    sheet = Image.new("RGBA", table.size, (0, 0, 0, 0))
    sheet.paste(face, ((table.width - face.width) // 2, (table.height - face.height) // 2), face)
    angle = chance.uniform(-2, 2)
    if condition == "tilted":
        angle = chance.choice((-1, 1)) * chance.uniform(6, 15)
        sheet = _slanted(sheet, chance.uniform(0.06, 0.16))
    elif condition == "slanted":
        sheet = _slanted(sheet, chance.uniform(0.2, 0.33))
    elif condition == "upside_down":
        angle += 180
    sheet = sheet.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    grown = table.resize(sheet.size)
    grown.alpha_composite(sheet)
    return grown.convert("RGB")


def _slanted(sheet: Image.Image, shorter: float) -> Image.Image:
    """The sheet seen from one side: one edge shorter than the other by this part."""
    width, height = sheet.size
    inset = shorter * height / 2
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
    if condition == "small":
        picture = picture.resize((picture.width // 3, picture.height // 3), Image.Resampling.LANCZOS)
    values = np.asarray(picture, dtype=np.float32)
    if condition == "dim":
        values = values * chance.uniform(0.12, 0.25)
    if condition == "glare":
        values = values + _reflection(picture.size, chance)
    grain = 22 if condition == "noisy" else 4
    return Image.fromarray((values + noise.normal(0, grain, values.shape)).clip(0, 255).astype(np.uint8))


def _reflection(size: tuple[int, int], chance: random.Random) -> np.ndarray:
    """A lamp's light on the card."""
    lamp = Image.new("L", size, 0)
    x, y, radius = chance.randint(200, size[0] - 200), chance.randint(200, size[1] - 200), chance.randint(60, 160)
    ImageDraw.Draw(lamp).ellipse((x - radius, y - radius, x + radius, y + radius), fill=chance.randint(70, 130))
    return np.asarray(lamp.filter(ImageFilter.GaussianBlur(radius / 3)), dtype=np.float32)[:, :, np.newaxis]
