"""Keys and signatures as nobody honest makes them: points of small order, points in other encodings, no points, other spellings."""

import base64
import json
import time
import uuid
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold.bills import taps
from billfold.bills.bill_errors import SignatureInvalid
from billfold.errors import Invalid, ProofInvalid
from billfold.merchants import Terminal, merchant_rows
from billfold.tables.commits import Commit
from billfold.triggers import dpop, public_keys
from billfold.triggers.http import Request
from infra.clients.phones import Phone, Till
from tests import world

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
# The eight points of order 1, 2, 4 and 8 and their other six encodings, as published ("Taming the many EdDSAs", table 6).
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
# R is the neutral point and S is 0: sound wherever the hash times the key is the neutral point too.
NOBODY_S = bytes([1]) + bytes(63)
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    (a, b), (c, d) = one, other
    cross = D * a * b * c * d
    return (a * d + b * c) * pow(1 + cross, -1, P) % P, (b * d + a * c) * pow(1 - cross, -1, P) % P


def times(number: int, point: Point) -> Point:
    total = NEUTRAL
    while number:
        total = add(total, point) if number & 1 else total
        point, number = add(point, point), number >> 1
    return total


def point_of(raw: bytes) -> Point | None:
    """RFC 8032, 5.1.3, by the square root that it describes; None for no point, and for a second encoding."""
    y, sign = int.from_bytes(raw, "little") % 2**255, raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


def encoding(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl_says(raw: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def spellings(raw: bytes) -> list[str]:
    """Every padded base64 text that a lenient reader takes for these bytes, the proper one first."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    proper = base64.b64encode(raw).decode()
    kept = proper.rstrip("=")
    padding = proper[len(kept) :]
    found = [kept[:-1] + letter + padding for letter in letters]
    return sorted((text for text in found if base64.b64decode(text) == raw), key=lambda text: text != proper)


def test_the_list_of_small_orders_is_what_the_curve_itself_says():
    """Any point times the great order is of small order; so are all eight, and six have a second encoding or a sign without use."""
    torsion = {NEUTRAL}
    for number in range(2, 40):
        point = point_of(number.to_bytes(32, "little"))
        torsion |= {times(L, point)} if point else set()
    assert len(torsion) == 8
    assert all(times(8, point) == NEUTRAL for point in torsion)
    others = {
        (y + add).to_bytes(32, "little") for x, y in torsion for add in (P, P + 2**255) if y + add % 2**255 < 2**255
    }
    others |= {(y | 2**255).to_bytes(32, "little") for x, y in torsion if x == 0}
    assert {encoding(point) for point in torsion} | others == {bytes.fromhex(text) for text in SMALL}


@pytest.mark.parametrize("text", SMALL)
def test_a_point_of_small_order_is_nobodys_key(shop, text):
    """VB-02, VB-06: refused at both registrations, whatever its encoding."""
    raw = bytes.fromhex(text)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}
    phone = world.call("POST", "/v1/devices", world.Person(), {"name": "phone", "jwk": jwk})
    assert (phone.status, phone.body.get("pointer")) == (400, "/jwk")
    till = {"merchant": shop.merchant, "public_key": base64.b64encode(raw).decode()}
    terminal = world.call("POST", "/v1/terminals", shop.admin, till)
    assert (terminal.status, terminal.body.get("pointer")) == (400, "/public_key")


@pytest.mark.parametrize("text", SMALL)
def test_what_was_registered_under_such_a_key_verifies_nothing(text):
    """VB-06, VB-07: a signature that OpenSSL finds sound, made by nobody, for a terminal and for a phone of an earlier version."""
    raw = bytes.fromhex(text)
    terminal = Terminal("trm_1", "mer_1", "till", base64.b64encode(raw).decode())
    items = ({"counter": number, "amount": 1} for number in range(1_000))
    item = next(item for item in items if openssl_says(raw, NOBODY_S, taps.DOMAIN + rfc8785.dumps(item)))
    with pytest.raises(SignatureInvalid):
        taps.check_signature(item | {"signature": base64.b64encode(NOBODY_S).decode()}, terminal)

    header = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}}
    claims = {"htm": "POST", "htu": "https://api.example/v1/cards", "iat": int(time.time())}
    proofs = (signed_part(header, claims | {"jti": str(number)}) for number in range(1_000))
    signed = next(text for text in proofs if openssl_says(raw, NOBODY_S, text.encode()))
    with pytest.raises(ProofInvalid):
        dpop.device(request(f"{signed}.{base64url(NOBODY_S)}"))


def signed_part(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))


def request(header: str) -> Request[Any]:
    headers = {"dpop": header, "authorization": "Bearer token"}
    now = int(time.time() * 1000)
    return Request("req", "usr_1", frozenset(), "POST", "/v1/cards", {}, {}, headers, None, "", "", now, "", "")


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(min_size=32, max_size=32), st.integers(0, 60).map(lambda n: (2**255 - n - 1).to_bytes(32, "little"))
    )
)
def test_a_key_is_taken_exactly_if_it_is_the_encoding_of_a_point_of_great_order(raw):
    """VB-02: half of all texts are no point; judged beside another way to decode one (RFC 8032), and eight times the point."""
    point = point_of(raw)
    good = point is not None and times(8, point) != NEUTRAL
    assert taken(raw) == good


def taken(raw: bytes) -> bool:
    try:
        public_keys.ed25519(raw)
    except ValueError:
        return False
    return True


def test_honest_keys_are_taken():
    """As two kinds of phone and a till make them."""
    for _ in range(50):
        assert taken(base64.b64decode(Till().public_key))
        for phone in (Phone(), Phone("P-256")):
            assert public_keys.from_jwk(phone.jwk, "/jwk")[1] == phone.thumbprint


P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORIGIN = (bytes(32), bytes(32))
EDGES = [
    ORIGIN,
    (b"", b""),
    (bytes(1), b""),
    *((bytes(32), (n % 2**256).to_bytes(32)) for n in (1, P256, P256 + 1, -1)),
]


@pytest.mark.parametrize(("x", "y"), EDGES)
def test_infinity_and_its_like_are_no_keys_of_p_256(x, y):
    """VB-02: no coordinates, zeros, the field's prime and beyond."""
    with pytest.raises(Invalid):
        public_keys.from_jwk({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)}, "/jwk")


@settings(max_examples=100)
@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_a_point_off_p_256_is_no_key(x, y):
    """VB-02: also with a coordinate of an honest key, and one that is the same modulo the field's prime."""
    jwk = Phone("P-256").jwk
    point = [(x, y), (x, number(jwk["y"])), (number(jwk["x"]), y), (number(jwk["x"]) + P256, number(jwk["y"]))]
    for a, b in point:
        if a >= 2**256 or (a, b) == (number(jwk["x"]), number(jwk["y"])):
            continue
        with pytest.raises(Invalid):
            public_keys.from_jwk(jwk | {"x": base64url(a.to_bytes(32)), "y": base64url(b.to_bytes(32))}, "/jwk")


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "="))


