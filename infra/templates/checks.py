"""Checks of the templates of every stage: cfn-lint (is it right?) and checkov (is it safe?). Every exception has its reason."""

import pathlib
import subprocess
import sys

from rich.console import Console

from infra import templates
from infra.failures import Failure
from infra.plan import stages
from infra.plan.steps import load
from infra.templates.words import text

OUTPUT = stages.ROOT / "build/templates"
CHECKOV = stages.LOCAL_FOLDER / "scanners/bin/checkov"

OWN_KEYS = "AWS's own keys encrypt it; a key of ours would add a call and a failure to every step, for no other reader shut out"
EXCEPTIONS = {
    "CKV_AWS_18": "the bucket holds our own zips; CloudTrail records who writes them",
    "CKV_AWS_27": "SqsManagedSseEnabled encrypts the queues; the check knows KMS keys only",
    "CKV_AWS_59": "what is open to all is so on purpose, and a test lists it; the sandbox bank checks its own key",
    "CKV_AWS_73": "X-Ray's import costs a cold start 130 to 260 ms; a request id ties the log lines instead",
    "CKV_AWS_76": "every step logs one line a call, with request id, caller and status; the gateway's own refusals are metrics",
    "CKV_AWS_115": "an HTTP step may use the account's whole concurrency: a reserve would refuse customers; the gateway throttles",
    "CKV_AWS_116": "queues have dead-letter queues of their own; streams repeat; a schedule comes again in a minute",
    "CKV_AWS_117": "the functions speak to AWS only; a VPC would give them nothing and cost them their cold start",
    "CKV_AWS_119": OWN_KEYS,
    "CKV_AWS_120": "no answer may be cached: each is one caller's, and of this moment",
    "CKV_AWS_149": OWN_KEYS,
    "CKV_AWS_158": OWN_KEYS,
    "CKV_AWS_173": OWN_KEYS,
}


class ScannerAbsent(Failure):
    """What checks the templates is not installed."""


def write(folder: pathlib.Path = OUTPUT) -> list[pathlib.Path]:
    """Every stage's templates as files, <folder>/<stage>/<stack>.json."""
    written = []
    for name in stages.names():
        steps = load(sandbox_bank=stages.stage(name).sandbox)
        codes = templates.sample_codes(steps)
        for stack, template in templates.build(stages.stage(name), steps, codes).items():
            file = folder / name / f"{stack}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text(template) + "\n")
            written.append(file)
    return written


def run(console: Console) -> int:
    """Check them all; 0 when nothing was found. ScannerAbsent when a scanner is missing."""
    if not CHECKOV.exists():
        raise ScannerAbsent("checkov is not installed: `make check` installs it")
    files = write()
    console.print(f"cfn-lint reads {len(files)} templates ...", highlight=False)
    lint = pathlib.Path(sys.executable).with_name("cfn-lint")
    found = subprocess.run([str(lint), *map(str, files)], check=False).returncode
    console.print(
        f"checkov reads them, but for {len(EXCEPTIONS)} checks that do not apply (infra/templates/checks.py) ...",
        highlight=False,
    )
    command = [
        str(CHECKOV),
        "--directory",
        str(OUTPUT),
        "--framework",
        "cloudformation",
        "--quiet",
        "--compact",
        "--skip-download",
    ]
    found |= subprocess.run([*command, "--skip-check", ",".join(EXCEPTIONS)], check=False).returncode
    console.print("The templates have faults." if found else "The templates are clean.")
    return 1 if found else 0
