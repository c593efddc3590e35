"""A stage is deployed to its own account and region and nowhere else, and what would fail halfway is told before (E23)."""

import dataclasses
import json
import subprocess
import sys

import pytest
from moto import mock_aws

from infra.build import packages
from infra.build.packages import NotBuildable
from infra.deploy import clouds, preflight
from infra.deploy.clouds import CloudAbsent, WrongAccount
from infra.operations import users
from infra.plan import stages, steps
from infra.plan.stages import Target, Unknown
from tests.deployment.fake_aws import ACCOUNT, REGION, Client, FakeAws, refused

STAGE = dataclasses.replace(
    stages.stage("production"), account=ACCOUNT, region=REGION, alarm_address="on-call@example.com"
)
STEPS = steps.known()
# In one process with others; a command line of its own costs a second.
COMMAND = [sys.executable, "-m", "infra"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"AWS_REGION": REGION, "AWS_DEFAULT_REGION": "us-east-1"}, None),
        ({"AWS_DEFAULT_REGION": REGION}, None),
        ({}, None),
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": REGION}, "these credentials open 123456789012 in us-east-1"),
    ],
)
def test_the_region_is_aws_region_and_has_to_be_the_stages(monkeypatch, said, outcome):
    """boto3 reads AWS_DEFAULT_REGION alone, AWS's own tools AWS_REGION; a bill in another region helps nobody."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        if outcome:
            with pytest.raises(WrongAccount, match=outcome):
                clouds.find(STAGE)
        else:
            assert (clouds.find(STAGE).region, clouds.find(STAGE).account) == (REGION, ACCOUNT)


def test_another_account_is_refused_and_so_is_a_stage_that_names_none():
    """Before anything is asked of CloudFormation."""
    with mock_aws():
        with pytest.raises(WrongAccount, match="belongs to account 999999999999 in eu-west-1; these credentials open"):
            clouds.find(dataclasses.replace(STAGE, account="999999999999"))
        with pytest.raises(CloudAbsent, match="write `account`"):
            clouds.find(stages.stage("production"))


class Answers(Client):
    """One answer to whatever is asked, or one refusal."""

    def __init__(self, answer) -> None:
        self._answer = answer

    def __getattr__(self, name):
        def ask(**_):
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return ask


def an_account(**others):
    good = {
        "account": Answers({"RegionOptStatus": "ENABLED_BY_DEFAULT"}),
        "lambda": Answers({"AccountLimit": {"ConcurrentExecutions": 1000}}),
        "service-quotas": Answers({"Quota": {"Value": 10_000.0}}),
        "sts": Answers({"Arn": f"arn:aws:iam::{ACCOUNT}:user/somebody"}),
        "iam": Answers({"EvaluationResults": []}),
    }
    return FakeAws(**good | others).cloud


def outcomes(cloud, stage=STAGE):
    return {one.about: one.outcome for one in preflight.look(cloud, stage, STEPS) if one.outcome != "good"}


def test_an_account_in_which_all_is_well_has_nothing_against_it():
    """No finding but good ones."""
    assert outcomes(an_account()) == {}


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("account", {"RegionOptStatus": "DISABLED"}, {"region": "bad"}),
        ("lambda", {"AccountLimit": {"ConcurrentExecutions": 10}}, {"concurrency": "bad"}),
        ("lambda", refused("AccessDeniedException"), {"concurrency": "unknown"}),
        ("sts", refused("AccessDenied"), {"permissions": "unknown"}),
        (
            "iam",
            {"EvaluationResults": [{"EvalActionName": "kms:CreateKey", "EvalDecision": "implicitDeny"}]},
            {"permissions": "bad"},
        ),
        (
            "service-quotas",
            {"Quota": {"Value": 10.0}},
            {"quota of stacks": "bad", "quota of tables": "bad", "quota of calls a second": "bad"},
        ),
    ],
)
def test_what_would_fail_halfway_is_told_before(name, answer, expected):
    """Each for itself; what the credentials may not look at is unknown and no reason to stop."""
    assert outcomes(an_account(**{name: Answers(answer)})) == expected


def test_the_concurrency_that_is_needed_is_what_the_stage_reserves_and_what_lambda_leaves():
    """One short is short."""
    reserved = sum(one.settings(STAGE).concurrency or 0 for one in STEPS)
    for limit, expected in ((reserved + 100, {}), (reserved + 99, {"concurrency": "bad"})):
        assert (
            outcomes(an_account(**{"lambda": Answers({"AccountLimit": {"ConcurrentExecutions": limit}})})) == expected
        )


def test_a_stage_whose_alarms_nobody_hears_is_not_deployed():
    """E25: an address a stage."""
    assert outcomes(an_account(), dataclasses.replace(STAGE, alarm_address="")) == {"alarms": "bad"}


def test_a_role_is_asked_about_by_its_own_arn():
    """IAM simulates no session."""
    asked = []

    class Iam(Client):
        def get_role(self, RoleName):  # noqa: N803
            return {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/path/{RoleName}"}}

        def simulate_principal_policy(self, PolicySourceArn, ActionNames):  # noqa: N803
            asked.append(PolicySourceArn)
            return {"EvaluationResults": []}

    session = Answers({"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me"})
    assert outcomes(an_account(iam=Iam(), sts=session)) == {}
    assert asked == [f"arn:aws:iam::{ACCOUNT}:role/path/deployer"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("deploy", "--stage", "nosuch"),
            "Unknown: there is no stage nosuch; the nearest names are local, production, sandbox",
        ),
        (("status", "--stage", "prod"), "Unknown: there is no stage prod; the nearest names are production"),
        (
            ("deploy", "opn_bill"),
            "Unknown: there is no step or state machine opn_bill; the nearest names are open_bill",
        ),
        (
            ("rollback", "get_bil", "--stage", "sandbox"),
            "Unknown: there is no step get_bil; the nearest names are get_bill",
        ),
        (
            ("users", "add", "eve", "--group", "operator", "--stage", "production"),
            "CloudAbsent: stage production belongs",
        ),
    ],
)
def test_a_mistake_of_the_command_line_is_one_line_with_the_nearest_names(arguments, told):
    """E30: no traceback."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=stages.ROOT)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(told)
    assert done.stdout.count("\n") == 1


