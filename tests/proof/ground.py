"""The ground a scenario stands on: what the tables hold and where executions are, looked at whole, put back, and compared.

The sandbox bank's own table belongs to it: that the bank did something once is part of what must hold.
"""

import base64
import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from infra.plan.tables import TABLES
from tests.cloud.engine import Engine
from tests.world.machines import Machines

# Every row of every table: (table, pk, sk) to the item in DynamoDB's JSON; and every execution as (MACHINES, name, machine).
State = dict[tuple[str, str, str], dict[str, Any]]
MACHINES = "machines"

# A new id holds its time and its version. A derived one is the same in both runs, but for those that are named before it.
NEW_ID = r"[a-z]{3}_0[12][0-9a-f]{10}7[0-9a-f]{3}[89ab][0-9a-f]{15}"
MADE_UP = re.compile(rf"\b(?:(?:pay|opr|prf|out)_[0-9a-f]{{32}}|{NEW_ID})\b|\$argon2id\$[^\"\\]+")
INSTANT = re.compile(r"(?<![0-9A-Za-z])(?:1\d{12}|1\d{9}|\d{4}-\d\d-\d\dT[\d:.]+Z)(?![0-9A-Za-z])")
SHARD = re.compile(r'"(bills|holds|photos)#\d"')
# What is signed is another text each time.
SIGNED = re.compile(r'(policy|x-amz-date|x-amz-signature)(\\?": ?\\?")[^"\\]+')
BUCKETS = "bucket "
# How often the bank was asked is nobody's effect: what it did is beside it.
COUNTED_BY_BANK = ("asks", "looks")


class Ground:
    """The tables behind an engine, the executions and the buckets."""

    def __init__(self, engine: Engine, machines: Machines, objects: Any) -> None:
        """`objects`: S3's client; what lies in its buckets is part of the ground."""
        self._engine, self._machines, self.objects = engine, machines, objects

    def look(self) -> State:
        """Everything there is."""
        state: State = {}
        for table in TABLES:
            rows = self._engine.all_of(table.name)
            state |= {(table.name, item["pk"]["S"], item["sk"]["S"]): item for item in rows}
        executions = self._machines.look()
        state |= {(MACHINES, name, found["machine"]): found for name, found in executions.items()}
        return state | self._look_into_buckets()

    def _look_into_buckets(self) -> State:
        """By moto's own store: asking S3 would take as long as all the tables."""
        return {
            (BUCKETS + bucket.name, key, "object"): {
                "body": {"S": base64.b64encode(one.value).decode()},
                "put_at": {"S": one.last_modified.isoformat()},
            }
            for bucket in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.values()
            for key, one in bucket.keys.items()
        }

    def put_back(self, wanted: State) -> None:
        """Make it exactly this."""
        self._machines.put_back({key[1]: facts for key, facts in wanted.items() if key[0] == MACHINES})
        found = self.look()
        new = {key: item for key, item in wanted.items() if found.get(key) != item}
        gone = [key for key in found if key not in wanted]
        self._put_back_into_buckets(new, gone)
        puts = [(key[0], {"PutRequest": {"Item": item}}) for key, item in new.items() if not key[0].startswith(BUCKETS)]
        gone = [key for key in gone if not key[0].startswith(BUCKETS)]
        deletes = [(key[0], {"DeleteRequest": {"Key": {"pk": {"S": key[1]}, "sk": {"S": key[2]}}}}) for key in gone]
        self._engine.write(puts + deletes)

    def _put_back_into_buckets(self, new: State, gone: list[tuple[str, str, str]]) -> None:
        for (place, key, _), item in new.items():
            if place.startswith(BUCKETS):
                body = base64.b64decode(item["body"]["S"])
                bucket = place.removeprefix(BUCKETS)
                self.objects.put_object(Bucket=bucket, Key=key, Body=body)
                kept = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys[key]
                kept.last_modified = datetime.fromisoformat(item["put_at"]["S"])
        for place, key, _ in gone:
            if place.startswith(BUCKETS):
                self.objects.delete_object(Bucket=place.removeprefix(BUCKETS), Key=key)


def effects(state: State) -> State:
    """A state without what only counts how often somebody asked."""
    return {
        key: {name: part for name, part in item.items() if key[0] != "sandbox_bank" or name not in COUNTED_BY_BANK}
        for key, item in state.items()
    }


def likeness(value: Any, before: State) -> str:
    """A state or an answer as text in which two runs from the same ground are alike: what is made up at random or read
    from the clock after `before` has a name for its kind, what is sealed is sealed, and a busy account's lanes are added up.
    """
    if isinstance(value, dict) and value and all(isinstance(key, tuple) for key in value):
        value = _rows(value)
    known = json.dumps(list(before.values()))

    def named(match: re.Match[str]) -> str:
        return match[0] if match[0] in known else f"<{match[0][:4]}>"

    text = json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)
    text = SIGNED.sub(r"\1\2<signed>", text)
    text = SHARD.sub(r'"\1#"', INSTANT.sub("<instant>", MADE_UP.sub(named, text)))
    return "\n".join(sorted(text.split("\x1e")))


def _rows(state: State) -> str:
    """One line a row, lanes added up."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    lines = []
    for key, item in effects(state).items():
        if "available" in item or "held" in item:
            total = sums[re.sub(r"#\d+$", "", key[1]), key[2]]
            total[0] += _number(item, "available")
            total[1] += _number(item, "held")
        elif key[0] == MACHINES:
            lines.append(
                f"execution {key[1]} {item['status']} {item['state']} {bool(item['token'])} {item['answered']}"
            )
        else:
            lines.append(f"{key[0]} {json.dumps(_opaque(item), sort_keys=True)}")
    lines += [f"balance {name}/{currency} {total}" for (name, currency), total in sums.items()]
    return "\x1e".join(lines)


def apart(state: State) -> tuple[State, State]:
    """A state's rows and its objects."""
    objects = {key: item for key, item in state.items() if key[0].startswith(BUCKETS)}
    return {key: item for key, item in state.items() if key not in objects}, objects


def holds_sealed(state: State) -> bool:
    """Whether some row has something that only a key of its harness opens: nothing else is binary."""
    return any("B" in value for item in state.values() for value in item.values() if isinstance(value, dict))


def _opaque(item: dict[str, Any]) -> dict[str, Any]:
    """A row without the bytes that the vault's keys make anew each time."""
    return {name: {"B": "<sealed>"} if "B" in part else part for name, part in item.items()}


def check_money(state: State) -> None:
    """Invariants 1 and 2 of docs/ledger.md (LG-01, LG-06), and that balances are what the transfers add up to (LG-07)."""
    sums: dict[str, int] = defaultdict(int)
    # To a Counter, what is missing is zero.
    balances: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for (table, pk, sk), item in state.items():
        if table != "ledger":
            continue
        if sk == "transfer":
            for name, amount in json.loads(item["legs"]["S"]):
                moved[name] += amount
        elif sk != "hold":
            available, held = _number(item, "available"), _number(item, "held")
            sums[sk] += available + held
            balances[f"{re.sub(r'#[0-9]+$', '', pk)}/{sk}"] += available + held
            assert held >= 0, (pk, sk)
            assert available >= 0 or not pk.startswith("wallet/"), (pk, sk)
    assert not any(sums.values()), dict(sums)
    assert balances == moved


def _number(item: dict[str, Any], name: str) -> int:
    return int(item.get(name, {"N": "0"})["N"])
