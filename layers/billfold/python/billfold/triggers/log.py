"""One JSON line a step: ids, outcome and metrics. Never bodies, tokens, PINs, codes or the text of an exception.

The line is also a metric: `_aws` makes it CloudWatch's embedded metric format, so counting costs no call.
"""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Logger

from billfold import clock
from billfold.errors import Refusal

logger = Logger(service="billfold", location=None, log_uncaught_exceptions=False)
METRICS = [{"Name": "milliseconds", "Unit": "Milliseconds"}, {"Name": "faults", "Unit": "Count"}]


class Crashed(Exception):
    """A bug, by the type of what was raised and nothing more."""


def name_of(run: Callable[..., Any]) -> str:
    """A step's one name: its file's."""
    return run.__module__.rpartition(".")[2]


def line(message: str, step: str, milliseconds: float, facts: dict[str, Any], *, failed: bool = False) -> None:
    """Write the line of one run of a step; `failed` is for what is our fault, not for a refusal."""
    metric = {"Namespace": "Billfold", "Dimensions": [["stage", "step"]], "Metrics": METRICS}
    extra = facts | {
        # Stages may share an account, and must not hear each other's alarms, which take deployments back.
        "stage": os.environ.get("BILLFOLD_PREFIX", "billfold"),
        "step": step,
        "milliseconds": round(milliseconds, 1),
        "faults": int(failed),
        "_aws": {"Timestamp": clock.now(), "CloudWatchMetrics": [metric]},
    }
    (logger.error if failed else logger.info)(message, extra=extra)


@contextmanager
def timed(message: str, run: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Write the line of what runs within, with the facts put into the dict it gives; an exception's type, never its text.

    A fault goes on as Crashed, so that its text, which may carry what a customer sent, reaches neither Lambda's log nor an
    execution's history.
    """
    started = time.perf_counter()
    facts: dict[str, Any] = {}
    try:
        yield facts
    except Refusal as refusal:
        facts["fault"] = type(refusal).__name__
        raise
    except Exception as fault:
        facts["fault"] = type(fault).__name__
        frames = traceback.extract_tb(fault.__traceback__)[-3:]
        facts["at"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
        raise Crashed(type(fault).__name__) from None
    finally:
        line(message, name_of(run), (time.perf_counter() - started) * 1000, facts, failed="fault" in facts)
