"""How a new step begins: by trigger the fields of its header, and code in four paragraphs that its author goes on from.

A call's code is whole: it knows its caller, keeps its operation and answers. What only the author can say is `…` in the header.
"""

FIELDS = {
    "GET": {
        "Reads": "user, …",
        "Writes": "nothing",
        "Answers": "200 …; 404 …",
        "Again": "reading changes nothing",
        "May": "people BatchGetItem",
    },
    "POST": {
        "Reads": "user, operation, …",
        "Writes": "operation, …   (one transaction)",
        "Answers": "201 …; 404 …",
        "Again": "the same Idempotency-Key gets the first answer",
        "May": "people BatchGetItem; operations BatchGetItem PutItem",
    },
    "PUT": {
        "Reads": "user, …",
        "Writes": "…   (one transaction)",
        "Answers": "204 …; 404 …",
        "Again": "…",
        "May": "people BatchGetItem",
    },
    "queue": {
        "Reads": "…",
        "Writes": "…   (one transaction)",
        "Answers": "… | nothing due",
        "Again": "… happens once, because …",
        "May": "nothing",
    },
    "stream": {
        "Reads": "the stream",
        "Writes": "nothing",
        "Answers": "queues …",
        "Again": "a batch comes again after an error; its followers are idempotent",
        "May": "nothing",
    },
    "every": {
        "Reads": "index of deadlines",
        "Writes": "nothing",
        "Answers": "how many it queued for …",
        "Again": "a … is queued again until …, which happens once",
        "May": "nothing",
    },
}
FIELDS["DELETE"] = FIELDS["PUT"]

READING = """from typing import Any

from billfold.errors import NotFound
from billfold.people import people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class {model}(wire.View, frozen=True):
    id: str


@http.step(answers={model})
def handler(request: http.Request[Any]) -> http.Answer:
    user = fetch(people_rows.user(request.caller))

    if user is None:
        raise NotFound()

    return http.Answer(200, {model}(user.user_id))
"""

POSTING = """from typing import Any

from billfold import people
from billfold.people import people_rows
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class {model}(wire.View, frozen=True):
    id: str


@http.step(answers={model}, key=True)
def handler(request: http.Request[Any]) -> http.Answer:
    operation = request.operation("opr")
    user, done = fetch(people_rows.user(request.caller), operation_rows.operation(operation))
    if done:
        return request.repeat(done)

    user = people.check_active(user)
    answer = wire.to_builtins({model}(user.user_id))

    with Commit(operation) as commit:
        operation_rows.record(commit, operation, request.fingerprint, 201, answer, request.now)

    return http.Answer(201, answer)
"""

CHANGING = """from typing import Any

from billfold import people
from billfold.people import people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step()
def handler(request: http.Request[Any]) -> http.Answer:
    user = fetch(people_rows.user(request.caller))

    people.check_active(user)

    # Commit here: `with Commit(request.request_id) as commit:` and what the rows' modules add to a commit.

    return http.Answer(204)
"""

HANDLING = """from billfold.triggers import queue


@queue.step
def handler(body: str) -> str:
    # Load what the message names.

    # Decide by the rule of a noun; a message too many, too early or too late changes nothing.

    # Commit: `with Commit(…) as commit:` and what the rows' modules add to a commit.

    return "nothing due"
"""

FORWARDING = """from billfold.triggers import stream

# Each follower makes messages of a new row: a noun's `*_stream.messages`, or `event_stream.feeds(*_stream.events_of)`.
handler = stream.forward(__name__)
"""

FINDING = """from billfold.triggers import schedule


@schedule.step
def handler(now: int) -> int:
    # Send what is due to a queue: `handler = schedule.sweep(__name__, "due-…", *_rows.JOURNALS.due)` is all of such a step.
    return 0
"""

READING_UPLOADS = """from billfold.triggers import upload


@upload.step()
def handler(key: str) -> str:
    # Load the row that awaits this object, and the object: `upload.fetch(…)`.

    # Decide by the rule of a noun; an object that is told of twice changes nothing.

    # Commit: `with Commit(…) as commit:` and what the rows' modules add to a commit.

    return "nothing due"
"""

TASK = """from billfold.triggers import workflow


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    # Load what the input names: ids alone come and go.

    # Decide by the rule of a noun.

    # Commit: `with Commit(…) as commit:` and what the rows' modules add to a commit.

    return {{"outcome": "done"}}
"""

BODIES = {
    "GET": READING,
    "POST": POSTING,
    "PUT": CHANGING,
    "DELETE": CHANGING,
    "queue": HANDLING,
    "stream": FORWARDING,
    "every": FINDING,
    "upload": READING_UPLOADS,
    "task": TASK,
}


def body(name: str, kind: str) -> str:
    """The code of a step of this name; `kind` is its method, or its trigger's first word."""
    model = f"{name.title().replace('_', '')}Answer"
    return BODIES[kind].format(model=model)
