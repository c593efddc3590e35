"""What customers and shops do with bills."""

from collections.abc import Iterable
from typing import Any

from infra.demo.cast import Customer, Play, Shop, money


def open_bill(customer: Customer, currency: str, **fields: Any) -> dict[str, Any]:
    return dict(customer.api.post("/v1/bills", {"device": customer.device, "currency": currency, **fields}))


def read(customer: Customer, bill_id: str) -> dict[str, Any]:
    return dict(customer.api.get(f"/v1/bills/{bill_id}"))


def tap(customer: Customer, bill_id: str, items: list[dict[str, Any]], *, key: str = "") -> dict[str, Any]:
    """Deliver signed items; the answer has a result for each."""
    return dict(customer.api.post(f"/v1/bills/{bill_id}/items", {"items": items}, key=key, proven=True))


def close(customer: Customer, bill_id: str) -> dict[str, Any]:
    return dict(customer.api.post(f"/v1/bills/{bill_id}/close", proven=True))


def verify(
    customer: Customer, bill_id: str, list_hash: str, pin: str, *, key: str = "", instrument: str | None = None
) -> dict[str, Any]:
    """Verify a bill's list; `instrument` is a card that pays instead of the wallet."""
    body = {"list_hash": list_hash, "pin": pin} | ({"instrument": instrument} if instrument else {})
    return dict(customer.api.post(f"/v1/bills/{bill_id}/verification", body, key=key, proven=True))


def refund(shop: Shop, bill_id: str, items: Iterable[str], reason: str) -> dict[str, Any]:
    return dict(shop.api.post(f"/v1/bills/{bill_id}/refunds", {"items": list(items), "reason": reason}))


def forged(item: dict[str, Any]) -> dict[str, Any]:
    """The item with another price, lines and sum alike, under the signature of the honest one."""
    lines = [line | {"unit_amount": line["unit_amount"] * 10} for line in item["lines"]]
    return item | {"lines": lines, "amount": sum(line["quantity"] * line["unit_amount"] for line in lines)}


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


def items_of(answer: dict[str, Any]) -> list[str]:
    return [result["item"] for result in answer["results"] if "item" in result]


def tapped(play: Play, batch: list[dict[str, Any]], answer: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    shops = {till.terminal_id: shop.name for shop in play.shops for till in shop.tills}
    rows = []
    for item, result in zip(batch, answer["results"], strict=True):
        lines = ", ".join(f"{line['quantity']} × {line['name']}" for line in item["lines"])
        outcome = result["outcome"] + (f": {result['problem']['detail']}" if "problem" in result else "")
        rows.append((shops[item["terminal"]], lines, money(item["amount"]), outcome))
    return rows
