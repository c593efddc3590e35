"""Packaging: one zip a step with nothing but its own file and what it carries, and two layers that the steps share.

    functions/open_bill-<hash>.zip      functions/bills/open_bill.py and its bytecode
    layers/billfold-<hash>.zip          python/billfold/…
    layers/packages-<hash>.zip          python/… : requirements.txt with its closure, pruned

The hash covers what goes in (sources, pins, and the target: runtime, architecture, wheels), so what did not change keeps its
name and is not published again, whoever deploys from whatever machine. Bytecode is shipped, because imports without it take
3.6 times as long, with unchecked hashes, because a zip's fixed time stamps say nothing. Nothing of the machine that builds gets
in: paths in the bytecode are those of Lambda.
"""

import compileall
import gzip
import hashlib
import json
import os
import pathlib
import platform
import py_compile
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from infra.failures import Failure
from infra.plan.stages import ROOT, Target, this_machine
from infra.plan.steps import Step

BUILD = ROOT / "build"
CODE = ROOT / "layers/billfold/python"
REQUIREMENTS = ROOT / "requirements.txt"
CONSTRAINTS = ROOT / "layers/packages/constraints.txt"
# The services that steps call today or in the issues to come; botocore's other 400 models are 90 MB of nothing.
SERVICES = {"dynamodb", "sqs", "sts", "kms", "secretsmanager", "s3", "stepfunctions", "textract"}
# botocore imports its own `docs`.
# Parts of Powertools that are frameworks of their own: half of the layer's files, and files are what a cold start reads.
UNUSED = [
    f"aws_lambda_powertools/{part}"
    for part in (
        "event_handler",
        "utilities/data_masking",
        "utilities/feature_flags",
        "utilities/idempotency",
        "utilities/kafka",
        "utilities/parser",
        "utilities/streaming",
        "utilities/validation",
    )
]
# onnxruntime's library is in its Python extension once more; of RapidOCR the two networks that find and read lines are used,
# and not its code: what that needs (OpenCV above all) would not fit into a function.
UNUSED_FILES = (
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/[dqt]*/**/*",
    "numpy/_core/include/**/*",
    "numpy/_core/lib/*.a",
    "rapidocr/**/*.py",
    "rapidocr/**/*.yaml",
    "rapidocr/models/*_cls_*",
    "pillow.libs/libavif*",
    "PIL/_avif*",
)
PRUNED_FOLDERS = {"tests", "test", "examples", "bin", "__pycache__"}
PRUNED_FILES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
PRUNED_ENDINGS = (".pyi", ".pyx", ".c", ".h", ".pyc")
MAX_UNZIPPED = 250 * 1024 * 1024


@dataclass(frozen=True)
class Package:
    """A zip on disk; `key` names it in the bucket and says what is in it."""

    name: str
    digest: str
    path: pathlib.Path

    @property
    def key(self) -> str:
        return self.path.relative_to(BUILD).as_posix()


class NotBuildable(Failure):
    """This machine cannot build what the stage runs on."""


def check_buildable(target: Target) -> None:
    """NotBuildable unless this Python is the runtime's: only the same version writes bytecode that it can read."""
    if (here := this_machine().runtime) != target.runtime:
        raise NotBuildable(f"functions run on {target.runtime} and this is {here}: make .venv with that version")


def function(step: Step, target: Target) -> Package:
    """The zip of a step's own function: handler `functions/<workflow>/<step>.handler`."""
    files = (step.path, *step.carries)
    digest = _digest(target, [part for file in files for part in (file.encode(), (ROOT / file).read_bytes())])
    package = Package(step.name, digest, BUILD / f"functions/{step.name}-{digest}.zip")
    if not package.path.exists():
        tree = _fresh(BUILD / "trees" / step.name)
        for file in files:
            copy = tree / file
            copy.parent.mkdir(parents=True)
            shutil.copyfile(ROOT / file, copy)
        _compile(tree, "/var/task")
        _zip(tree, package.path)
    return package


def billfold_layer(target: Target) -> Package:
    """The layer of what the steps share: `layers/billfold/python/billfold`."""
    return _own("billfold", CODE, target)


