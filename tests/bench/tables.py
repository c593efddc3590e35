"""A stage's tables for benchmarks with many rows: without streams, whose every write costs the engine more than the last."""

from typing import Any

from infra.plan.tables import TABLES, definition


def create_tables(client: Any) -> None:
    """Create those that do not exist yet."""
    known = set(client.list_tables()["TableNames"])
    for table in TABLES:
        if f"billfold-{table.name}" not in known:
            client.create_table(**definition(table, f"billfold-{table.name}"))
