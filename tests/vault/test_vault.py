"""The vault on moto's KMS, which authenticates ciphertexts and contexts as AWS does: whatever is moved or changed stays shut.

Which key a ciphertext names moto says by another error than AWS (AccessDenied instead of IncorrectKey); what AWS answers is
therefore also given word for word.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from billfold import aws, vault
from billfold.cards import card_holder_rows
from billfold.errors import Unavailable
from billfold.vault import SealBroken, Sealed, vault_rows
from tests.world import vault_keys

NUMBER, PERSON = b"4242424242424242", b'{"name":"Ada Holder"}'
PARTS = {"number": NUMBER, "person": PERSON}
# How moto's ciphertexts begin: with the id of their key, which on AWS is authenticated too.
KEY_ID_BYTES = 36


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    """Both keys of two generations; the newer one is used once the environment names it."""
    with mock_aws():
        vault_keys.make("1", "2")
        yield boto3.client("kms")
        aws.forget()


@contextmanager
def answering(action: str, answer: Any) -> Iterator[list[int]]:
    """Have KMS answer every call of an action with this error (a code, or an exception of the wire); counts them."""
    asked: list[int] = []

    def answered(**_: Any) -> Any:
        asked.append(1)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(status_code=400), {"Error": {"Code": answer, "Message": "scripted"}}

    events, event = aws.client("kms").meta.events, f"before-call.kms.{action}"
    events.register_first(event, answered)
    try:
        yield asked
    finally:
        events.unregister(event, answered)


def flipped(data: bytes, place: int, bit: int = 0) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


# ----------------------------------------------------------------------------------------------------- sealing, opening


@settings(max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=300), min_size=1, max_size=4))
def test_what_was_sealed_is_opened_again(kms, parts):
    """CB-19: any parts, empty ones included, each by its name."""
    assert vault.open_parts("crd_1", vault.seal_parts("crd_1", parts)) == parts


def test_one_part_is_sealed_and_opened_without_a_name(kms):
    """CB-19."""
    assert vault.open_sealed("crd_1", vault.seal("crd_1", NUMBER)) == NUMBER


def test_two_seals_of_the_same_number_have_nothing_in_common(kms):
    """CB-19: another data key and another nonce each time; nobody can tell that the numbers are equal."""
    seals = [vault.seal_parts("crd_1", {"number": NUMBER, "again": NUMBER}) for _ in range(3)]
    texts = [part.ciphertext for sealed in seals for part in sealed.values()]
    assert len({text[: vault.NONCE_BYTES] for text in texts}) == len({text[vault.NONCE_BYTES :] for text in texts}) == 6
    assert len({part.data_key for sealed in seals for part in sealed.values()}) == 3


def test_nothing_of_the_plaintext_is_in_a_seal(kms):
    """CB-18, CB-19: neither in its bytes nor when it is printed."""
    sealed = vault.seal_parts("crd_1", PARTS)
    for part in sealed.values():
        assert NUMBER not in part.ciphertext + part.data_key
        assert repr(part) == str(part) == "Sealed(generation='1')"


# ---------------------------------------------------------------------------------------------------- moved and changed


@pytest.mark.parametrize("part", PARTS)
def test_no_byte_of_a_ciphertext_can_be_changed(kms, part):
    """CB-19: nonce, text and tag, one bit at every place."""
    sealed = vault.seal_parts("crd_1", PARTS)
    whole = sealed[part].ciphertext
    for place in range(len(whole)):
        changed = sealed | {part: replace(sealed[part], ciphertext=flipped(whole, place, place % 8))}
        with pytest.raises(SealBroken):
            vault.open_parts("crd_1", changed)


def test_no_byte_of_a_data_key_can_be_changed(kms):
    """CB-19: KMS itself refuses it, at every place."""
    sealed = vault.seal("crd_1", NUMBER)
    for place in range(len(sealed.data_key)):
        changed = replace(sealed, data_key=flipped(sealed.data_key, place))
        with pytest.raises(SealBroken if place >= KEY_ID_BYTES else (SealBroken, Unavailable)):
            vault.open_sealed("crd_1", changed)


@pytest.mark.parametrize("kept", [0, 1, 7, 11, 12, 13, 27, 28, -1])
def test_a_ciphertext_cut_short_or_made_longer_stays_shut(kms, kept):
    """CB-19: down to nothing at all."""
    sealed = vault.seal("crd_1", NUMBER)
    for text in (sealed.ciphertext[:kept], sealed.ciphertext + b"\0"):
        with pytest.raises(SealBroken):
            vault.open_sealed("crd_1", replace(sealed, ciphertext=text))


def test_two_cards_seals_exchanged_stay_shut(kms):
    """CB-19: whole rows, ciphertexts alone, and data keys alone."""
    one, other = vault.seal_parts("crd_1", PARTS), vault.seal_parts("crd_2", PARTS)
    text = {name: replace(one[name], ciphertext=other[name].ciphertext) for name in PARTS}
    key = {name: replace(one[name], data_key=other[name].data_key) for name in PARTS}
    for moved in (other, text, key, one | {"number": other["number"]}):
        with pytest.raises(SealBroken):
            vault.open_parts("crd_1", moved)
    assert vault.open_parts("crd_2", other) == vault.open_parts("crd_1", one) == PARTS


def test_kms_checks_whose_data_key_it_is_before_the_cipher_does(kms):
    """CB-19: the subject is KMS's encryption context, so that AWS's own log says for which card a key was asked."""
    sealed = vault.seal("crd_1", NUMBER)
    asked = {"KeyId": os.environ["BILLFOLD_KEY_VAULT_1"], "CiphertextBlob": sealed.data_key}
    assert len(kms.decrypt(**asked, EncryptionContext={"card": "crd_1"})["Plaintext"]) == 32
    for context in ({}, {"card": "crd_2"}, {"card": "crd_1", "more": "x"}, {"Card": "crd_1"}):
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            kms.decrypt(**asked, EncryptionContext=context)


def test_a_part_opens_by_no_other_name(kms):
    """CB-19: the person's details are never taken for the number, nor two parts of one card for each other."""
    sealed = vault.seal_parts("crd_1", PARTS)
    assert vault.open_parts("crd_1", {"number": sealed["number"]}) == {"number": NUMBER}
    for name in ("person", "", "Number", "number "):
        with pytest.raises(SealBroken):
            vault.open_parts("crd_1", {name: sealed["number"]})
    with pytest.raises(SealBroken):
        vault.open_parts("crd_1", {"number": sealed["person"], "person": sealed["number"]})


