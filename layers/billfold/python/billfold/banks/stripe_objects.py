"""What Stripe's SetupIntents, PaymentIntents and refunds, as JSON, say in the words of the port."""

from typing import Any

from billfold.banks import Listed, Page, Payment, Verdict, reason, reference_of

Wire = dict[str, Any]
KEY = "billfold_key"


def verdict(intent: Wire) -> Verdict:
    status, reference = intent.get("status"), reference_of(intent.get("id"))
    if status == "succeeded" and reference and intent.get("customer") and intent.get("payment_method"):
        return Verdict("approved", reference, f"{intent['customer']}/{intent['payment_method']}")
    if status == "requires_action":
        return Verdict("challenge", reference, page=_page(intent))
    if status == "requires_payment_method" and not intent.get("payment_method") and not intent.get("last_setup_error"):
        # Made and not confirmed, for an answer was lost between: asking again with the same keys goes on from there.
        return Verdict("absent", reference)
    if status in ("requires_payment_method", "canceled"):
        fault = intent.get("last_setup_error") or {}
        return Verdict("declined", reference, reason=reason(fault.get("decline_code") or fault.get("code") or status))
    return Verdict("unknown", reference)


def _page(intent: Wire) -> Page:
    redirect = (intent.get("next_action") or {}).get("redirect_to_url") or {}
    return Page(str(redirect.get("url") or ""), str(intent.get("client_secret") or ""))


def charged(intent: Wire) -> Payment:
    status, reference = intent.get("status"), reference_of(intent.get("id"))
    if status == "succeeded" and reference:
        return Payment("charged", reference)
    if status in ("requires_payment_method", "canceled"):
        fault = intent.get("last_payment_error") or {}
        return Payment("declined", reference, reason(fault.get("decline_code") or fault.get("code") or status))
    return Payment("unknown", reference)


def refunded(refund: Wire) -> Payment:
    status, reference = refund.get("status"), reference_of(refund.get("id"))
    if status in ("failed", "canceled"):
        return Payment("declined", reference, reason(refund.get("failure_reason") or status))
    return Payment("refunded" if status == "succeeded" and reference else "unknown", reference)


def listed(one: Wire) -> Listed:
    kind: Any = "refund" if one["object"] == "refund" else "charge"
    key = str((one.get("metadata") or {}).get(KEY, ""))
    return Listed(key, one["id"], kind, one["amount"], one["currency"].upper(), one["created"] * 1000)
