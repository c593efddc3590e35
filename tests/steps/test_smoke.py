from tests.world import call, close, fund, joined, opened, sales, seller, tap, verify, wallet

def test_main_path(store):
    alice = joined(); fund(alice, 100_000)
    shops = [seller() for _ in range(3)]
    bill = opened(alice)
    items = [s.tills[0].item(bill, [("x", 1, 100 * (n + 1))]) for n, s in enumerate(shops)]
    r = tap(alice, bill, items)
    print(r)
    assert [x["outcome"] for x in r.body["results"]] == ["added"] * 3
    c = close(alice, bill); print(c)
    v = verify(alice, bill, c.body["verification"]["list_hash"]); print(v)
    assert v.status == 200 and v.body["state"] == "settled"
    assert wallet(alice) == 100_000 - 600
    assert [sales(s) for s in shops] == [100, 200, 300]
    f = call("POST", f"/v1/bills/{bill}/refunds", shops[0].admin, {"items": [items and v.body["items"][0]["id"]], "reason": "broken"}); print(f)
    assert f.status == 201
    assert call("GET", f"/v1/bills/{bill}", alice).body["state"] == "partially_refunded"
    print(call("GET", "/v1/bills", alice), call("GET", "/v1/wallets", alice), call("GET", "/v1/devices", alice))
    print(call("GET", "/v1/merchants/%s?x" .replace("?x","") % shops[0].merchant, shops[0].admin, query={"currency": "USD"}))
