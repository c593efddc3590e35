"""What only AWS has, by its templates: alarms that are heard, a firewall that counts callers, keys that few open, staff apart."""

import dataclasses
import json
import re
from collections import defaultdict
from functools import cache
from typing import Any

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from billfold.triggers import log
from infra import templates
from infra.deploy.differences import without_what_only_aws_has
from infra.plan import stages, steps, tables
from infra.plan.queues import queue_name, queue_names
from infra.plan.triggers import Schedule, Stream
from infra.templates import kept, workflows
from infra.templates.firewall import COUNTED, REQUESTS_PER_ADDRESS, REQUESTS_PER_CALLER
from infra.templates.words import logical

STAGES = stages.names()
PRODUCTION = dataclasses.replace(stages.stage("production"), alarm_address="on-call@example.com")
STEPS = steps.known()


def of_stage(stage: stages.Stage) -> dict[str, dict[str, Any]]:
    """Every stack's resources by the stack's name without the prefix."""
    its_steps = steps.known(sandbox_bank=stage.sandbox)
    found = templates.build(stage, its_steps, templates.sample_codes(its_steps))
    return {name.removeprefix(f"{stage.prefix}-"): template["Resources"] for name, template in found.items()}


@cache
def built() -> dict[str, dict[str, Any]]:
    """Production's, built once: whoever reads them changes nothing."""
    return of_stage(PRODUCTION)


