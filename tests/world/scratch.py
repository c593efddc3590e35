"""A copy of the project in another folder, for tests that add to it or break it."""

import os
import pathlib
import shutil
import subprocess
import sys

from infra.plan.stages import LOCAL_FOLDER, ROOT

# What the map, the commands and the architecture's tests read.
PARTS = (".chalice", "app.py", "docs", "functions", "infra", "layers", "tests", "pyproject.toml")
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "Makefile")


def copied(folder: pathlib.Path) -> pathlib.Path:
    """The project's sources in this empty folder, with the engines that are installed beside them."""
    for name in (*PARTS, *PAGES):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / LOCAL_FOLDER.name).symlink_to(LOCAL_FOLDER)
    return folder


def replace(file: pathlib.Path, old: str, new: str) -> None:
    """Change a text that stands in a file once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


def run(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, in that copy: nothing of the project itself is imported. Both outputs are in `stdout`."""
    settings = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "250"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={name: value for name, value in settings.items() if not name.startswith("PYTEST_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
