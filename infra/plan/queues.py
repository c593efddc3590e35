"""The queues, by their names within a stage."""

# Queues in which a log's messages keep their order, one receiver at a time: FIFO.
ORDERED_QUEUES = ("feeds", "statements")


QUEUES = (
    *ORDERED_QUEUES,
    "due-holds",
    "due-bills",
    "due-photos",
    "due-cards",
    "authentications",
    "answers",
    "withdrawals",
    "charges",
    "comparisons",
    "reseals",
)


# Where rests what no step of a stream could forward; each queue has a dead-letter queue of its own, `<queue>-dead`.
STREAMS_DEAD = "streams-dead"


SANDBOX_QUEUES = ("bank-callbacks",)


def queue_name(prefix: str, queue: str) -> str:
    """A queue's name in its stage; a FIFO queue's ends as SQS wants, and so does its dead-letter queue's."""
    return f"{prefix}-{queue}" + (".fifo" if queue.removesuffix("-dead") in ORDERED_QUEUES else "")