def alarms() -> dict[str, dict[str, Any]]:
    """Production's, by name."""
    found = [one["Properties"] for one in built()["alarms"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    return {one["AlarmName"]: one for one in found}


def watched(metric: str) -> dict[str, dict[str, str]]:
    """The alarms on a metric: each one's dimensions."""
    return {
        name: {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        for name, alarm in alarms().items()
        if alarm["MetricName"] == metric
    }


def test_every_alarm_reaches_the_stages_address_by_a_key_that_cloudwatch_may_use():
    """E25: with SNS's own key CloudWatch could publish nothing, and nobody would be told of that either."""
    resources = built()["alarms"]
    assert all(one["AlarmActions"] == [{"Ref": "Alarms"}] for one in alarms().values())
    topic = resources["Alarms"]["Properties"]
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "on-call@example.com"}]
    assert topic["KmsMasterKeyId"] == {"Ref": "Key"}
    statements = resources["Key"]["Properties"]["KeyPolicy"]["Statement"]
    (to_cloudwatch,) = [one for one in statements if "Service" in one["Principal"]]
    assert to_cloudwatch["Principal"]["Service"] == "cloudwatch.amazonaws.com"
    assert set(to_cloudwatch["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}


@pytest.mark.parametrize("step", STEPS, ids=lambda one: one.name)
def test_a_gradual_deployment_sees_what_a_step_answers_as_a_fault_and_what_lambda_calls_an_error(
    step, caplog, monkeypatch
):
    """XX-07, E25: a 500 that a function answers and a message that it reports are none of Lambda's `Errors`."""
    function = step.function(PRODUCTION.prefix)
    resources = built()[f"steps-{step.workflow.replace('_', '-')}"]
    preference = resources[logical(step.name)]["Properties"]["DeploymentPreference"]
    assert preference["Type"].startswith("Canary")
    assert preference["Alarms"] == [f"{function}-errors", f"{function}-faults"]
    faults = alarms()[f"{function}-faults"]
    assert (faults["Namespace"], faults["MetricName"]) == ("Billfold", "faults")
    monkeypatch.setenv("BILLFOLD_PREFIX", PRODUCTION.prefix)
    log.line("answered", step.name, 1, {}, failed=True)
    written = vars(caplog.records[-1])
    (metrics,) = written["_aws"]["CloudWatchMetrics"]
    assert metrics["Dimensions"] == [[one["Name"] for one in faults["Dimensions"]]]
    assert [written[one["Name"]] for one in faults["Dimensions"]] == [one["Value"] for one in faults["Dimensions"]]
    assert faults["Dimensions"][0] == {"Name": "stage", "Value": PRODUCTION.prefix}, "stages may share an account"
    assert watched("Errors")[f"{function}-errors"]["FunctionName"] == function
    assert watched("Throttles")[f"{function}-throttles"]["FunctionName"] == function


def test_every_queue_has_an_alarm_on_its_age_and_on_its_dead_letters():
    """E25: a queue that nobody reads has no dead letters."""
    names = {queue_name(PRODUCTION.prefix, queue) for queue in queue_names(sandbox_bank=False)}
    assert {one["QueueName"] for one in watched("ApproximateAgeOfOldestMessage").values()} == names
    patient = {name for one in STEPS for name in one.may.postpones}
    for name, where in watched("ApproximateAgeOfOldestMessage").items():
        waits = where["QueueName"].removeprefix(f"{PRODUCTION.prefix}-").removesuffix(".fifo") in patient
        # A silent bank's messages are up to an hour old, and that is no reason to wake somebody.
        assert (alarms()[name]["Threshold"] > 3600) is waits
    dead = {one["QueueName"] for one in watched("ApproximateNumberOfMessagesVisible").values()}
    assert {queue_name(PRODUCTION.prefix, f"{queue}-dead") for queue in queue_names(sandbox_bank=False)} <= dead


def test_a_schedule_that_does_not_come_is_an_alarm_because_there_is_no_data():
    """E25: Lambda tells of no invocation that did not happen."""
    scheduled = {one.function(PRODUCTION.prefix) for one in STEPS if isinstance(one.trigger, Schedule)}
    assert {one["FunctionName"] for one in watched("Invocations").values()} == scheduled
    for name in watched("Invocations"):
        alarm = alarms()[name]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 24 * 3600, "CloudWatch looks no further back"


def test_every_table_and_index_has_alarms_on_throttled_reads_and_writes():
    """E25: an index that is throttled holds its table's writes back."""
    wanted = {(table.name, index) for table in tables.of_stage(sandbox=False) for index in ("", *names_of(table))}
    for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
        found = {
            (one["TableName"].removeprefix(f"{PRODUCTION.prefix}-"), one.get("GlobalSecondaryIndexName", ""))
            for one in watched(metric).values()
        }
        assert found == wanted


def names_of(table: tables.Table) -> list[str]:
    return [one.name for one in table.indexes]


def test_every_stream_has_an_alarm_on_its_age_long_before_it_forgets():
    """E25: a stream keeps a day."""
    streaming = {one.function(PRODUCTION.prefix) for one in STEPS if isinstance(one.trigger, Stream)}
    assert {one["FunctionName"] for one in watched("IteratorAge").values()} == streaming
    assert all(alarms()[name]["Threshold"] <= 3_600_000 for name in watched("IteratorAge"))


def blocked(requests: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of (token, address) the floods' rules block, were all within five minutes: each rule counts by its own key."""
    rules = built()["firewall"]["Firewall"]["Properties"]["Rules"]
    found = set()
    for rule in rules:
        counting = rule["Statement"].get("RateBasedStatement")
        if not counting:
            continue
        by_token = counting["AggregateKeyType"] == "CUSTOM_KEYS"
        if by_token:
            (key,) = counting["CustomKeys"]
            assert key["Header"]["Name"] == "authorization"
        counts: dict[str, set[int]] = defaultdict(set)
        for number, (token, address) in enumerate(requests):
            # A request without the key is not counted by it.
            if token or not by_token:
                counts[token if by_token else address].add(number)
        over = {key for key, seen in counts.items() if len(seen) > counting["Limit"]}
        found |= {one for one in requests if one[0 if by_token else 1] in over}
    return found


def test_a_cafe_of_three_hundred_phones_behind_one_address_is_let_through():
    """E27: a hundred calls each in five minutes."""
    assert blocked([(f"token {phone}", "cafe") for phone in range(300) for _ in range(100)]) == set()


def test_one_caller_is_stopped_whatever_address_it_uses_and_others_of_the_address_are_not():
    """E27: the neighbours of a guesser go on."""
    flood = [("guesser", f"address {number % 50}") for number in range(REQUESTS_PER_CALLER + 1)]
    assert blocked([*flood, ("honest", "address 0")]) == set(flood)


def test_made_up_tokens_from_one_address_are_stopped():
    """E27: each token by itself would stay below."""
    flood = [(f"made up {number}", "one") for number in range(REQUESTS_PER_ADDRESS + 1)]
    assert len(blocked(flood)) == len(flood)


def test_a_body_of_64_kib_and_a_till_without_a_user_agent_pass():
    """E27: AWS's rules would block bodies over 8,192 bytes; what passes is inspected as far as it may reach."""
    properties = built()["firewall"]["Firewall"]["Properties"]
    for rule in properties["Rules"]:
        group = rule["Statement"].get("ManagedRuleGroupStatement")
        if group and group["Name"] in COUNTED:
            assert {one["Name"] for one in group["RuleActionOverrides"]} == {
                "SizeRestrictions_BODY",
                "NoUserAgent_HEADER",
            }
            assert all(one["ActionToUse"] == {"Count": {}} for one in group["RuleActionOverrides"])
    assert properties["AssociationConfig"]["RequestBody"]["API_GATEWAY"]["DefaultSizeInspectionLimit"] == "KB_64"


@pytest.mark.parametrize("stage_name", STAGES)
def test_what_the_vault_has_sealed_is_opened_by_its_functions_alone(stage_name):
    """CB-19, E28: the key's own policy denies it to an administrator too; the roles that it names are those that are made."""
    stage = stages.stage(stage_name)
    resources = of_stage(stage)
    (denied,) = [
        one
        for one in resources["kept"][f"VaultKey{stage.vault_keys[0]}"]["Properties"]["KeyPolicy"]["Statement"]
        if one["Effect"] == "Deny"
    ]
    assert (denied["Principal"], set(denied["Action"])) == ("*", {"kms:Decrypt", "kms:ReEncryptFrom"})
    opening = {one["Fn::Sub"].rpartition("/")[2] for one in denied["Condition"]["StringNotEquals"]["aws:PrincipalArn"]}
    assert opening == {f"{stage.prefix}-{name}" for name in ("ask-bank", "reseal-card", "get-card-photo")}
    roles = {
        one["Properties"]["RoleName"]
        for stack in resources.values()
        for one in stack.values()
        if one["Type"] == "AWS::IAM::Role" and "RoleName" in one["Properties"]
    }
    assert opening <= roles


def test_the_local_clouds_key_denies_the_same_by_its_own_word_for_who_calls():
    """The emulator knows a function by its session's ARN, AWS by its role's."""
    stage = stages.stage(stages.LOCAL)
    template = without_what_only_aws_has({"Resources": of_stage(stage)["kept"]})
    _, denied = template["Resources"]["VaultKey1"]["Properties"]["KeyPolicy"]["Statement"]
    (named,) = denied["Condition"].values()
    sts = "arn:${AWS::Partition}:sts::${AWS::AccountId}:assumed-role"
    opening = [f"{sts}/{stage.prefix}-{name}/*" for name in ("ask-bank", "get-card-photo", "reseal-card")]
    assert sorted(one["Fn::Sub"] for one in named["aws:PrincipalArn"]) == opening


def test_staff_sign_in_from_a_pool_of_their_own_with_a_second_factor():
    """E28: `operations` is a group of that pool alone, so no customer's token can carry it; the gateway takes both pools."""
    resources = built()["kept"]
    assert resources["Staff"]["Properties"]["MfaConfiguration"] == "ON"
    groups = {
        one["Properties"]["GroupName"]: one["Properties"]["UserPoolId"]["Ref"]
        for one in resources.values()
        if one["Type"] == "AWS::Cognito::UserPoolGroup"
    }
    assert groups == {"operations": "Staff", "operators": "Users", "merchant_admins": "Users"}
    (authorizer,) = [one for one in built()["gateway"].values() if one["Type"] == "AWS::ApiGateway::Authorizer"]
    arns = {one["Fn::ImportValue"] for one in authorizer["Properties"]["ProviderARNs"]}
    assert arns == {f"{PRODUCTION.prefix}-user-pool-arn", f"{PRODUCTION.prefix}-staff-pool-arn"}


def test_no_protection_is_left_in_a_first_creation_and_nothing_else_is_missing():
    """E20: what cannot be deleted cannot be taken back."""
    whole = kept.template(PRODUCTION, STEPS)
    bare = kept.unprotected(whole)
    differing = [name for name, one in whole["Resources"].items() if bare["Resources"][name] != one]
    types = {whole["Resources"][name]["Type"] for name in differing}
    assert types == {"AWS::DynamoDB::Table", "AWS::Cognito::UserPool"}
    assert '"ACTIVE"' not in json.dumps(bare)


def version_of(stage: stages.Stage, step: steps.Step, layer: str = "1") -> str:
    """The logical id of the version that SAM makes of a step's function."""
    code = workflows.Code("bucket", "key", (f"arn:aws:lambda:eu-west-1:123456789012:layer:billfold:{layer}",))
    template = workflows.template(stage, step.workflow, [step], {step.name: code})
    text = re.sub(r'\{"Fn::ImportValue": "[^"]+"\}', '"imported"', json.dumps(template))
    made = translated(json.loads(text))
    (version,) = [name for name, one in made["Resources"].items() if one["Type"] == "AWS::Lambda::Version"]
    return version


def translated(template: dict[str, Any]) -> dict[str, Any]:
    """A template as SAM's own code makes it."""
    return dict(Translator({}, Parser()).translate(template, {}))


@pytest.mark.parametrize("name", ["open_bill", "end_bills", "ask_bank"])
def test_a_version_is_published_for_what_lambda_versions_and_for_nothing_else(name):
    """E22: by SAM's own code; for a changed tag or reserve Lambda publishes none, and the deployment would fail."""
    step = next(one for one in STEPS if one.name == name)
    before = version_of(PRODUCTION, step)
    assert version_of(dataclasses.replace(PRODUCTION, name="renamed"), step) == before
    assert version_of(changed(name, "reserved_concurrency", 7), step) == before
    arm = dataclasses.replace(PRODUCTION, target=dataclasses.replace(PRODUCTION.target, architecture="arm64"))
    others = [
        version_of(changed(name, "lambda_timeout", 13), step),
        version_of(changed(name, "lambda_memory_size", 777), step),
        version_of(arm, step),
        version_of(PRODUCTION, step, layer="2"),
        version_of(PRODUCTION, dataclasses.replace(step, header=step.header | {"summary": "Another."})),
    ]
    assert len({before, *others}) == 6


def changed(name: str, setting: str, value: int) -> stages.Stage:
    """Production with one setting of one function changed."""
    return dataclasses.replace(PRODUCTION, functions={name: {setting: value}})
