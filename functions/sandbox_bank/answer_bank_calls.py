"""Answer what Billfold asks of the sandbox bank.

Trigger   the sandbox bank's API               (the bank's key)
Reads     operation, authentication, payment, webhook
Writes    operation, authentication, payment   (one transaction), webhook
Answers   200 what the bank says; 404, 422; 500 or 504 where a magic number asks for it
Again     the same Idempotency-Key gets the first answer, for ever
May       sandbox_bank BatchGetItem BatchWriteItem PutItem Query UpdateItem; queue bank-callbacks
Layers    sandbox_bank
"""

import base64
import json
from typing import Any

from billfold.triggers import log
from sandbox_bank import calls


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    with log.timed("answered", handler) as facts:
        text = event.get("body") or ""
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text).decode(errors="replace")
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        query = event.get("queryStringParameters") or {}
        call = calls.Call(event["httpMethod"], event["resource"], headers, query, text)
        facts["route"] = f"{call.method} {call.path}"
        facts["status"], body = calls.answer(call)
    return {
        "statusCode": facts["status"],
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
