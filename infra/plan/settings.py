"""What a step's function gets of Lambda: the defaults, or what the `Runs` line of its header says.

    Runs      1024 MiB, 50 s, at most 1        (one run ends before the next begins)

Memory, time-out and reserved concurrency, in this order; each may be missing, and the reason in parentheses too. A stage of
`.chalice/config.json` may say otherwise for itself, in Chalice's words: `lambda_functions: {step: {lambda_timeout: 60}}`.
"""

import re
from dataclasses import dataclass, replace

# Each part with a comma behind it.
RUNS = re.compile(
    r"(?=.)(?:(?P<memory_mib>\d+) MiB, )?(?:(?P<timeout_seconds>\d+) s, )?(?:at most (?P<concurrency>\d+), )?"
)
# Chalice's words for them.
WORDS = {"lambda_memory_size": "memory_mib", "lambda_timeout": "timeout_seconds", "reserved_concurrency": "concurrency"}


@dataclass(frozen=True)
class Settings:
    """Memory in MiB, with which Lambda gives CPU (1,769 MiB: one core); time-out in seconds; at most so many at once (None: the
    account's share)."""

    memory_mib: int = 512
    timeout_seconds: int = 20
    concurrency: int | None = None

    def changed(self, said: dict[str, int]) -> "Settings":
        """These with what a stage says otherwise."""
        return replace(self, **{WORDS[word]: number for word, number in said.items()})


DEFAULT = Settings()


def settings(text: str) -> Settings:
    """A header's `Runs` line, understood; ValueError when it is none, or says what Lambda does not have."""
    match = RUNS.fullmatch(re.sub(r"\s*\(.*\)$", "", text) + ", ")
    if not match:
        raise ValueError(f"Runs says {text!r}: write it as `1024 MiB, 50 s, at most 1`, or some of these in this order")
    said = {name: int(number) for name, number in match.groupdict().items() if number}
    found = replace(DEFAULT, **said)
    if not (128 <= found.memory_mib <= 10_240 and 1 <= found.timeout_seconds <= 900):
        raise ValueError(f"Runs says {text!r}: Lambda has 128 to 10240 MiB and 1 to 900 s")
    return found