def test_subject_and_part_are_told_apart(kms):
    """CB-19: `crd_1` with the part `/number` is not `crd_1/` with the part `number`, though the joined texts look alike."""
    sealed = vault.seal_parts("crd_1", {"/number": NUMBER})
    with pytest.raises(SealBroken):
        vault.open_parts("crd_1/", {"number": sealed["/number"]})


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "IncorrectKeyException"])
def test_what_kms_finds_wrong_with_a_data_key_is_a_broken_seal(kms, code):
    """CB-19: in AWS's own words for a changed ciphertext, another context, and another key's ciphertext; not asked twice."""
    sealed = vault.seal("crd_1", NUMBER)
    with answering("Decrypt", code) as asked, pytest.raises(SealBroken):
        vault.open_sealed("crd_1", sealed)
    assert len(asked) == 1


# ------------------------------------------------------------------------------------------------------------- rotation


def test_seals_of_an_older_generation_open_as_long_as_it_is_listed(kms, monkeypatch):
    """CB-19: `2 1` seals under 2 and opens both; `2` opens what is of 1 no more, though its key is still there."""
    old = vault.seal("crd_1", NUMBER)
    monkeypatch.setenv("BILLFOLD_VAULT_KEYS", "2 1")
    new = vault.seal("crd_1", NUMBER)
    assert (old.generation, new.generation) == ("1", "2")
    assert vault.open_sealed("crd_1", old) == vault.open_sealed("crd_1", new) == NUMBER
    monkeypatch.setenv("BILLFOLD_VAULT_KEYS", "2")
    assert vault.open_sealed("crd_1", new) == NUMBER
    with pytest.raises(SealBroken):
        vault.open_sealed("crd_1", old)


def test_a_seal_that_names_another_generation_stays_shut(kms, monkeypatch):
    """CB-19: each generation's key opens its own data keys only; an unlisted one is not even asked for."""
    sealed = vault.seal("crd_1", NUMBER)
    monkeypatch.setenv("BILLFOLD_VAULT_KEYS", "2 1")
    with pytest.raises((SealBroken, Unavailable)):
        vault.open_sealed("crd_1", replace(sealed, generation="2"))
    with answering("Decrypt", "IncorrectKeyException"), pytest.raises(SealBroken):
        vault.open_sealed("crd_1", replace(sealed, generation="2"))
    for generation in ("3", "", "1 ", "../1"):
        with answering("Decrypt", "AccessDeniedException") as asked, pytest.raises(SealBroken):
            vault.open_sealed("crd_1", replace(sealed, generation=generation))
        assert not asked


def test_parts_of_two_data_keys_are_never_opened_together(kms):
    """CB-19: a row has one."""
    mixed = {"number": vault.seal("crd_1", NUMBER), "": vault.seal("crd_1", PERSON)}
    with pytest.raises(SealBroken):
        vault.open_parts("crd_1", mixed)


# --------------------------------------------------------------------------------------------------------- fingerprints


