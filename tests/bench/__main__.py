"""Run benchmarks, all or by name, and print their figures: `python -m tests.bench --help`."""

import importlib
import os
import subprocess
import sys
from typing import Annotated

import typer

from infra.plan.stages import ROOT
from tests.bench import scale

# Said when a benchmark runs and not before: whoever only asks which there are keeps an environment of its own.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "BILLFOLD_PREFIX": "billfold",
    "BILLFOLD_SANDBOX": "1",
    "BILLFOLD_VAULT_KEYS": "1",
    "BILLFOLD_ISSUERS": "4=sandbox",
    "BILLFOLD_TOP_UPS": "1000",
    "BILLFOLD_ADDRESSES": "https://api.example",
    "BILLFOLD_BUCKET_PHOTOS": "billfold-photos",
}
sys.path[:0] = [str(ROOT), *(str(ROOT / f"layers/{name}/python") for name in ("billfold", "sandbox_bank"))]

BENCHMARKS = {
    "cold": "cold starts beside a plain boto3 process",
    "warm": "what steps spend themselves, besides their AWS calls",
    "hot_seller": "16 payers to one seller beside 16 payers to 16 sellers",
    "postgres": "a transfer beside a one-call PostgreSQL transfer",
    "growth": "cost per operation with a thousand rows and with a million",
    "photos": "132 photos of made-up cards, read by the networks that ship with the function",
    "due": "10,000 bills due in the same minute",
}


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Which: {', '.join(BENCHMARKS)}. All without a name.")
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="Only show that they run: the figures say nothing.")] = False,
) -> None:
    """Measure Billfold on this machine. Nothing is asserted; the figures are printed."""
    unknown = set(names or ()) - set(BENCHMARKS)
    if unknown:
        raise typer.BadParameter(f"no such benchmark: {', '.join(sorted(unknown))}")
    chosen = names or list(BENCHMARKS)
    os.environ |= ENVIRONMENT
    if small:
        os.environ[scale.SETTING] = "1"
    if len(chosen) > 1:
        # Each in a process of its own: connections, clients and memory are of that benchmark and of none before it.
        command = [sys.executable, "-m", "tests.bench"]
        failed = [name for name in chosen if subprocess.run([*command, name], check=False).returncode]
        if failed:
            print(f"failed: {', '.join(failed)}", file=sys.stderr)
        raise typer.Exit(bool(failed))
    from tests.bench.console import console
    from tests.cloud import secret_store

    (name,) = chosen
    with secret_store.running():
        console.rule(f"[bold]{name}[/]: {BENCHMARKS[name]}")
        importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    typer.run(main)
