"""A checkout of its own with a local cloud of its own: what a test changes or breaks there touches nobody's `make up`."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
from typing import Any

from infra.plan.stages import ROOT

# What deployment reads; tests, other documents and caches stay behind.
SOURCES = (
    "app.py",
    "functions",
    "layers",
    "infra",
    ".chalice",
    "requirements.txt",
    "pyproject.toml",
    "docs/openapi.json",
)
# What takes long to make and is told by its content: the layers' zips, and the emulator.
LINKED = ("build/layers", ".local/ministack")
UP_SECONDS = 300


class Checkout:
    """A copy of the sources in a folder, and `python -m infra` in it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / name)
        for name in LINKED:
            (ROOT / name).mkdir(parents=True, exist_ok=True)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(ROOT / name)

    def infra(self, *arguments: str, seconds: float = UP_SECONDS) -> str:
        """What `python -m infra …` prints; an error with all of it when it fails."""
        # Nothing of the tests' own settings, which point at another engine.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BILLFOLD_", "PYTEST_"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "infra", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"infra {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    @property
    def stack(self) -> dict[str, Any]:
        """What `up` wrote about the running stack."""
        return dict(json.loads((self.folder / ".local/stack.json").read_text()))


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
