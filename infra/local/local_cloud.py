"""The local cloud: the emulator on 127.0.0.1 with the real templates, a seeded sandbox, and `.local/stack.json`.

`stack.json` is there when, and only when, the stack answers: written last, removed first.
"""

import json
import os
import signal
import time
from typing import Any

from infra.command_line import Say, console, stopwatch
from infra.deploy.clouds import LOCAL_ACCOUNT, LOCAL_REGION, STACK_FILE, Cloud, stand_in
from infra.local import servers
from infra.local.servers import CloudFailed, Server
from infra.plan import stages


def up(port: int, *, detach: bool, auth: bool = False) -> None:
    """Start everything; returns once ready when `detach`, else stays until Ctrl-C or until it is stopped."""
    if servers.recorded() is None:
        STACK_FILE.unlink(missing_ok=True)
    console.print(f"The local cloud, on 127.0.0.1:{port}")
    say = stopwatch()
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    server = servers.start(port, auth=auth)
    try:
        say("the emulator answers")
        stack = _fill(server, say)
        _write(stack)
        say("everything answers")
        console.print(_overview(stack, detach), markup=False, highlight=False)
        if not detach:
            _stay(server)
            console.print("The local cloud was stopped.")
    except KeyboardInterrupt:
        console.print("\nStopping the local cloud.")
        ready = STACK_FILE.exists()
        _down(server)
        if not ready:
            raise CloudFailed("interrupted before everything answered") from None
    except BaseException:
        _down(server)
        raise


def down() -> Server | None:
    """Stop the local cloud that was started here; None when none runs."""
    server = servers.recorded()
    STACK_FILE.unlink(missing_ok=True)
    if server:
        _down(server)
    return server


def _fill(server: Server, say: Say) -> dict[str, Any]:
    """Deploy and seed, and say what is where."""
    cloud = Cloud(LOCAL_REGION, LOCAL_ACCOUNT, f"http://127.0.0.1:{server.port}")
    stand_in(cloud, stages.stage(stages.LOCAL).prefix)
    os.environ["BILLFOLD_SANDBOX"] = "1"
    # Imported only now: the tables read their region and prefix when they are imported.
    from infra.deploy import deployment, stacks
    from infra.local import sandbox
    from infra.plan import steps
    from infra.templates.gateway import STAGE_NAME

    stage = stages.stage(stages.LOCAL)
    deployment.deploy(cloud, stage, steps.load(sandbox_bank=stage.sandbox), say=say)
    kept = stacks.outputs(cloud, f"{stage.prefix}-kept")
    gateway = stacks.outputs(cloud, f"{stage.prefix}-gateway")
    bank = stacks.outputs(cloud, f"{stage.prefix}-sandbox-bank")
    stack: dict[str, Any] = {
        "api": cloud.api(gateway["Api"], STAGE_NAME),
        "bank": bank["Address"],
        "prefix": stage.prefix,
        "endpoint": cloud.endpoint,
        "region": cloud.region,
        "account": cloud.account,
        "user_pool_id": kept["UserPool"],
        "client_id": kept["UserPoolClient"],
        "staff_pool_id": kept["StaffPool"],
        "staff_client_id": kept["StaffPoolClient"],
    }
    return stack | sandbox.seed(cloud, stack, say)


def _write(stack: dict[str, Any]) -> None:
    """All of it or nothing, and for its owner only: it holds passwords, if only the sandbox's."""
    half = STACK_FILE.with_suffix(".half")
    half.touch(mode=0o600)
    half.write_text(json.dumps(stack, indent=2) + "\n")
    half.replace(STACK_FILE)


def _overview(stack: dict[str, Any], detach: bool) -> str:
    lines = {
        "API": stack["api"],
        "sandbox bank": f"{stack['bank']} (magic numbers: docs/sandbox.md)",
        "try": f"curl {stack['api']}/v1/health",
        "AWS endpoint": f"{stack['endpoint']} ({stack['region']}, account {stack['account']})",
        "users": ", ".join(stack["users"]),
        "merchants": ", ".join(merchant["name"] for merchant in stack["merchants"]),
        "details": f"{STACK_FILE.relative_to(stages.ROOT)} (passwords, PINs, terminals' keys)",
        "log": str(servers.LOG.relative_to(stages.ROOT)),
        "a token": "make token USER=alice",
        "the demo": "make demo",
        "to stop": "make down" if detach else "Ctrl-C",
    }
    return "\n".join(["Billfold is up", *(f"  {name:14}{text}" for name, text in lines.items())])


def _stay(server: Server) -> None:
    while server.runs:
        time.sleep(0.5)
        servers.reap(server)
    if STACK_FILE.exists():
        raise CloudFailed(f"the emulator ended by itself; its last words are in {servers.LOG.relative_to(stages.ROOT)}")


def _down(server: Server) -> None:
    STACK_FILE.unlink(missing_ok=True)
    servers.stop(server)