def _own(name: str, code: pathlib.Path, target: Target) -> Package:
    """A layer of our own code."""
    files = [file for file in sorted(code.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    parts = [part for file in files for part in (file.relative_to(code).as_posix().encode(), file.read_bytes())]
    digest = _digest(target, parts)
    package = Package(name, digest, BUILD / f"layers/{name}-{digest}.zip")
    if not package.path.exists():
        tree = _fresh(BUILD / f"trees/layer-{name}")
        shutil.copytree(code, tree / "python", ignore=shutil.ignore_patterns("__pycache__"))
        _compile(tree, "/opt")
        _zip(tree, package.path)
    return package


def packages_layer(target: Target, say: Callable[[str], None] = lambda _: None) -> Package:
    """The layer of third-party packages that every function carries: what requirements.txt pins."""
    return _third_party("packages", REQUIREMENTS, CONSTRAINTS, target, say)


def extra_layer(name: str, target: Target, say: Callable[[str], None] = lambda _: None) -> Package:
    """A layer that only the steps carry whose header names it in `Layers`: layers/<name>/, with code of ours in `python`,
    or third-party packages. Without a constraints.txt beside it, requirements.txt is the whole closure of these.
    """
    folder = ROOT / "layers" / name
    if (folder / "python").exists():
        return _own(name, folder / "python", target)
    return _third_party(name, folder / "requirements.txt", folder / "constraints.txt", target, say)


def _third_party(
    name: str, requirements: pathlib.Path, constraints: pathlib.Path, target: Target, say: Callable[[str], None]
) -> Package:
    """A layer of what these requirements pin, with its closure, pruned to what runs."""
    rules = [repr(sorted(SERVICES)).encode(), pathlib.Path(__file__).read_bytes()]
    pins = [file.read_bytes() for file in (requirements, constraints) if file.exists()]
    digest = _digest(target, [*pins, *rules])
    package = Package(name, digest, BUILD / f"layers/{name}-{digest}.zip")
    if not package.path.exists():
        say(f"building the layer of third-party packages `{name}`, which takes 10 to 30 s ...")
        tree = _fresh(BUILD / f"trees/layer-{name}")
        _install(installation(tree / "python", requirements, constraints, target))
        _prune(tree / "python")
        _compile(tree, "/opt")
        size = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
        assert size < MAX_UNZIPPED, f"the layer is {size} bytes unzipped, over Lambda's limit"
        _zip(tree, package.path)
    return package


def _digest(target: Target, parts: Iterable[bytes]) -> str:
    """Twelve hex digits over the parts, each preceded by its length, and what they are built for."""
    # Without wheels named, they are those of the machine that builds.
    where = target.wheels or (platform.system(),)
    sha = hashlib.sha256(" ".join((target.runtime, target.architecture, *where)).encode())
    for part in parts:
        sha.update(f"{len(part)}:".encode())
        sha.update(part)
    return sha.hexdigest()[:12]


def _fresh(tree: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    return tree


def installation(
    target_folder: pathlib.Path, requirements: pathlib.Path, constraints: pathlib.Path, target: Target
) -> list[str]:
    """The command that installs a layer's packages: with wheels named, exactly those, whatever machine this is."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    command += ["--target", str(target_folder), "--requirement", str(requirements)]
    command += ["--constraint", str(constraints)] if constraints.exists() else ["--no-deps"]
    if target.wheels:
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={target.runtime[6:]}"]
        command += [f"--platform={one}" for one in target.wheels]
    return command


def _install(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install the layer's packages:\n{done.stderr[-2000:]}")


def _prune(tree: pathlib.Path) -> None:
    for part in UNUSED:
        shutil.rmtree(tree / part, ignore_errors=True)
    for pattern in UNUSED_FILES:
        for file in tree.glob(pattern):
            if file.is_file():
                file.unlink()
    if (tree / "botocore").exists():
        _slim(tree / "botocore/data")
    for found in sorted(tree.rglob("*"), reverse=True):
        if found.is_dir() and found.name in PRUNED_FOLDERS:
            shutil.rmtree(found)
        elif found.is_file() and (found.name in PRUNED_FILES or found.name.endswith(PRUNED_ENDINGS)):
            found.unlink()


def _slim(data: pathlib.Path) -> None:
    """Leave of botocore's models what calls are made by: a cold start parses them, and two thirds are documentation."""
    prefixes = set()
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    for file in data.glob("*/*/service-2.json.gz"):
        model = _without_documentation(json.loads(gzip.decompress(file.read_bytes())))
        prefixes.add(model["metadata"]["endpointPrefix"])
        file.with_suffix("").write_text(json.dumps(model, separators=(",", ":")))
        file.unlink()
    for file in data.glob("*/*/examples-1.json"):
        file.unlink()
    assert len(prefixes) == len(SERVICES), "botocore keeps its models otherwise than it did"
    endpoints = json.loads((data / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in prefixes}
    (data / "endpoints.json").write_text(json.dumps(endpoints, separators=(",", ":")))


def _without_documentation(model: Any) -> Any:
    if isinstance(model, list):
        return [_without_documentation(part) for part in model]
    if not isinstance(model, dict):
        return model
    # A member may be called so too; what it is then is no text. Some places must have a text.
    silent = {name: "" for name, part in model.items() if name == "documentation" and isinstance(part, str)}
    return {name: _without_documentation(part) for name, part in model.items()} | silent


def _compile(tree: pathlib.Path, root: str) -> None:
    done = compileall.compile_dir(
        tree,
        stripdir=str(tree),
        prependdir=root,
        quiet=1,
        force=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise RuntimeError(f"some of {tree.name} does not compile")


def _zip(tree: pathlib.Path, target: pathlib.Path) -> None:
    """A zip with sorted names and fixed times; written beside and renamed, so that half a zip is never taken for one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(f".{os.getpid()}.half")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in sorted(tree.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(tree).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.external_attr = (0o755 if ".so" in file.name else 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())
    half.replace(target)
