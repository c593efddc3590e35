"""Our transfer beside PostgreSQL's in one call: an idempotency record and two conditional balance updates in a function.

Both sides are one round trip over loopback and one atomic commit; PostgreSQL's function is about as lean as a double
entry gets. It writes to disk at every commit unless told otherwise; the engine behind ours is in memory, so the fair
neighbour of ours is the line with `synchronous_commit off`. Neither has a network to cross, nor replicas to wait for.
"""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench import console
from tests.bench.scale import scaled
from tests.cloud.engine import Engine

BLOCKS, TRANSFERS = scaled((6, 80), (1, 3))
SCHEMA = """
create table accounts (name text primary key, available bigint not null default 0, floor boolean not null);
create table transfers (id text primary key, debit text not null, credit text not null, amount bigint not null,
                        at timestamptz not null default now());
insert into accounts values ('payer', 1000000000, true), ('payee', 0, true);

create function transfer(operation text, payer text, payee text, moved bigint) returns text language plpgsql as $$
begin
    insert into transfers (id, debit, credit, amount) values (operation, payer, payee, moved) on conflict do nothing;
    if not found then return 'repeated'; end if;
    update accounts set available = available - moved where name = payer and (not floor or available >= moved);
    if not found then raise exception 'balance too low'; end if;
    update accounts set available = available + moved where name = payee;
    if not found then raise exception 'unknown payee'; end if;
    return 'posted';
end $$;
"""


def main() -> None:
    folder = programs()
    if folder is None:
        console.console.print(
            "Skipped: PostgreSQL is not installed (no initdb and postgres on PATH or in its usual place).\n"
        )
        return
    try:
        import psycopg
    except ImportError:
        console.console.print("Skipped: psycopg is not installed (`pip install 'psycopg[binary]'`).\n")
        return
    with server(folder) as address, Engine() as engine:
        quickly = f"{address} options='-c synchronous_commit=off'"
        durable, quick = psycopg.connect(address, autocommit=True), psycopg.connect(quickly, autocommit=True)
        durable.execute(SCHEMA)
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.url
        engine.empty()
        moves = {
            "PostgreSQL": _postgres(durable),
            "PostgreSQL, synchronous_commit off": _postgres(quick),
            "Billfold on dynoxide": _billfold(),
        }
        _show(_measure(moves))


def _measure(moves: dict[str, Callable[[], None]]) -> dict[str, tuple[list[float], list[float]]]:
    """Milliseconds of time, and of the client's CPU, of each transfer; the sides take turns in blocks."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in moves}
    with console.progress("transfers", (BLOCKS + 1) * len(moves)) as advance:
        for block in range(BLOCKS + 1):
            for name, move in moves.items():
                for _ in range(TRANSFERS):
                    began, cpu = time.perf_counter(), time.thread_time()
                    move()
                    # The first block warms both sides.
                    if block:
                        found[name][0].append((time.perf_counter() - began) * 1000)
                        found[name][1].append((time.thread_time() - cpu) * 1000)
                advance()
    return found


def _show(found: dict[str, tuple[list[float], list[float]]]) -> None:
    lean = statistics.median(found["PostgreSQL, synchronous_commit off"][0])
    rows = [
        (name, *console.spread(took, 2), f"{statistics.median(took) / lean:.2f}", console.spread(cpu, 2)[1])
        for name, (took, cpu) in found.items()
    ]
    columns = ("one transfer", "min ms", "median ms", "max ms", "ratio", "client CPU ms (median)")
    console.table("A transfer, one client, one call", columns, rows)


def _postgres(connection: Any) -> Callable[[], None]:
    query = "select transfer(%s, 'payer', 'payee', 1)"

    def move() -> None:
        assert connection.execute(query, [uuid.uuid4().hex], prepare=True).fetchone() == ("posted",)

    return move


def _billfold() -> Callable[[], None]:
    from billfold import clock, ledger
    from billfold.ledger import ledger_rows
    from billfold.tables.commits import Commit

    def move(payer: ledger.Account, amount: int, payee: ledger.Account) -> None:
        transfer_id = f"trf_{uuid.uuid4().hex}"
        commit = Commit(transfer_id)
        legs = ledger.pay(payer, [(payee, amount)])
        ledger_rows.add_transfer(
            commit, ledger.transfer(transfer_id, legs, at=clock.now(), kind="transfer", reason="lunch")
        )
        commit.send()

    payer, payee = ledger.wallet("usr_payer", "USD"), ledger.wallet("usr_payee", "USD")
    move(ledger.funding("USD"), 10**9, payer)
    return lambda: move(payer, 1, payee)


def programs() -> pathlib.Path | None:
    """The folder of PostgreSQL's programs, if it is installed."""
    found = shutil.which("initdb")
    folders = [pathlib.Path(found).resolve().parent] if found else []
    folders += [pathlib.Path(name) for name in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextmanager
def server(folder: pathlib.Path) -> Iterator[str]:
    """A PostgreSQL of our own on loopback, in a temporary folder; its address."""
    with tempfile.TemporaryDirectory() as home:
        _own(home)
        data = f"{home}/data"
        initdb = [str(folder / "initdb"), "-D", data, "-U", "billfold", "-A", "trust", "-E", "UTF8", "--no-locale"]
        _run([*initdb, "--no-sync"], home)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [
            "-D",
            data,
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={home}",
        ]
        process = subprocess.Popen(
            [*_as_other(), str(folder / "postgres"), *options],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port, process)
            yield f"host=127.0.0.1 port={port} user=billfold dbname=postgres"
        finally:
            # The fast shutdown, which does not wait for clients.
            process.send_signal(signal.SIGINT)
            process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("PostgreSQL ended at once")
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="billfold", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")


def _other() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; whom root lets run it."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _own(home: str) -> None:
    if other := _other():
        os.chown(home, other.pw_uid, other.pw_gid)


def _as_other() -> list[str]:
    other = _other()
    return ["setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups"] if other else []


def _run(command: list[str], home: str) -> None:
    done = subprocess.run([*_as_other(), *command], cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{pathlib.Path(command[0]).name} failed: {done.stderr[-500:]}")
