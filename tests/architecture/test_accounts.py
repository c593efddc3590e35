"""Every kind of ledger account is known again by its name, and docs/ledger.md says what it stands for."""

import inspect
from typing import get_type_hints

import pytest

from billfold import ledger
from infra.plan.stages import ROOT

MAKERS = {
    name: maker
    for name, maker in inspect.getmembers(ledger, inspect.isfunction)
    if get_type_hints(maker).get("return") is ledger.Account and maker is not ledger.account
}


@pytest.mark.parametrize("name", MAKERS)
def test_an_account_that_can_be_made_is_known_by_its_name(name):
    """A row has the name alone: an account that nobody knows again could be paid into and never read."""
    parameters = inspect.signature(MAKERS[name]).parameters
    account = MAKERS[name](*(f"{parameter}_1" for parameter in parameters))
    try:
        assert ledger.account(account.name) == account
    except ValueError:
        pytest.fail(
            f"add {account.name.partition('/')[0]!r}, which ledger.{name} makes, to ledger.account", pytrace=False
        )


@pytest.mark.parametrize("name", MAKERS)
def test_the_guide_says_what_an_account_stands_for(name):
    """Its table is what operations read a balance sheet by."""
    parameters = inspect.signature(MAKERS[name]).parameters
    said = MAKERS[name](*(f"<{parameter.removesuffix('_id')}>" for parameter in parameters)).name
    assert f"| `{said}` |" in (ROOT / "docs/ledger.md").read_text(), f"docs/ledger.md, Accounts: add a row for `{said}`"
