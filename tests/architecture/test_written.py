"""What is made from the code and committed is what the code says today: contract, tables, drawings."""

from infra.pages import written
from infra.plan.stages import ROOT


def test_what_is_written_from_the_code_is_up_to_date():
    """The contract (XX-02), its guide's refusals, the map of steps, the machines' drawings, the currencies."""
    stale = [str(path.relative_to(ROOT)) for path in written.stale()]
    assert not stale, f"run `make written`: {', '.join(stale)} would change"
