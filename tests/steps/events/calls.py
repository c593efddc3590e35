"""Calls of feeds: one's own, and a merchant's."""

from tests.steps.callers import Call, everyone, sellers

CALLS = [
    Call("GET /v1/events", everyone("200")),
    Call("GET /v1/events?merchant", sellers("200"), query=lambda town: {"merchant": town.shop.merchant}),
]
