"""The queues, by their names within a stage. Each is declared in `app.py`, with the step that reads it."""

from infra.plan.triggers import FIFO, Queue, every

# Where rests what no step of a stream could forward; each queue has a dead-letter queue of its own, `<queue>-dead`.
STREAMS_DEAD = "streams-dead"


def queue_names(*, sandbox_bank: bool) -> list[str]:
    """All of a stage's queues, with those of the sandbox bank where it is deployed."""
    return [queue.name for queue in every(Queue, sandbox_bank=sandbox_bank)]


def ordered_names() -> list[str]:
    """The queues in which a log's messages keep their order, one receiver at a time: FIFO."""
    return [queue.name for queue in every(Queue) if queue.ordered]


def queue_name(prefix: str, queue: str) -> str:
    """A queue's name in its stage; a FIFO queue's ends as SQS wants, and so does its dead-letter queue's."""
    return f"{prefix}-{queue}" + (FIFO if queue.removesuffix("-dead") in ordered_names() else "")
