"""10,000 bills due in the same minute: finding them, and ending each.

`find_due_bills` reads the index of deadlines and queues what it finds; the queue is a small receiver on loopback, so that
its own cost is next to nothing. `end_bills` then gets the messages ten at a time, as Lambda hands them over: here by one
process alone, where AWS runs many beside each other.
"""

import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.bench import console
from tests.bench.scale import scaled
from tests.bench.tables import create_tables
from tests.cloud.engine import Engine

BILLS = scaled(10_000, 40)
BATCH = 10
# Ending all of them one after another would take minutes; this many seconds of it give the rate.
ENDING_SECONDS = 20.0


class Receiver(BaseHTTPRequestHandler):
    """SendMessageBatch and nothing else; it keeps what it gets."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    bodies: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        entries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["Entries"]
        self.bodies.extend(entry["MessageBody"] for entry in entries)
        done = [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": ""} for entry in entries]
        answer = json.dumps({"Successful": done, "Failed": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[str]:
    Receiver.bodies.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    from functions.bills import end_bills, find_due_bills
    from tests.cloud.delivery import sqs_event

    with Engine() as engine, receiver() as queue_url, console.silenced():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"], os.environ["AWS_ENDPOINT_URL_SQS"] = engine.url, queue_url
        os.environ["BILLFOLD_QUEUE_DUE_BILLS"] = f"{queue_url}/due-bills"
        create_tables(engine.client)
        _open_all()

        began, cpu = time.perf_counter(), time.process_time()
        found = find_due_bills.handler({}, None)["found"]
        finding, finding_cpu = time.perf_counter() - began, time.process_time() - cpu
        assert found == len(set(Receiver.bodies)) == BILLS, (found, len(Receiver.bodies))

        took = []
        batches = [Receiver.bodies[start : start + BATCH] for start in range(0, BILLS, BATCH)]
        began = time.perf_counter()
        with console.progress("ending", len(batches)) as advance:
            for batch in batches:
                one = time.perf_counter()
                assert end_bills.handler(sqs_event(batch), None) == {"batchItemFailures": []}
                took.append((time.perf_counter() - one) * 1000 / BATCH)
                advance()
                if time.perf_counter() - began > ENDING_SECONDS:
                    break
    _show(finding, finding_cpu, took)


def _open_all() -> None:
    """Bills that were opened an hour ago and are due now, in the rows that opening them writes."""
    from billfold import bills, clock
    from billfold.bills import bill_rows
    from billfold.tables import rows

    now, due = clock.now(), []
    for _ in range(BILLS):
        owner, device = f"usr_{uuid.uuid4().hex}", f"dev_{uuid.uuid4().hex}"
        opened = bills.open_for(owner, device, "USD", period=clock.HOUR, cap=None, now=now - clock.HOUR - 1)
        written = _Written()
        bill_rows.add_opened(written, f"bil_{uuid.uuid4().hex}", opened)  # type: ignore[arg-type]
        due += written.rows
    with console.progress("opening", len(due) // 1000) as advance:
        for start in range(0, len(due), 1000):
            rows.write_all(due[start : start + 1000])
            advance()


class _Written:
    """What a commit would put."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def put_new(self, row: Any) -> None:
        self.rows.append(row)

    record = put_new


def _show(finding: float, finding_cpu: float, took: list[float]) -> None:
    low, middle, high = console.spread(took, 2)
    each = statistics.median(took)
    ended = len(took) * BATCH
    console.table(
        f"{BILLS:,} bills due in one minute",
        ("", "figure"),
        (
            ("find_due_bills: index read and all queued", f"{finding:.1f} s ({finding_cpu:.1f} s CPU)"),
            ("end_bills, per bill: min / median / max ms", f"{low} / {middle} / {high}"),
            (f"bills ended by one process (of {ended:,} tried)", f"{1000 / each:,.0f} a second"),
            ("all of them by one process", f"{BILLS * each / 1000:.0f} s"),
            ("all of them by ten at once", f"{BILLS * each / 10_000:.0f} s (arithmetic)"),
        ),
    )
