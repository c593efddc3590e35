"""Which bank serves a card (CB-08)."""

import pytest

from billfold.banks import BankUnknown, bank, issuers

SETTING = "4=sandbox 5=sandbox 2=sandbox 34=sandbox 37=sandbox 4000=stripe 400056=other"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("4242424242424242", "sandbox"),
        ("371449635398431", "sandbox"),
        ("361449635398431", None),
        ("4000123412341234", "stripe"),
        ("4000561234123412", "other"),
        ("4000551234123412", "stripe"),
        ("6011000990139424", None),
        ("", None),
        ("3", None),
    ],
)
def test_the_longest_prefix_wins_and_some_cards_nobody_serves(number, expected):
    """CB-08: None is UNSUPPORTED_ISSUER."""
    assert issuers.serving(issuers.parse(SETTING), number) == expected


@pytest.mark.parametrize(
    "setting", ["4", "4=", "=sandbox", "x=sandbox", "4=sandbox 4=stripe", "4=Sandbox", "٤=sandbox"]
)
def test_a_setting_that_cannot_be_read_is_an_error(setting):
    """A wrong stage fails loudly."""
    with pytest.raises(ValueError, match="not one bank"):
        issuers.parse(setting)


def test_the_stages_setting_is_what_counts(monkeypatch):
    """BILLFOLD_ISSUERS."""
    monkeypatch.setenv("BILLFOLD_ISSUERS", "51=stripe")
    assert issuers.bank_of("5105105105105100") == "stripe"
    assert issuers.bank_of("4242424242424242") is None


@pytest.mark.parametrize("name", ["", "nobody", "issuers", "../sandbox"])
def test_a_bank_that_there_is_not_is_refused(name):
    """Only adapters are imported by name."""
    with pytest.raises(BankUnknown):
        bank(name)
