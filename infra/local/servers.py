"""The emulator's process: started apart from us, written down with when it began, and stopped only when it is that one.

    .local/cloud.pid    {"pid", "began", "port"}
    .local/cloud.log    what it says
    .local/tmp          what it unpacks

A process number alone proves nothing: numbers are used again.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

from infra.deploy.clouds import LOCAL_ACCOUNT, LOCAL_REGION
from infra.failures import Failure
from infra.plan.stages import LOCAL_FOLDER

PROGRAM = LOCAL_FOLDER / "ministack/bin/ministack"
RECORD = LOCAL_FOLDER / "cloud.pid"
LOG = LOCAL_FOLDER / "cloud.log"
SCRATCH = LOCAL_FOLDER / "tmp"
READY_SECONDS, STOP_SECONDS = 30, 10


class CloudFailed(Failure):
    """The local cloud cannot start or stay, and why."""


@dataclass(frozen=True)
class Server:
    """The emulator's process. `began` tells it from a later process that got the same number."""

    pid: int
    began: str
    port: int

    @property
    def runs(self) -> bool:
        """Whether this very process is alive."""
        return self.began == _began(self.pid)


def recorded() -> Server | None:
    """The server that runs here, or None; the record of one that is gone is removed."""
    try:
        server = Server(**json.loads(RECORD.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if server.runs:
        return server
    RECORD.unlink(missing_ok=True)
    return None


def start(port: int, *, auth: bool = False) -> Server:
    """Start it on 127.0.0.1 and wait until it answers; CloudFailed when it cannot."""
    if running := recorded():
        raise CloudFailed(
            f"a local cloud runs already on port {running.port} (process {running.pid}): `make down` stops it"
        )
    if not PROGRAM.exists():
        raise CloudFailed("the emulator is not installed: `make install` does it")
    _check_free(port)
    _discard_scratch()
    SCRATCH.mkdir(parents=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [str(PROGRAM)],
            env=_environment(port, auth),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(process.pid, _began(process.pid), port)
    RECORD.write_text(json.dumps(vars(server)))
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(server)
            raise CloudFailed(
                f"the emulator did not start; its last words are in {LOG.relative_to(LOCAL_FOLDER.parent)}"
            )
        time.sleep(0.1)
    return server


def stop(server: Server) -> None:
    """End exactly this process and the workers in its session."""
    if server.runs:
        os.killpg(server.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while server.runs and time.monotonic() < deadline:
            reap(server)
            time.sleep(0.05)
        if server.runs:
            os.killpg(server.pid, signal.SIGKILL)
            reap(server)
    # Workers whose parent went first.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    RECORD.unlink(missing_ok=True)
    _discard_scratch()


def _discard_scratch() -> None:
    """Move what was unpacked out of the way and let a process of its own delete it.

    Every worker unpacks the layers for itself: 30,000 files after `make up`, which took a slow disk 90 s to delete.
    """
    if SCRATCH.exists():
        doomed = SCRATCH.rename(SCRATCH.with_name(f"tmp.{os.getpid()}.{time.time_ns()}"))
        subprocess.Popen(
            [sys.executable, "-c", "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)", str(doomed)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _environment(port: int, auth: bool) -> dict[str, str]:
    """Only what it needs: nobody's AWS credentials or Python settings reach the emulator or the functions it runs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": LOCAL_REGION,
        "MINISTACK_ACCOUNT_ID": LOCAL_ACCOUNT,
        "AWS_DEFAULT_REGION": LOCAL_REGION,
        "AWS_ACCESS_KEY_ID": LOCAL_ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AUTH": "true" if auth else "false",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(SCRATCH),
        "STATE_DIR": str(SCRATCH / "state"),
        # Functions stay warm between a person's calls.
        "LAMBDA_WARM_TTL_SECONDS": "1800",
        "LOG_LEVEL": "WARNING",
    }


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CloudFailed(f"port {port} is taken by another program: choose one with PORT=") from None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _began(pid: int) -> str:
    """When a process began, as the system tells it; empty when there is none (or only its corpse)."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if fields[0] == "Z" else fields[19]
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip()


def reap(server: Server) -> None:
    """Take leave of a child that has ended; it may also be somebody else's child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(server.pid, os.WNOHANG)
