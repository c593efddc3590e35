"""Whoever declares a step wrongly is told each fault of each step at once, with its mend."""

import re

import pytest

from tests.world import scratch

FUNCTIONS = {
    # file: what stands there, what a mistake makes of it, and the mend that is told
    "bills/get_bill": (
        "\nMay       bills Query; people BatchGetItem\n",
        "\n",
        "add the line `May       …` to the header",
    ),
    "bills/list_bills": (
        "May       bills",
        "May       bils",
        "May says 'BatchGetItem' on 'bils', which does not exist",
    ),
    "bills/close_bill": ("/close ", "/end ", 'the line http("POST", "/v1/bills/{bill}/end", close_bill) into app.py'),
    "cards/get_card": ("Writes    nothing", "Writes    card", "or say `Writes    nothing`"),
    "people/set_pin": (
        "Writes    user, outbox                       (one transaction)",
        "Writes    nothing",
        "`May` PutItem",
    ),
    "charges/compare_charges": ("1769 MiB", "1769 MB", "Runs says '1769 MB (a whole core)': write it as"),
    "people/list_devices": ("Again  ", "Agian  ", "the header has a field `Agian`: call it `Again`"),
    "ledger/list_wallets": ("Writes    nothing\n", "", "add the line `Writes    …` to the header"),
    "gateway/check_health": ("(anyone)", "", "write `(anyone)` after the path in the header"),
    "events/list_events": ("def handler", "def handle", "give it a function `handler`"),
    "merchants/get_merchant": ("@http.step", "@queue.step", "give it a function `handler`"),
    "charges/get_top_up": ('"""Show', '""""""\n"""Show', "say what the step does in the first line"),
}
MAP = {
    "merchants/list_terminals": ("", 'http("GET", "/v1/tills", list_terminals)\n', "leave one of these lines"),
    "ledger/get_transfer": ('http("GET", "/v1/transfers/{transfer}", get_transfer)\n', "", "add get_transfer to"),
    "ledger/expire_holds": ('queue("due-holds", expire_holds)\n', "", 'the line queue("due-holds", expire_holds)'),
    "charges/forward_charge_changes": (
        'stream("charges",',
        'stream("charge",',
        "add that table to infra/plan/tables.py",
    ),
    "cards/await_bank": ("task(await_bank)\n", "", "the line task(await_bank)"),
}
# What follows from these mistakes: a queue is there because a step reads it.
ALSO = {"ledger/find_due_holds": "May names queues that no step of app.py reads: due-holds"}
TOLD = {name: mend for name, (_, _, mend) in (FUNCTIONS | MAP).items()} | ALSO


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A copy of the project with every mistake above."""
    folder = scratch.copied(tmp_path_factory.mktemp("broken"))
    for name, (right, wrong, _) in FUNCTIONS.items():
        scratch.replace(folder / f"functions/{name}.py", right, wrong)
    scratch.replace(folder / "functions/merchants/get_merchant.py", "import http,", "import http, queue,")
    scratch.replace(
        folder / "functions/merchants/get_merchant.py",
        "@queue.step(answers=MerchantView, query=(wire.CURRENCY,))",
        "@queue.step",
    )
    for right, wrong, _ in MAP.values():
        if right:
            scratch.replace(folder / "app.py", right, wrong)
        else:
            (folder / "app.py").write_text((folder / "app.py").read_text() + wrong)
    return folder


def test_the_tests_report_every_fault_of_every_step_in_one_run(broken):
    """One that ended at the first, or before collecting, would tell the others one by one."""
    said = scratch.run(
        broken,
        "-m",
        "pytest",
        "tests/architecture/test_house.py",
        "-k",
        "test_a_step_is_tied_once",
        "-p",
        "no:cacheprovider",
    )
    for name, mend in TOLD.items():
        assert re.search(rf"^functions/{name}\.py: .*{re.escape(mend)}", said.stdout, re.MULTILINE), said.stdout
    assert f"{len(TOLD)} failed" in said.stdout


def test_such_a_step_is_not_deployed(broken):
    """The map is refused whole, in one line that names each file and its mend."""
    said = scratch.run(broken, "-m", "infra", "steps")
    assert said.returncode == 1
    assert said.stdout.startswith("Misdeclared: ")
    for name, mend in TOLD.items():
        assert f"functions/{name}.py: " in said.stdout
        assert " ".join(mend.split()) in said.stdout
