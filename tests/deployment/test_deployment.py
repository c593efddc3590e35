"""What a deployment does to an account, on a fake with AWS's documented behaviour: issue 7, E20 to E26 and E29."""

import dataclasses
import json
from typing import Any

import pytest

from infra.deploy import deployment, versions
from infra.deploy.stacks import DeploymentFailed
from infra.plan import stages, steps
from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.templates import Code, kept
from infra.templates.words import logical
from tests.deployment.fake_aws import FakeAws

PRODUCTION = stages.stage("production")
STEPS = steps.known()
PREFIX = PRODUCTION.prefix


class Account:
    """An account, and deployments to it; `revisions` are what each step's code is now, `layer` what all carry."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.revisions = dict.fromkeys((one.name for one in STEPS), 1)
        self.layer = 1
        self.said: list[str] = []

    def deploy(self, *named: str, stage: Stage = PRODUCTION, having: list[Step] = STEPS) -> dict[str, tuple[str, str]]:
        """Each step's live version before and after."""
        done = deployment.deploy(self.aws.cloud, stage, having, named, self.said.append, self._package)
        return {one.step.name: (one.before, one.after) for one in done}

    def _package(self, cloud: Any, stage: Stage, bucket: str, chosen: list[Step], say: Any) -> dict[str, Code]:
        layer = f"arn:aws:lambda:eu-west-1:123456789012:layer:billfold:{self.layer}"
        return {
            one.name: Code(bucket, f"functions/{one.name}-{self.revisions[one.name]}.zip", (layer,)) for one in chosen
        }

    def function(self, name: str) -> dict[str, Any]:
        """A function as its stack has it."""
        step = next(one for one in STEPS if one.name == name)
        stack = self.stack(f"steps-{step.workflow.replace('_', '-')}")
        return dict(stack.template["Resources"][logical(name)]["Properties"])

    def stack(self, name: str) -> Any:
        return next(one for one in self.aws.formation.live() if one.name == f"{PREFIX}-{name}")

    def live(self, name: str) -> str:
        return self.aws.functions.alias[f"{PREFIX}-{name.replace('_', '-')}"]

    def rollback(self, name: str) -> tuple[str, str]:
        step = next(one for one in STEPS if one.name == name)
        return versions.rollback(self.aws.cloud, PRODUCTION, self.aws.bucket, step)

    def redeploy(self, name: str) -> str:
        """Deploy changed code of a step; its version."""
        self.revisions[name] += 1
        return self.deploy(name)[name][1]


@pytest.fixture
def account() -> Account:
    account = Account()
    account.deploy()
    return account


def with_generations(*generations: str) -> Stage:
    """The stage with these generations of the vault's keys."""
    said = PRODUCTION.variables | {"BILLFOLD_VAULT_KEYS": " ".join(generations)}
    return dataclasses.replace(PRODUCTION, vault_keys=generations, variables=said)


def test_a_first_deployment_may_be_as_long_as_it_likes_and_protects_what_is_kept():
    """E29: over 51,200 bytes `kept` goes by way of the bucket, whose stack is the first. E20: protected in the end."""
    account = Account()
    account.deploy(stage=with_generations(*(str(number) for number in range(30, 0, -1))))
    sent = len(json.dumps(account.stack("kept").template, separators=(",", ":")))
    assert sent > 51_200
    names = [name for _, name in account.aws.formation.calls]
    assert names[:3] == [f"{PREFIX}-artifacts", f"{PREFIX}-kept", f"{PREFIX}-kept"]
    tables = [one for one in account.stack("kept").template["Resources"].values() if "Table" in one["Type"]]
    assert all(one["Properties"]["DeletionProtectionEnabled"] for one in tables)


@pytest.mark.parametrize("broken", ["LedgerTable", "PhotosBucket", "OpenBillLogs"])
def test_a_first_creation_that_fails_says_why_and_can_be_repeated(broken):
    """E20: the reason is asked for by the stack's id, because the stack is gone; what it had made is gone too."""
    account = Account()
    account.aws.formation.breaking[broken] = "the quota is used up"
    with pytest.raises(DeploymentFailed, match=f"{broken}: the quota is used up$"):
        account.deploy()
    account.aws.formation.breaking.clear()
    assert set(account.deploy()) == {one.name for one in STEPS}


