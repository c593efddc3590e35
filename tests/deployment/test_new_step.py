"""`make step` writes all of a step that its author need not say, and the architecture's tests tell what is left."""

import ast
import re

import pytest

from infra.plan import new_step
from infra.plan.new_step import NewStep, Refused
from infra.plan.stages import ROOT, Unknown
from tests.world import scratch

MADE = {
    # workflow and name: what starts it
    "coupons claim_coupon": "POST /v1/campaigns/{campaign}/coupons",
    "coupons show_coupon": "GET /v1/coupons/{coupon} (holder)",
    "coupons lock_coupon": "PUT /v1/coupons/{coupon}/lock",
    "alerts drop_alert": "DELETE /v1/alerts/{alert}",
    "coupons expire_coupons": "queue due-coupons",
    "coupons find_due_coupons": "every minute",
    "merchants forward_merchant_changes": "stream merchants",
    "card_photos read_receipt": "upload receipts",
    "cards greet_bank": "task bank_authentication",
}
FILES = [f"functions/{name.replace(' ', '/')}.py" for name in MADE]
# The architecture's tests, but for those that take long and read nothing of what is written here.
SLOW = ("test_order", "test_refusal_texts", "test_operations_templates", "test_words")
MAKE = """
from infra.plan import new_step
for name, trigger in {made}.items():
    new_step.write(new_step.checked(*name.split(), trigger))
"""
CALLS = """
from tests.world import call

def test_the_calls_are_answered(store, alice):
    campaign, coupon = "cam_" + "0" * 32, "cpn_" + "0" * 32
    first, again = (call("POST", f"/v1/campaigns/{campaign}/coupons", alice, key="k") for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body == {"id": alice.user_id}
    assert call("GET", f"/v1/coupons/{coupon}", alice).status == 200
    assert call("PUT", f"/v1/coupons/{coupon}/lock", alice).status == 204
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the project with a new step of each kind."""
    folder = scratch.copied(tmp_path_factory.mktemp("extended"))
    path = "import sys; sys.path[:0] = ['layers/billfold/python', '.']"
    done = scratch.run(folder, "-c", path + MAKE.format(made=MADE))
    assert done.returncode == 0, done.stdout
    return folder


def test_the_architectures_tests_tell_what_is_left_and_nothing_else(extended):
    """Whoever makes a step hears what its header lacks and which pages are written anew, and of no other test."""
    skipped = [f"--ignore=tests/architecture/{name}.py" for name in SLOW]
    told = scratch.run(extended, "-m", "pytest", "tests/architecture", "-p", "no:cacheprovider", "-rf", *skipped)
    failed = re.findall(r"^FAILED tests/architecture/(\w+\.py::\w+(?:\[.*?\])?)", told.stdout, re.MULTILINE)
    header = "test_house.py::test_a_step_is_tied_once_and_its_header_says_what_is_so"
    page = "test_written.py::test_what_is_written_from_the_code_is_up_to_date"
    # It makes the contract in a process of its own, where a step with words still to say is refused.
    contract = "test_contract.py::test_it_is_the_same_whatever_else_was_imported"
    promised = [*(f"{header}[{file}]" for file in FILES), page, contract]
    assert sorted(failed) == sorted(promised), told.stdout[-5_000:]
    for file in FILES[:-1]:
        assert f"{file}: say what stands as `…` in its first line" in told.stdout
    assert "functions/cards/greet_bank.py: name it as ${greet_bank} in a machine of infra/plan" in told.stdout


def test_what_is_written_is_formatted_and_sound(extended):
    """Its author's first commit passes `make check`."""
    done = scratch.run(extended, "-m", "ruff", "check", "--no-cache", "app.py", "functions", "tests/steps")
    assert done.returncode == 0, done.stdout
    done = scratch.run(extended, "-m", "ruff", "format", "--no-cache", "--check", "app.py", "functions", "tests/steps")
    assert done.returncode == 0, done.stdout


def test_a_new_call_knows_its_caller_keeps_its_operation_and_answers(extended):
    """Its author goes on from code that is whole."""
    (extended / "tests/steps/coupons/test_new_calls.py").write_text(CALLS)
    told = scratch.run(extended, "-m", "pytest", "tests/steps/coupons/test_new_calls.py", "-p", "no:cacheprovider")
    assert "1 passed" in told.stdout, told.stdout


def test_its_own_test_fails_until_it_is_written(extended):
    """An empty one would pass for one."""
    told = scratch.run(extended, "-m", "pytest", "tests/steps/coupons/test_claim_coupon.py", "-p", "no:cacheprovider")
    assert "write what claim_coupon answers, changes, refuses and does again" in told.stdout


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (("bills", "open_bill", "POST /v1/other-bills"), "functions/bills/open_bill.py exists"),
        (("cards", "open_bill", "POST /v1/other-bills"), "functions/bills/open_bill.py exists"),
        (("bills", "start_bill", "POST /v1/bills"), "POST /v1/bills starts functions/bills/open_bill.py already"),
        (("bills", "finish_bills", "queue due-bills"), "queue due-bills starts functions/bills/end_bills.py already"),
        (("bills", "bill", "GET /v1/bill"), "'bill' is no verb and noun"),
        (("bills", "OpenBill", "GET /v1/bill"), "'OpenBill' is no verb and noun"),
        (("bills", "on_timer", "every minute"), "'on_timer' is no verb and noun"),
        (("bills", "bills_open", "GET /v1/bill"), "'bills_open' is no verb and noun"),
        (("../bills", "paint_bill", "GET /v1/bill"), "'../bills' is no workflow"),
        (("utils", "paint_bill", "GET /v1/bill"), "'utils' is no workflow"),
        (("bills", "paint_bill", "FETCH /v1/bill"), "no step is started by 'FETCH /v1/bill'; say one like 'GET /v1/"),
        (("bills", "paint_bill", "GET /bills"), "no step is started by 'GET /bills'"),
        (("bills", "paint_bill", "every hour"), "no step is started by 'every hour'"),
        (("bills", "paint_bill", ""), "no step is started by ''"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_name_or_trigger_that_is_taken_or_no_steps_is_refused(step, reason):
    """Nothing is written, and the text tells what would do."""
    with pytest.raises(Refused, match=re.escape(reason)):
        new_step.checked(*step)


def test_what_a_trigger_names_must_exist():
    """A stream's table and a task's machine; the nearest names are told."""
    with pytest.raises(Unknown, match="no table bill; the nearest names are bills"):
        new_step.checked("bills", "paint_bills", "stream bill")
    with pytest.raises(Unknown, match="no state machine bank; the nearest names are bank_authentication"):
        new_step.checked("cards", "paint_card", "task bank")


def test_a_workflow_of_many_steps_imports_one_a_line():
    """As the formatter has it, and in the alphabet's order."""
    text = new_step.tied((ROOT / "app.py").read_text(), NewStep("bills", "paint_bill", "GET /v1/paint"), "http()")
    assert "    open_bill,\n    paint_bill,\n    refund_items,\n" in text
    assert text.index("http()") > text.index('queue("due-bills"')
    ast.parse(text)
