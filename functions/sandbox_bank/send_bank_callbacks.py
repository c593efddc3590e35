"""Tell Billfold what the sandbox bank has decided.

Trigger   queue bank-callbacks
Reads     authentication, payment, webhook
Writes    nothing
Answers   nothing; a callback that is not taken comes again
Again     the callback is sent again, with the same id
May       sandbox_bank BatchGetItem; queue bank-callbacks
Layers    sandbox_bank
"""

from billfold.triggers import queue
from sandbox_bank import callbacks


@queue.step
def handler(body: str) -> str:
    return callbacks.receive(body)
