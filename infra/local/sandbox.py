"""The sandbox's people, shops and money, put there by the roads that real ones take.

Users by Cognito, their rows by registering a phone over HTTP (which is removed again: nobody holds its key), PINs,
merchants and terminals over HTTP as well, and money by ledger transfers from the funding accounts.
"""

import base64
import secrets
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from billfold import clock, ids, ledger, people
from billfold.banks.sandbox import SandboxBank, derived_key
from billfold.errors import Stale
from billfold.ledger import ledger_rows
from billfold.people.people_errors import PinTooObvious
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from infra.clients.api import Client, sign_in
from infra.clients.phones import Phone
from infra.command_line import Say
from infra.deploy.clouds import Cloud
from infra.operations.users import first_password
from infra.templates.kept import GROUPS

CUSTOMERS = ("alice", "bob", "carol", "dave", "erin")
OPERATIONS = "olivia"
# The administrator of each shop.
SHOPS = {"mona": "Corner Café", "nils": "Quill Books", "petra": "Green Market"}
TERMINALS_EACH = 2
# USD 1,000.00, EUR 500.00, JPY 100,000, in minor units.
MONEY = {"USD": 100_000, "EUR": 50_000, "JPY": 100_000}

Stack = dict[str, Any]


def seed(cloud: Cloud, stack: Stack, say: Say) -> dict[str, Any]:
    """Fill an empty stack; answers its `users` and `merchants`."""
    groups = dict.fromkeys(CUSTOMERS, "") | dict.fromkeys(SHOPS, "merchant_admins") | {OPERATIONS: "operations"}
    users = {name: _create_user(cloud, stack, name, group) for name, group in groups.items()}
    signed_in = stack | {"users": users}
    say(f"{len(users)} users can sign in")
    tokens = {name: sign_in(signed_in, name) for name in users}
    # One after another: calls side by side would each start a process of the emulator, which costs more than it saves.
    for name, user in users.items():
        _join(stack["api"], tokens[name], user["pin"])
    say("their phones and PINs are known")
    merchants = [_open_shop(stack["api"], tokens[admin], admin) for admin in SHOPS]
    say(f"{len(merchants)} merchants have {TERMINALS_EACH} terminals each")
    # Asked before there is money as well: those functions are warm then, and the money's followers start after they answer.
    _check(stack["api"], tokens["alice"], {})
    for name in CUSTOMERS:
        _fund(users[name]["id"])
    _check(stack["api"], tokens["alice"], MONEY)
    say("the wallets are filled by ledger transfers")
    register_callbacks(SandboxBank(stack["bank"], bank_secret(cloud, stack["prefix"])), callbacks_of(stack["api"]))
    say("the sandbox bank knows where its callbacks go")
    return {"users": users, "merchants": merchants}


def _create_user(cloud: Cloud, stack: Stack, name: str, group: str) -> dict[str, str]:
    client = cloud.client("cognito-idp")
    password, staff = first_password(), group in GROUPS["Staff"]
    where = {"UserPoolId": stack["staff_pool_id" if staff else "user_pool_id"], "Username": name}
    created = client.admin_create_user(**where, TemporaryPassword=password, MessageAction="SUPPRESS")
    client.admin_set_user_password(**where, Password=password, Permanent=True)
    if group:
        client.admin_add_user_to_group(**where, GroupName=group)
    sub = next(one["Value"] for one in created["User"]["Attributes"] if one["Name"] == "sub")
    signs_in = {"username": name, "password": password, "client": "staff_client_id" if staff else "client_id"}
    return {"id": "usr_" + sub.replace("-", ""), **signs_in, "pin": _pin()}


def _pin() -> str:
    while True:
        pin = f"{secrets.randbelow(1_000_000):06d}"
        try:
            people.check_pin_strength(pin)
        except PinTooObvious:
            continue
        return pin


def _join(api: str, token: str, pin: str) -> None:
    with Client(api, token) as client:
        device = client.post("/v1/devices", {"name": "first phone", "jwk": Phone().jwk})
        client.put("/v1/pin", {"pin": pin})
        client.delete(f"/v1/devices/{device['id']}")


def _open_shop(api: str, token: str, admin: str) -> dict[str, Any]:
    with Client(api, token) as client:
        merchant = client.post("/v1/merchants", {"name": SHOPS[admin]})
        terminals = [_add_terminal(client, merchant["id"], number) for number in range(1, TERMINALS_EACH + 1)]
    return {"id": merchant["id"], "name": merchant["name"], "admin": admin, "terminals": terminals}


def _add_terminal(client: Client, merchant_id: str, number: int) -> dict[str, str]:
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    body = {"merchant": merchant_id, "name": f"till {number}", "public_key": public}
    terminal = client.post("/v1/terminals", body)
    return {"id": terminal["id"], "private_key": base64.b64encode(key.private_bytes_raw()).decode()}


def _fund(user_id: str) -> None:
    """Money from outside, once, however often this runs: the transfer's id follows from the user and the currency."""
    for currency, amount in MONEY.items():
        transfer_id = ids.derived("trf", "seed", user_id, currency)
        legs = ledger.pay(ledger.funding(currency), [(ledger.wallet(user_id, currency), amount)])
        transfer = ledger.transfer(transfer_id, legs, at=clock.now(), kind="top_up", reason="sandbox money")
        commit = Commit(transfer_id)
        ledger_rows.add_transfer(commit, transfer)
        try:
            commit.send()
        except Stale:
            assert fetch(ledger_rows.transfer(transfer_id)) is not None


def bank_secret(cloud: Cloud, prefix: str) -> str:
    """What the sandbox bank of a stage and Billfold share."""
    answer = cloud.client("secretsmanager").get_secret_value(SecretId=f"{prefix}-sandbox-bank")
    return str(answer["SecretString"])


def callbacks_of(api: str) -> str:
    """Where Billfold takes the sandbox bank's callbacks."""
    return f"{api}/v1/banks/sandbox/callbacks"


def register_callbacks(bank: SandboxBank, address: str) -> None:
    """Have the sandbox bank send its callbacks to an address."""
    headers = {"Authorization": f"Bearer {derived_key(bank.secret, 'calls').hex()}"}
    answer = httpx.put(f"{bank.address}/v1/webhook", json={"address": address}, headers=headers, timeout=10)
    answer.raise_for_status()


def _check(api: str, token: str, expected: dict[str, int]) -> None:
    """The stack answers, with what it should: the wallets hold this much."""
    with Client(api) as anyone, Client(api, token) as alice:
        anyone.get("/v1/health")
        wallets = {one["currency"]: one["posted"] for one in alice.get("/v1/wallets")["items"]}
    assert wallets == expected, f"alice's wallets hold {wallets}"