def test_equal_numbers_have_equal_fingerprints_and_no_others_do(kms, monkeypatch):
    """CB-16, CB-19: within a generation; another generation's are others, so that old ones tell nothing of new ones."""
    monkeypatch.setenv("BILLFOLD_VAULT_KEYS", "2 1")
    numbers = ["4242424242424242", "4242424242424243", "424242424242424", "04242424242424242"]
    made = [vault.fingerprints(number) for number in numbers]
    assert made == [vault.fingerprints(number) for number in numbers]
    assert len(set(itertools.chain(*made))) == 2 * len(numbers)
    assert made[0] == [vault.fingerprint(numbers[0], "2"), vault.fingerprint(numbers[0], "1")]


def test_a_fingerprint_is_text_that_fits_a_key_and_shows_nothing(kms):
    """CB-18, CB-19: 256 bits of base64url; no digit of the number is read off it."""
    made = vault.fingerprint(NUMBER.decode(), "1")
    assert len(made) == 43
    assert card_holder_rows.holders([made]).keys[0][1] == f"fpr_{made}"
    assert NUMBER.decode()[-4:] not in made


# -------------------------------------------------------------------------------------------------------------- trouble


TROUBLE = [
    "ThrottlingException",
    "KMSInternalException",
    "DependencyTimeoutException",
    "KMSInvalidStateException",
    "DisabledException",
    "AccessDeniedException",
    "NotFoundException",
    EndpointConnectionError(endpoint_url="https://kms"),
    ConnectTimeoutError(endpoint_url="https://kms"),
    ReadTimeoutError(endpoint_url="https://kms"),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
@pytest.mark.parametrize("action", ["GenerateDataKey", "Decrypt", "GenerateMac"])
def test_trouble_with_kms_is_unavailable_and_tells_nothing(kms, action, trouble):
    """CB-18, XX-02: try again later; neither the refusal nor what is behind it carries a number."""
    sealed = vault.seal("crd_1", NUMBER)
    calls = {
        "GenerateDataKey": lambda: vault.seal("crd_1", NUMBER),
        "Decrypt": lambda: vault.open_sealed("crd_1", sealed),
        "GenerateMac": lambda: vault.fingerprint(NUMBER.decode(), "1"),
    }
    with answering(action, trouble), pytest.raises(Unavailable) as refusal:
        calls[action]()
    assert NUMBER.decode() not in told(refusal.value)


def test_a_throttled_call_is_tried_three_times_in_all(kms):
    """XX-02: bounded attempts; a caller's patience is not spent here."""
    sealed, tries = vault.seal("crd_1", NUMBER), []
    events = aws.client("kms").meta.events
    events.register_first("before-send.kms.Decrypt", throttled, "throttled")
    events.register_first("before-send.kms.Decrypt", lambda **_: tries.append(1), "counted")
    try:
        with pytest.raises(Unavailable):
            vault.open_sealed("crd_1", sealed)
    finally:
        for name in ("throttled", "counted"):
            events.unregister("before-send.kms.Decrypt", unique_id=name)
    assert len(tries) == 3


def throttled(**_: Any) -> AWSResponse:
    """KMS's own answer to one call too many, as it comes over the wire."""

    class Raw:
        @staticmethod
        def stream(*_: Any) -> Iterator[bytes]:
            yield b'{"__type":"ThrottlingException","message":"Rate exceeded"}'

    return AWSResponse("https://kms", 400, {"Content-Type": "application/x-amz-json-1.1"}, Raw())


def told(error: BaseException | None) -> str:
    """All that a traceback of an error and of what is behind it would print of them."""
    text = ""
    while error is not None:
        text += f"{error!r} {error} {getattr(error, 'response', '')} {getattr(error, 'facts', '')}"
        error = error.__cause__ or error.__context__
    return text


def test_a_broken_seal_names_the_card_and_nothing_of_what_it_holds(kms):
    """CB-18: the exception, its causes, and the seal itself."""
    sealed = vault.seal("crd_1", NUMBER)
    with pytest.raises(SealBroken) as broken:
        vault.open_sealed("crd_1", replace(sealed, ciphertext=flipped(sealed.ciphertext, 20)))
    text = told(broken.value)
    assert "crd_1" in text
    for secret in (NUMBER.decode(), NUMBER.hex(), repr(sealed.ciphertext), repr(sealed.data_key)):
        assert secret not in text


def test_a_vault_row_gives_back_what_was_sealed_and_no_person_once_it_is_forgotten(kms):
    """CB-05, CB-19: the parts of one row, under its one data key."""
    sealed = vault.seal_parts("crd_1", {vault_rows.NUMBER: NUMBER, vault_rows.PERSON: PERSON})
    row = vault_rows.VaultRow(
        "crd_1",
        "vault",
        generation="1",
        data_key=sealed["number"].data_key,
        number=sealed["number"].ciphertext,
        person=sealed["person"].ciphertext,
    )
    assert vault.open_parts("crd_1", vault_rows.to_parts(row)) == {"number": NUMBER, "person": PERSON}
    row.person = None
    assert vault.open_parts("crd_1", vault_rows.to_parts(row)) == {"number": NUMBER}
    assert isinstance(sealed["number"], Sealed)