def test_a_signed_item_has_one_spelling(visitor, shop):
    """VB-07, VB-11: an item's id is derived from its signature's text, so a second spelling would be a second item."""
    till, bill = shop.tills[0], world.opened(visitor)
    item = till.item(bill, [("tea", 1, 150)])
    raw = base64.b64decode(item["signature"])
    larger = (int.from_bytes(raw[32:], "little") + L).to_bytes(32, "little")
    proper, *others = spellings(raw)
    others += [proper.rstrip("="), proper + "\n", " " + proper, proper + "====", proper[:10] + "\n" + proper[10:]]
    others += [base64.b64encode(raw[:32] + larger).decode()]
    others += [base64url(raw) + "=="] if {"+", "/"} & set(proper) else []
    # What is no text by the wire's rule is not even read as a signature.
    refused = [("refused", "signature_invalid"), ("refused", "invalid")]
    for text in others:
        result = world.tap(visitor, bill, [item | {"signature": text}]).body["results"][0]
        assert (result["outcome"], result["problem"]["code"]) in refused, text
    assert world.tap(visitor, bill, [item]).body["results"][0]["outcome"] == "added"
    for text in others:
        assert world.tap(visitor, bill, [item | {"signature": text}]).body["results"][0]["outcome"] == "refused"
    assert len(world.shown(visitor, bill)["items"]) == 1


def test_a_terminals_key_has_one_spelling_and_one_that_was_stored_in_another_still_serves(visitor, shop):
    """VB-06: a second base64 of the same bytes is refused, as base64url is; rows of an earlier version keep their till working."""
    till = Till()
    proper, *others = spellings(base64.b64decode(till.public_key))
    for text in (*others, proper.rstrip("="), proper + "\n"):
        body = {"merchant": shop.merchant, "public_key": text}
        answer = world.call("POST", "/v1/terminals", shop.admin, body)
        assert (answer.status, answer.body.get("pointer")) == (400, "/public_key"), text
    till.terminal_id = f"trm_{uuid.uuid4().hex}"
    commit = Commit(till.terminal_id)
    merchant_rows.add_terminal(commit, Terminal(till.terminal_id, shop.merchant, "till", others[0]), 1)
    commit.send()
    bill = world.opened(visitor)
    assert world.tap(visitor, bill, [till.item(bill, [("tea", 1, 150)])]).body["results"][0]["outcome"] == "added"