def test_an_update_that_fails_leaves_nothing_behind_that_is_in_the_next_ones_way(account):
    """E20: `RetainExceptOnCreate` on updates too. The reason is this operation's, not an older one's."""
    account.aws.formation.breaking["OpenBillLogs2"] = "never reached"
    wanted = kept.template(PRODUCTION, STEPS)
    extra = dict(wanted["Resources"]["OpenBillLogs"], Properties={"LogGroupName": "/aws/lambda/another"})
    changed = wanted | {"Resources": wanted["Resources"] | {"AnotherLogs": extra, "OpenBillLogs2": extra}}
    for _ in range(2):
        with pytest.raises(DeploymentFailed, match=r"OpenBillLogs2: never reached$"):
            deployment._apply(account.aws.cloud, {f"{PREFIX}-kept": changed}, account.aws.bucket, account.said.append)


def test_a_removed_queue_or_generation_goes_only_after_nobody_imports_it(account):
    """E21: the vault's rotation to its documented end, in one deployment each time; no export is withdrawn while in use."""
    both, new = with_generations("2", "1"), with_generations("2")
    account.deploy(stage=both)
    account.deploy(stage=new)
    assert f"{PREFIX}-key-vault-1" not in account.stack("kept").exports()
    assert "VaultKey1" not in account.stack("kept").template["Resources"]
    assert f"{PREFIX}-key-vault-2" in account.stack("kept").exports()


def test_what_lambda_does_not_version_changes_without_a_new_version(account):
    """E22: tags and reserved concurrency; a time-out makes one. With a hash of all properties Lambda refuses the deployment."""
    step = "end_bills"
    more = {"reserved_concurrency": 41}
    for change, version in ((more, "1"), (more | {"lambda_timeout": 19}, "2")):
        scoped = dataclasses.replace(PRODUCTION, functions={step: change})
        assert account.deploy(step, stage=scoped)[step][1] == version
    assert account.function(step)["ReservedConcurrentExecutions"] == 41
    retagged = dataclasses.replace(PRODUCTION, name="renamed")
    assert account.deploy("open_bill", stage=retagged)["open_bill"] == ("1", "1")
    assert account.function("open_bill")["Tags"]["stage"] == "renamed"


def test_a_step_that_is_not_named_keeps_all_that_its_stack_says_of_it(account):
    """E24: code, layers, memory, environment, role: whatever changed on disk meanwhile."""
    before = {one.name: account.function(one.name) for one in STEPS}
    account.layer = 2
    account.revisions = dict.fromkeys(account.revisions, 2)
    other = dataclasses.replace(
        PRODUCTION, name="other", target=dataclasses.replace(PRODUCTION.target, architecture="arm64"), log_days=1
    )
    account.deploy("open_bill", "get_card", stage=other)
    changed = {one.name for one in STEPS if account.function(one.name) != before[one.name]}
    assert changed == {"open_bill", "get_card"}


def test_a_deployment_tells_what_it_left_unchanged(account):
    """E30: before and after are the same version."""
    assert set(account.deploy().values()) == {("1", "1")}
    account.revisions["get_bill"] = 2
    assert account.deploy("get_bill", "open_bill") == {"get_bill": ("1", "2"), "open_bill": ("1", "1")}


def test_a_new_step_is_refused_by_name_and_so_is_a_stage_that_is_not_there(account):
    """Its log group, queue and route come with everything."""
    others = [one for one in STEPS if one.name != "get_bill"]
    fresh = Account()
    fresh.deploy(having=others)
    with pytest.raises(DeploymentFailed, match="get_bill is new"):
        fresh.deploy("get_bill")
    with pytest.raises(DeploymentFailed, match="nothing is deployed"):
        Account().deploy("get_bill")


def test_rollback_goes_to_what_was_live_before_and_never_to_what_was_taken_back(account):
    """E26: 1, 2, 3; back to 2; then 4; back to 2 and not to 3; back to 1; then there is nothing earlier."""
    assert [account.redeploy("get_bill") for _ in range(2)] == ["2", "3"]
    assert account.rollback("get_bill") == ("3", "2")
    assert account.redeploy("get_bill") == "4"
    assert account.rollback("get_bill") == ("4", "2")
    assert account.rollback("get_bill") == ("2", "1")
    with pytest.raises(versions.NothingEarlier):
        account.rollback("get_bill")
    assert account.live("get_bill") == "1"


