"""Everything that is written from the code, and what of it is no longer as the code says."""

import pathlib

from infra.pages import Pages, contract, currencies, drawings, step_table


def pages() -> Pages:
    """All pages but docs/costs.md, which `tests.proof.counts` counts."""
    return contract.pages() | step_table.pages() | drawings.pages() | currencies.pages()


def stale() -> list[pathlib.Path]:
    """The files that differ from what would be written today."""
    return [file for file, text in pages().items() if not file.exists() or file.read_text() != text]
