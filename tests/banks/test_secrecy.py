"""CB-18: what goes to a bank and comes from it shows in no text: not when printed, raised or logged."""

import json
import logging
import re
import traceback

import pytest

from billfold import banks
from billfold.banks import Authentication, Verdict
from billfold.errors import Unavailable
from tests.cloud.local_http import LocalServer
from tests.cloud.secret_store import STRIPE_KEY, STRIPE_WEBHOOK
from tests.world.bank_fixtures import card

NUMBER, CODE = card("challenged", 987654), "135791"
CANARY = Authentication(
    "crd_1", NUMBER, 2031, 7, "CANARY HOLDER", "Canary Name", "passport", "CANARYDOC9", "+49155500001", True
)
SECRETS = (NUMBER, NUMBER[-10:], CODE, "2031", "CANARY HOLDER", "Canary Name", "CANARYDOC9", "+49155500001")


# What a record says of the process that wrote it: numbers that may hold any other number by chance.
OF_THE_PROCESS = {"created", "msecs", "relativeCreated", "thread", "threadName", "process", "processName"}


def leaks(text):
    """A short number counts when it stands alone: the year of an expiry is no part of a port's or a moment's digits."""
    alone = {
        secret: rf"(?<!\d){re.escape(secret)}(?!\d)" if len(secret) < 8 else re.escape(secret) for secret in SECRETS
    }
    return [secret for secret, pattern in alone.items() if re.search(pattern, text)]


def said(records):
    return "".join(
        str({name: value for name, value in vars(record).items() if name not in OF_THE_PROCESS}) for record in records
    )


def test_a_leak_is_found_wherever_it_stands():
    """The search itself: in a message, an argument and an extra field."""
    for record in ({"msg": "expiry 2031-07"}, {"msg": "%s", "args": (2031,)}, {"year": 2031}):
        assert leaks(said([logging.makeLogRecord(record)])) == ["2031"]
    assert not leaks(said([logging.makeLogRecord({"msg": "port 42031", "process": 2031, "thread": 2031})]))


def test_nothing_shows_when_printed(sandbox, bank):
    """Dataclasses are printed in logs, assertions and errors of others."""
    verdict = Verdict("approved", "bau_1", "a-token-to-charge-with")
    assert not leaks(repr(CANARY) + str(CANARY))
    assert "a-token-to-charge-with" not in repr(verdict)
    secret = sandbox.secret
    assert secret not in repr(sandbox)


@pytest.mark.parametrize("name", ["sandbox", "stripe"])
@pytest.mark.parametrize("answered", [None, (500, "{}"), (400, '{"error": {"message": "{body}"}}'), (200, "nonsense")])
def test_no_failure_carries_what_was_sent(bank, monkeypatch, caplog, capfd, name, answered):
    """Faults, refusals that quote what they got, cut connections: nothing is raised, and no log line has it."""

    def answer(received):
        if answered is None:
            return None
        return answered[0], answered[1].replace("{body}", json.dumps(received.body)[1:-1])

    with LocalServer(answer) as server, caplog.at_level(logging.DEBUG):
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        broken = banks.bank(name)
        assert broken.authenticate("key", CANARY).outcome in ("unknown", "declined")
        assert broken.answer_challenge("key", "seti_1", CODE).outcome == "unknown"
        assert broken.charge("key", "cus/pm-canary-token", 1, "USD", "chg").outcome in ("unknown", "declined")
    told = said(caplog.records) + "".join(capfd.readouterr())
    assert told
    assert not leaks(told)
    assert not [secret for secret in ("canary", STRIPE_KEY, STRIPE_WEBHOOK) if secret in told.lower()]


def test_a_refused_page_of_the_list_has_no_cause_that_tells(bank, monkeypatch):
    """Unavailable is raised from nothing that holds an address or key."""
    with LocalServer(lambda _: None) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        sandbox = banks.bank("sandbox")
        with pytest.raises(Unavailable) as raised:
            sandbox.charges(0, 1, "")
    text = "".join(traceback.format_exception(raised.value))
    assert sandbox.secret not in text
    assert raised.value.__cause__ is None


def test_the_banks_own_logs_and_rows_tell_of_no_card(sandbox, store, queues, caplog):
    """Its lines have route and status; its rows say how a card behaves, not which card it is."""
    verdict = sandbox.authenticate("key", CANARY)
    sandbox.answer_challenge("answer", verdict.reference, CODE)
    sandbox.answer_challenge("right", verdict.reference, "123456")
    token = sandbox.status("key").token
    sandbox.charge("charge", token, 100, "USD", "chg_1")
    kept = json.dumps(store.rows("sandbox_bank"))
    told = said(caplog.records)
    assert "answer_bank_calls" in told
    assert not leaks(kept + told)
    assert token not in kept + told