def test_a_version_whose_shift_an_alarm_stopped_was_never_live(account):
    """E26: it was published, and the alias went back before the deployment was done."""
    account.redeploy("get_bill")
    name = f"{PREFIX}-get-bill"
    account.aws.functions.published[name].append({"AutoPublishCodeSha256": "stopped"})
    assert account.redeploy("get_bill") == "4"
    assert account.rollback("get_bill") == ("4", "2")


def test_a_rollback_stops_the_shift_that_is_under_way_and_moves_nothing_else(account):
    """E26: CodeDeploy would go on to move the alias, and its stack waits for it."""
    account.redeploy("get_bill")
    name = f"{PREFIX}-get-bill"
    account.aws.functions.weights[name] = {"3": 0.1}
    account.aws.shifts.running["d-1"] = f"group-{name}"
    account.aws.shifts.running["d-2"] = f"group-{PREFIX}-open-bill"
    assert account.rollback("get_bill") == ("3", "2")
    assert account.aws.shifts.stopped == ["d-1"]
    assert account.aws.functions.weights[name] == {}
    assert account.rollback("get_bill") == ("2", "1")


def test_deploying_everything_leaves_what_was_rolled_back_until_it_is_named(account):
    """E26: though a layer that all carry has changed; the others get it, and it is said."""
    account.redeploy("get_bill")
    account.rollback("get_bill")
    account.layer = 2
    done = account.deploy()
    assert "get_bill" not in done
    assert (account.live("get_bill"), account.live("open_bill")) == ("1", "2")
    assert any("get_bill stays as it is: version 2 was rolled back" in one for one in account.said)
    assert account.deploy("get_bill")["get_bill"] == ("1", "3")
    assert "get_bill" in account.deploy()


def test_the_same_code_that_was_rolled_back_is_live_again_when_it_is_named(account):
    """E26: the stack has nothing to change, and the alias moves all the same."""
    account.redeploy("get_bill")
    account.rollback("get_bill")
    assert account.deploy("get_bill")["get_bill"] == ("1", "2")
    assert account.rollback("get_bill") == ("2", "1")


@pytest.mark.parametrize("alone", [False, True])
def test_a_step_changes_its_folder_and_an_emptied_workflows_stack_goes(account, alone):
    """E29: a function's name is free only after the old stack has let it go; a stack without functions cannot be."""
    moving = [one.name for one in STEPS if one.workflow == "ledger"] if alone else ["get_transfer"]
    after = [dataclasses.replace(one, workflow="merchants") if one.name in moving else one for one in STEPS]
    account.deploy(having=after)
    names = {one.name for one in account.aws.formation.live()}
    assert (f"{PREFIX}-steps-ledger" in names) is not alone
    for name in moving:
        assert logical(name) in account.stack("steps-merchants").template["Resources"]
    assert set(account.deploy(having=after)) == {one.name for one in STEPS}


def test_the_permission_of_a_moved_step_is_made_anew(account):
    """E29: the function is another one, and knows none of what the old one allowed."""
    before = set(account.stack("gateway").template["Resources"])
    account.deploy(
        having=[dataclasses.replace(one, workflow="bills") if one.name == "get_transfer" else one for one in STEPS]
    )
    assert "BillsGetTransferPermission" in set(account.stack("gateway").template["Resources"]) - before


def test_a_workflow_without_steps_takes_its_stack_along(account):
    """E29: removed steps, not moved ones; what they logged stays."""
    account.deploy(having=[one for one in STEPS if one.workflow != "ledger"])
    assert f"{PREFIX}-steps-ledger" not in {one.name for one in account.aws.formation.live()}
    assert f'AWS::Logs::LogGroup "/aws/lambda/{PREFIX}-get-transfer"' in account.aws.formation.taken


@pytest.mark.parametrize(("removed", "accepted"), [(0, True), (1, True), (2, False)])
def test_two_indexes_of_a_table_in_one_deployment_are_refused_before_anything_is_touched(account, removed, accepted):
    """E29: DynamoDB does one an update, and CloudFormation would fail midway."""
    table = account.stack("kept").template["Resources"]["BillsTable"]["Properties"]
    table["GlobalSecondaryIndexes"] = table["GlobalSecondaryIndexes"][removed:]
    calls = len(account.aws.formation.calls)
    if accepted:
        account.deploy()
        return
    with pytest.raises(DeploymentFailed, match="BillsTable would change 2 indexes"):
        account.deploy()
    assert len(account.aws.formation.calls) == calls