def test_a_syntax_error_in_another_step_is_one_line(tmp_path):
    """E30: with file and line."""
    for name in ("infra", "functions", "layers", ".chalice", "app.py"):
        (tmp_path / name).symlink_to(stages.ROOT / name)
    (tmp_path / "functions").unlink()
    for file in (stages.ROOT / "functions").rglob("*.py"):
        copy = tmp_path / file.relative_to(stages.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text() if file.name != "list_bills.py" else '"""Broken."""\n\ndef (:\n')
    done = subprocess.run([*COMMAND, "deploy", "get_bill"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout == f"SyntaxError: {tmp_path}/functions/bills/list_bills.py:3: invalid syntax\n"


def test_a_package_is_named_by_what_it_runs_on():
    """E24: runtime, architecture and wheels are in the digest, so that a zip for another machine is never taken for this one."""
    here = stages.this_machine()
    step = STEPS[0]
    others = [
        Target("python3.12", here.architecture),
        Target(here.runtime, "another"),
        Target(here.runtime, here.architecture, ("manylinux2014_aarch64",)),
    ]
    digests = {packages.function(step, one).key for one in (here, *others)}
    assert len(digests) == 4


@pytest.mark.parametrize("name", ["sandbox", "production"])
def test_wheels_for_aws_are_those_that_the_configuration_names_whoever_builds(name):
    """E24: a Mac, an arm64 machine and a laptop with another glibc install the same files."""
    target = stages.stage(name).target
    command = packages.installation(stages.ROOT, packages.REQUIREMENTS, packages.CONSTRAINTS, target)
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[target.architecture]
    assert "--only-binary=:all:" in command
    assert f"--python-version={target.runtime.removeprefix('python')}" in command
    assert {f"--platform={one}" for one in target.wheels} <= set(command)
    assert target.wheels
    assert all(one.endswith(f"_{machine}") for one in target.wheels)
    own = packages.installation(stages.ROOT, packages.REQUIREMENTS, packages.CONSTRAINTS, stages.this_machine())
    assert not [one for one in own if "platform" in one]


def test_another_python_than_the_runtimes_builds_nothing():
    """E24: its bytecode could not be read there, and without bytecode imports take 3.6 times as long."""
    packages.check_buildable(stages.this_machine())
    with pytest.raises(NotBuildable, match=r"functions run on python3\.99"):
        packages.check_buildable(dataclasses.replace(stages.this_machine(), runtime="python3.99"))


@pytest.mark.parametrize(("group", "pool"), [("", "users"), ("operators", "users"), ("operations", "staff")])
def test_somebody_who_is_added_is_in_the_pool_of_the_group_and_changes_the_password(group, pool):
    """E28, E30: who runs Billfold is staff."""
    with mock_aws():
        cloud = clouds.Cloud(REGION, ACCOUNT)
        cognito = cloud.client("cognito-idp")
        pools = {name: cognito.create_user_pool(PoolName=name)["UserPool"]["Id"] for name in ("users", "staff")}
        cognito.create_group(UserPoolId=pools[pool], GroupName=group or "unused")
        outputs = {"UserPool": {"Value": pools["users"]}, "StaffPool": {"Value": pools["staff"]}}
        nothing = {"Nothing": {"Type": "AWS::SQS::Queue"}}
        body = json.dumps({"Resources": nothing, "Outputs": outputs})
        cloud.client("cloudformation").create_stack(StackName=f"{STAGE.prefix}-kept", TemplateBody=body)
        user_id, password = users.add(cloud, STAGE, "eve", group)
        found = cognito.admin_get_user(UserPoolId=pools[pool], Username="eve")
        groups = cognito.admin_list_groups_for_user(UserPoolId=pools[pool], Username="eve")["Groups"]
    assert found["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert user_id == "usr_" + found["UserAttributes"][0]["Value"].replace("-", "")
    assert [one["GroupName"] for one in groups] == ([group] if group else [])
    assert len(password) >= 14


def test_a_group_that_is_not_there_is_refused():
    """With the nearest names."""
    with pytest.raises(Unknown, match="no group operator; the nearest names are operators, operations"):
        users.add(FakeAws().cloud, STAGE, "eve", "operator")
