"""The templates of every stage: what is deployed is what the map and the headers say, and nothing kept can be lost."""

import ast
import dataclasses
import json
import pathlib
from functools import cache
from typing import Any

import pytest

from billfold.banks import issuers
from billfold.charges import top_ups
from infra import templates
from infra.deploy.clouds import Cloud
from infra.deploy.differences import without_what_only_aws_has
from infra.plan import stages, steps, tables
from infra.plan.permissions import permissions
from infra.plan.queues import ordered_names, queue_names
from infra.plan.stages import ROOT
from infra.plan.triggers import Queue, Route, Stream, Upload, every
from infra.templates import kept, workflows
from infra.templates.gateway import STAGE_NAME
from infra.templates.words import MAX_RESOURCES, logical

STEPS = steps.known()
STAGES = stages.names()
# What SAM makes of one function besides itself, at most: version, alias, event source, rule, permission, deployment group.
MADE_BY_SAM = 6
# A bank signs its callbacks itself; the other two tell nobody anything.
OPEN_TO_ALL = {"GET /v1/health", "GET /v1/openapi.json", "POST /v1/banks/{bank}/callbacks"}


@cache
def built(stage_name: str) -> dict[str, dict[str, Any]]:
    """Every stack's resources by the stack's name without the prefix, built once a stage: whoever reads them changes nothing."""
    stage = stages.stage(stage_name)
    its_steps = steps.known(sandbox_bank=stage.sandbox)
    found = templates.build(stage, its_steps, templates.sample_codes(its_steps))
    return {name.removeprefix(f"{stage.prefix}-"): template["Resources"] for name, template in found.items()}


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def workflow(stage_name: str, step: steps.Step) -> dict[str, Any]:
    return built(stage_name)[f"steps-{step.workflow.replace('_', '-')}"]


@pytest.mark.parametrize("step", [step for step in STEPS if isinstance(step.trigger, Route)], ids=lambda one: one.name)
def test_a_route_calls_its_own_functions_alias_and_is_alone_allowed_to(step):
    """One step = one function, HTTP included: no shared handler, and the token is checked before it."""
    gateway, prefix = built("production")["gateway"], stages.stage("production").prefix
    method = gateway[logical(step.name, "method")]["Properties"]
    alias = f":function:{step.function(prefix)}:live"
    assert method["HttpMethod"] == step.trigger.method
    assert alias in method["Integration"]["Uri"]["Fn::Sub"]
    assert method["Integration"]["Type"] == "AWS_PROXY"
    assert path_of(gateway, method["ResourceId"]) == step.trigger.path
    is_open = str(step.trigger) in OPEN_TO_ALL
    assert method["AuthorizationType"] == ("NONE" if is_open else "COGNITO_USER_POOLS")
    permission = gateway[logical(step.workflow, step.name, "permission")]["Properties"]
    assert permission["FunctionName"] == f"{step.function(prefix)}:live"
    assert permission["SourceArn"]["Fn::Sub"].partition("/api/")[2].startswith(f"{step.trigger.method}/v1/")


def path_of(gateway: dict[str, Any], resource: dict[str, Any]) -> str:
    """The path of a gateway resource, from its parents."""
    if "Ref" not in resource:
        return ""
    properties = gateway[resource["Ref"]]["Properties"]
    return f"{path_of(gateway, properties['ParentId'])}/{properties['PathPart']}"


def test_the_gateway_has_the_maps_methods_and_says_405_for_any_other():
    """C16: routes = map, HEAD where GET is, by the same function; every other method of a path is told which ones it has."""
    gateway = built("production")["gateway"]
    answered: dict[str, dict[str, Any]] = {}
    for one in of_type(gateway, "AWS::ApiGateway::Method").values():
        answered.setdefault(path_of(gateway, one["ResourceId"]), {})[one["HttpMethod"]] = one
    expected: dict[str, set[str]] = {}
    for route in [step.trigger for step in STEPS if isinstance(step.trigger, Route)]:
        expected.setdefault(route.path, {"ANY"}).update({route.method, *(["HEAD"] if route.method == "GET" else [])})
    assert {path: set(methods) for path, methods in answered.items()} == expected
    for methods in answered.values():
        other = methods.pop("ANY")
        (response,) = other["Integration"]["IntegrationResponses"]
        said = response["ResponseParameters"]
        assert (other["Integration"]["Type"], response["StatusCode"]) == ("MOCK", "405")
        assert said["method.response.header.Allow"] == f"'{', '.join(sorted(methods))}'"
        assert said["method.response.header.Content-Type"] == "'application/problem+json'"
        assert set(other["MethodResponses"][0]["ResponseParameters"]) == set(said)
        assert json.loads(response["ResponseTemplates"]["application/json"])["code"] == "method_not_allowed"
        assert other["Integration"]["PassthroughBehavior"] == "NEVER"
        if "HEAD" in methods:
            assert methods["HEAD"]["Integration"] == methods["GET"]["Integration"]
            assert methods["HEAD"]["AuthorizationType"] == methods["GET"]["AuthorizationType"]


def test_head_may_call_the_function_of_get():
    """C16: a permission of its own, for this path alone."""
    gateway = built("production")["gateway"]
    for step in STEPS:
        if isinstance(step.trigger, Route) and step.trigger.method == "GET":
            own, head = (
                gateway[logical(step.workflow, step.name, *more, "permission")]["Properties"]
                for more in ((), ("head",))
            )
            assert head["FunctionName"] == own["FunctionName"]
            assert head["SourceArn"]["Fn::Sub"] == own["SourceArn"]["Fn::Sub"].replace("/GET/", "/HEAD/")


@pytest.mark.parametrize("step", STEPS, ids=lambda one: one.name)
def test_a_functions_own_role_allows_what_its_header_says_and_nothing_else(step):
    """XX-06: exact actions on exact tables, indexes, queues, keys, buckets and machines."""
    resources = workflow("production", step)
    assert resources[logical(step.name)]["Properties"]["Role"] == {"Fn::GetAtt": [logical(step.name, "role"), "Arn"]}
    (policy,) = resources[logical(step.name, "role")]["Properties"]["Policies"]
    allowed = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for one in named:
            where = one.get("Fn::Sub") or one["Fn::ImportValue"]
            resource = where.partition("${AWS::AccountId}:")[2] or where
            allowed |= {(action, resource) for action in statement["Action"]}
    assert allowed == expected_permissions(step)


def expected_permissions(step: steps.Step) -> set[tuple[str, str]]:
    """(action, resource) pairs, worked out from the header by hand of this test."""
    prefix = stages.stage("production").prefix
    expected = {("logs:CreateLogStream", own_log_group(step)), ("logs:PutLogEvents", own_log_group(step))}
    for (table, index), actions in step.may.actions.items():
        where = f"table/{prefix}-{table}" + (f"/index/{index}" if index else "")
        expected |= {(f"dynamodb:{action}", where) for action in actions}
    expected |= {("sqs:SendMessage", full_name(queue)) for queue in step.may.queues}
    expected |= {("sqs:ChangeMessageVisibility", full_name(queue)) for queue in step.may.postpones}
    for action in (one.partition(":")[0] for one in step.may.kms):
        kind = "fingerprints" if action == "GenerateMac" else "vault"
        keys = stages.stage("production").vault_keys
        expected |= {(f"kms:{action}", f"{prefix}-key-{kind}-{generation}") for generation in keys}
    for bucket, actions in step.may.buckets.items():
        whole = f"arn:${{AWS::Partition}}:s3:::{prefix}-{bucket}-${{AWS::AccountId}}-${{AWS::Region}}"
        expected |= {(f"s3:{action}", whole if action == "ListBucket" else f"{whole}/*") for action in actions}
    expected |= {("secretsmanager:GetSecretValue", f"secret:{prefix}-{name}-??????") for name in secrets_of(step)}
    for machine, actions in step.may.machines.items():
        where = f"stateMachine:{prefix}-{machine.replace('_', '-')}"
        expected |= {(f"states:{action}", where) for action in actions}
    if isinstance(step.trigger, Queue):
        reading = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
        expected |= {(action, full_name(step.trigger.name)) for action in reading}
        if step.trigger.ordered:
            expected.add(("sqs:SendMessage", full_name(f"{step.trigger.name}-dead")))
    if isinstance(step.trigger, Stream):
        expected.add(("sqs:SendMessage", full_name("streams-dead")))
        stream = f"{prefix}-stream-{step.trigger.table}"
        expected |= {(f"dynamodb:{action}", stream) for action in ("DescribeStream", "GetRecords", "GetShardIterator")}
        expected.add(("dynamodb:ListStreams", f"table/{prefix}-{step.trigger.table}/stream/*"))
    return expected


def secrets_of(step: steps.Step) -> list[str]:
    """What a step fetches in production."""
    sealing = step.name in ("bind_card", "answer_challenge", "read_card_photo")
    return ["cursor-key"] * step.signs_cursors + ["stripe"] * step.may.bank + ["fingerprint-key"] * sealing


def full_name(queue: str) -> str:
    """A queue's name on AWS, where those of a FIFO queue and of its dead-letter queue end like this."""
    name = f"{stages.stage('production').prefix}-{queue}"
    return f"{name}.fifo" if queue.removesuffix("-dead") in ordered_names() else name


def test_a_card_s_number_is_opened_by_the_steps_that_need_it_and_a_photo_s_reading_by_none_of_them():
    """CB-19, issue 12 F25: each use of the vault's sealing key says for what kind of thing; the public GET opens photos alone."""
    opens: dict[str, set[str]] = {}
    for step in STEPS:
        for statement in workflows.statements(stages.stage("production"), step):
            if {"kms:Decrypt", "kms:GenerateDataKey"} & set(statement["Action"]):
                condition = statement["Condition"]
                assert condition["Null"] == {"kms:EncryptionContextKeys": "false"}
                (kind,) = condition["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"]
                opens.setdefault(f"{statement['Action'][0]} {kind}", set()).add(step.name)
    assert opens == {
        "kms:Decrypt card": {"ask_bank", "reseal_card"},
        "kms:Decrypt photo": {"get_card_photo"},
        "kms:GenerateDataKey card": {"bind_card", "reseal_card"},
        "kms:GenerateDataKey photo": {"read_card_photo"},
    }


def own_log_group(step: steps.Step) -> str:
    return f"log-group:/aws/lambda/{step.function(stages.stage('production').prefix)}:*"


@pytest.mark.parametrize("step", STEPS, ids=lambda one: one.name)
def test_a_function_carries_only_the_environment_that_its_step_reads(step):
    """A queue's address goes to those who send to it, as a stream's step does to its dead letters."""
    variables = workflow("production", step)[logical(step.name)]["Properties"]["Environment"]["Variables"]
    assert {name for name in variables if "QUEUE" in name} == {
        f"BILLFOLD_QUEUE_{queue.upper().replace('-', '_')}"
        for queue in (*step.may.queues, *step.may.postpones, *filter(None, [step.dead_letters]))
    }


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_step_that_calls_banks_knows_the_banks_of_its_stage_and_no_other_step_does(stage_name):
    """CB-08, XX-06, XX-08: who serves which cards, and where the sandbox bank is; who only looks a bank up knows the first."""
    stage = stages.stage(stage_name)
    address = {"BILLFOLD_SANDBOX_BANK_ADDRESS"} if stage.sandbox else set()
    silent = with_may(bank=False, issuers=False)
    without = set(workflows.environment(stage, silent))
    assert set(workflows.environment(stage, with_may(bank=True))) - without == {"BILLFOLD_ISSUERS"} | address
    assert set(workflows.environment(stage, with_may(issuers=True))) - without == {"BILLFOLD_ISSUERS"}
    said = workflows.environment(stage, with_may(issuers=True))["BILLFOLD_ISSUERS"]
    assert set(issuers.parse(said).values()) == {"sandbox" if stage.sandbox else "stripe"}


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_step_that_tops_up_knows_its_stages_maxima_and_no_other_step_does(stage_name):
    """Issue 12 F26: a setting that can be read, with a maximum for every currency."""
    stage = stages.stage(stage_name)
    said = {step.name: workflows.environment(stage, step).get("BILLFOLD_TOP_UPS") for step in STEPS}
    assert {name for name, setting in said.items() if setting} == {"top_up_wallet"}
    assert top_ups.parse(said["top_up_wallet"])[top_ups.OTHERS] <= 10_000


@pytest.mark.parametrize("name", workflows.MAY_BE_SAID)
def test_what_a_stage_may_say_reaches_its_functions_and_is_read_and_explained(name):
    """A setting that a stage says in vain, or that nobody can look up, is worse than none."""
    stage = stages.stage("production")
    said = dataclasses.replace(stage, variables=stage.variables | {name: "a value"})
    for step in STEPS:
        assert workflows.environment(said, step)[name] == "a value"
        assert name not in workflows.environment(stage, step)
    assert f"`{name}`" in (stages.ROOT / "docs/operations.md").read_text()
    code = "".join(path.read_text() for path in (stages.ROOT / "layers/billfold").rglob("*.py"))
    assert name in code or name.removeprefix("BILLFOLD_STRIPE_") in code


def with_may(**said: bool) -> steps.Step:
    """Some step that may nothing about banks but this."""
    return dataclasses.replace(
        STEPS[0], may=dataclasses.replace(STEPS[0].may, **{"bank": False, "issuers": False} | said)
    )


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_step_that_verifies_dpop_proofs_knows_the_addresses_of_its_stage_and_no_other_step_does(stage_name):
    """VB-02, RFC 9449: at AWS the API's own address and those that the stage says, on the local cloud the one that it serves."""
    stage, where = stages.stage(stage_name), "https://pay.example/shop https://pay2.example"
    elsewhere = dataclasses.replace(stage, variables=stage.variables | {"BILLFOLD_ADDRESSES": where})
    own = "https://{api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/api"
    verifying = set()
    for step in STEPS:
        said = workflows.environment(stage, step).get("BILLFOLD_ADDRESSES")
        assert said in (None, {"Fn::Sub": own})
        if said:
            verifying.add(step.name)
            assert workflows.environment(elsewhere, step)["BILLFOLD_ADDRESSES"] == {"Fn::Sub": f"{own} {where}"}
            template = {"Resources": workflow(stage_name, step)}
            local = without_what_only_aws_has(template, "http://127.0.0.1:4566")["Resources"][logical(step.name)]
            address = Cloud("r", "1", "http://127.0.0.1:4566").api("{api}", STAGE_NAME)
            assert local["Properties"]["Environment"]["Variables"]["BILLFOLD_ADDRESSES"] == address
    assert verifying == {"add_items", "bind_card", "close_bill", "open_bank_page", "verify_bill"}


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_secret_is_in_no_environment_and_allowed_to_those_who_fetch_it_alone(stage_name):
    """CB-18, XX-06: Stripe's keys to steps that ask banks, and not to `bind_card`; the cursors' key to lists."""
    stage = stages.stage(stage_name)
    bank = "sandbox-bank" if stage.sandbox else "stripe"
    allowed: dict[str, set[str]] = {"cursor-key": set(), "fingerprint-key": set(), bank: set()}
    for stack in built(stage_name).values():
        assert "resolve:secretsmanager" not in json.dumps(stack)
        for name, role in of_type(stack, "AWS::IAM::Role").items():
            for statement in role["Policies"][0]["PolicyDocument"]["Statement"]:
                if "secretsmanager:GetSecretValue" in statement["Action"]:
                    secret = statement["Resource"]["Fn::Sub"].partition(f":secret:{stage.prefix}-")[2]
                    allowed[secret.removesuffix("-??????")].add(name)
    its_steps = steps.known(sandbox_bank=stage.sandbox)
    asking = [one for one in its_steps if one.may.bank or one.workflow == steps.SANDBOX_BANK]
    assert allowed[bank] == {logical(one.name, "role") for one in asking}
    assert allowed["cursor-key"] == {logical(one.name, "role") for one in its_steps if one.signs_cursors}
    assert allowed["fingerprint-key"] == {"BindCardRole", "AnswerChallengeRole", "ReadCardPhotoRole"}
    assert "BindCardRole" not in allowed[bank]


@pytest.mark.parametrize("stage_name", STAGES)
def test_each_secret_that_a_stages_steps_fetch_is_kept_by_it(stage_name):
    """Generated and retained; what Stripe gives is put in by operations."""
    stage = stages.stage(stage_name)
    names = {secret["Name"] for secret in of_type(built(stage_name)["kept"], "AWS::SecretsManager::Secret").values()}
    banks = f"{stage.prefix}-{'sandbox-bank' if stage.sandbox else 'stripe'}"
    assert names == {f"{stage.prefix}-cursor-key", f"{stage.prefix}-fingerprint-key", banks}


@pytest.mark.parametrize("step", STEPS, ids=lambda one: one.name)
def test_a_function_is_limited_logged_versioned_and_layered(step):
    """Memory, time-out, log retention, version and alias are said for every function."""
    resources = workflow("production", step)
    function = resources[logical(step.name)]["Properties"]
    logs = built("production")["kept"][logical(step.name, "logs")]["Properties"]
    assert 128 <= function["MemorySize"] <= 3008
    assert 1 <= function["Timeout"] <= 60
    assert function["AutoPublishAlias"] == "live"
    assert function["Layers"]
    assert function["Handler"] == f"functions/{step.workflow}/{step.name}.handler"
    assert logs["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
    assert logs["RetentionInDays"] >= 30
    if isinstance(step.trigger, Route):
        assert function["Timeout"] < 29, "the gateway gives up after 29 s"


@pytest.mark.parametrize(
    "step", [one for one in STEPS if isinstance(one.trigger, Queue | Stream)], ids=lambda one: one.name
)
def test_a_batchs_failed_messages_alone_come_again(step):
    """Without ReportBatchItemFailures what a step reports as failed would be lost."""
    event = workflow("production", step)[logical(step.name)]["Properties"]["Events"]["Trigger"]["Properties"]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_log_has_one_writer_at_a_time_and_waits_for_no_other(stage_name):
    """A4: FIFO by the log, with the throughput of FIFO queues that keep no order but within a group."""
    resources = built(stage_name)["kept"]
    for name in ordered_names():
        queue = resources[logical(name, "queue")]["Properties"]
        assert (queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


@pytest.mark.parametrize("step", [one for one in STEPS if isinstance(one.trigger, Stream)], ids=lambda one: one.name)
def test_no_stream_stands_still_for_a_day_and_nothing_of_it_is_lost(step):
    """A1: a batch that fails as a whole is halved, is tried for an hour, and is then noted where the alarm and the redrive look."""
    event = workflow("production", step)[logical(step.name)]["Properties"]["Events"]["Trigger"]["Properties"]
    assert event["BisectBatchOnFunctionError"]
    assert 60 <= event["MaximumRecordAgeInSeconds"] <= 3600
    destination = event["DestinationConfig"]["OnFailure"]["Destination"]["Fn::ImportValue"]
    exported = {one["Export"]["Name"] for one in kept.template(stages.stage("production"), STEPS)["Outputs"].values()}
    assert destination == f"{stages.stage('production').prefix}-queue-streams-dead-arn"
    assert destination in exported


@pytest.mark.parametrize("stage_name", STAGES)
def test_every_table_is_kept_recoverable_encrypted_and_on_demand(stage_name):
    """Nothing that holds money goes with a stack."""
    resources = built(stage_name)["kept"]
    found = of_type(resources, "AWS::DynamoDB::Table")
    assert len(found) == len(tables.of_stage(sandbox=stages.stage(stage_name).sandbox))
    for name, table in found.items():
        assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"]["SSEEnabled"]
        assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert sum("StreamSpecification" in table for table in found.values()) == len(every(Stream))


@pytest.mark.parametrize("stage_name", STAGES)
def test_every_queue_is_encrypted_and_has_a_dead_letter_queue_of_its_own(stage_name):
    """Five receptions, then it rests until somebody looks; a FIFO queue's is FIFO, as SQS wants, and streams have one for all."""
    queues = of_type(built(stage_name)["kept"], "AWS::SQS::Queue")
    names = queue_names(sandbox_bank=stages.stage(stage_name).sandbox)
    assert len(queues) == 2 * len(names) + 1
    for name, queue in queues.items():
        ordered = name in {logical(one, "queue") for one in ordered_names()}
        ordered |= name in {logical(f"{one}-dead", "queue") for one in ordered_names()}
        assert queue.get("FifoQueue", False) is queue["QueueName"].endswith(".fifo") is ordered
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    working = [queue for queue in queues.values() if "RedrivePolicy" in queue]
    targets = [queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for queue in working]
    assert sorted(targets) == sorted(logical(f"{name}-dead", "queue") for name in names)
    patient = {f"{stages.stage(stage_name).prefix}-{name}" for step in STEPS for name in step.may.postpones}
    for queue in working:
        # A message that a bank keeps waiting is received 13 times without a fault; what fails has four tries left even then.
        assert queue["RedrivePolicy"]["maxReceiveCount"] == (17 if queue["QueueName"] in patient else 5)


@pytest.mark.parametrize("stage_name", STAGES)
def test_every_queue_has_a_maximum_concurrency_that_its_function_can_have(stage_name):
    """Issue 7 A2: a backlog takes neither the account's whole concurrency nor more than is reserved for its function."""
    its_steps = steps.known(sandbox_bank=stages.stage(stage_name).sandbox)
    for step in (one for one in its_steps if isinstance(one.trigger, Queue)):
        function = workflow(stage_name, step)[logical(step.name)]["Properties"]
        at_once = function["Events"]["Trigger"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        assert 2 <= at_once <= min(50, function.get("ReservedConcurrentExecutions", 50)), step.name


def test_what_calls_somebody_elses_server_from_a_queue_takes_one_message():
    """Issue 7 A2: a batch of asks that outlasts the function's time would come again whole, and be asked again whole."""
    queued = [step for step in steps.known(sandbox_bank=True) if isinstance(step.trigger, Queue)]
    calling = [step for step in queued if step.may.bank or step.workflow == steps.SANDBOX_BANK]
    assert {step.name for step in calling} >= {"settle_charge", "withdraw_approval", "send_bank_callbacks"}
    assert {step.name: step.trigger.batch for step in calling if step.trigger.batch != 1} == {}


def test_what_waits_for_a_bank_waits_in_its_own_message():
    """Issue 7 A2: no step sends to the queue that it reads, so that no redelivery multiplies messages."""
    queued = [step for step in STEPS if isinstance(step.trigger, Queue)]
    assert [step.name for step in queued if step.trigger.name in step.may.queues] == []
    assert [step.name for step in STEPS if step.may.postpones not in ((), (getattr(step.trigger, "name", None),))] == []


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_message_stays_hidden_while_its_function_may_still_work_on_it(stage_name):
    """AWS advises six times the function's time-out."""
    stage = stages.stage(stage_name)
    readers = [step for step in STEPS if isinstance(step.trigger, Queue)]
    assert all(6 * step.settings(stage).timeout_seconds <= kept.VISIBILITY_SECONDS for step in readers)


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_stack_stays_below_cloudformations_limit(stage_name):
    """500 resources, after SAM has made its own."""
    for resources in built(stage_name).values():
        functions = len(of_type(resources, "AWS::Serverless::Function"))
        assert len(resources) + MADE_BY_SAM * functions < MAX_RESOURCES


def test_production_is_no_sandbox():
    """A real customer meets neither shortened periods nor passwords in the clear."""
    resources = built("production")
    for name, stack in resources.items():
        for function in of_type(stack, "AWS::Serverless::Function").values():
            assert "BILLFOLD_SANDBOX" not in function["Environment"]["Variables"], name
    for client in of_type(resources["kept"], "AWS::Cognito::UserPoolClient").values():
        assert "ALLOW_USER_PASSWORD_AUTH" not in client["ExplicitAuthFlows"]


def test_the_local_cloud_differs_by_gradual_deployment_alone():
    """The template that runs on a laptop is the one that runs on AWS."""
    stage = stages.stage("production")
    for template in templates.build(stage, STEPS, templates.sample_codes(STEPS)).values():
        local = without_what_only_aws_has(template)
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::S3::BucketPolicy":
                # They ask for TLS, which loopback has not.
                assert name not in local["Resources"]
                continue
            missing = set(resource["Properties"]) - set(local["Resources"][name]["Properties"])
            assert missing <= {"DeploymentPreference"}


def test_the_reading_layer_is_carried_by_the_step_that_reads_photos_alone():
    """Issue 3: no other function carries those packages, and no other step could import them."""
    assert [step.name for step in STEPS if "reading" in step.layers] == ["read_card_photo"]
    heavy = {"numpy", "PIL", "onnxruntime", "rapidocr"}
    users = {path.parent.name for path in (ROOT / "layers/billfold").rglob("*.py") if roots(path) & heavy}
    assert users == {"readers"}
    importing = [step for step in STEPS if "of_this_stage" in (ROOT / step.path).read_text()]
    assert [step.name for step in importing] == ["read_card_photo"]


def roots(path: pathlib.Path) -> set[str]:
    """The packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_bucket_of_photos_is_private_and_keeps_nothing():
    """CB-19: encrypted, closed, TLS only, no versions, and what was forgotten goes within a day."""
    resources = built("production")["kept"]
    bucket, policy = (resources[name]["Properties"] for name in ("PhotosBucket", "PhotosPolicy"))
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "VersioningConfiguration" not in bucket
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    (cors,) = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedMethods"] == ["POST"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("step", [one for one in STEPS if isinstance(one.trigger, Upload)], ids=lambda one: one.name)
def test_an_upload_reaches_its_step_by_an_event_of_its_bucket_alone(step):
    """CB-02: EventBridge tells the alias `live` of objects that were created, and of no other bucket's."""
    event = workflow("production", step)[logical(step.name)]["Properties"]["Events"]["Trigger"]
    pattern = event["Properties"]["Pattern"]
    bucket = built("production")["kept"][logical(step.trigger.bucket, "bucket")]["Properties"]
    assert event["Type"] == "EventBridgeRule"
    assert pattern["detail"]["bucket"]["name"] == [bucket["BucketName"]]
    assert pattern["detail-type"] == ["Object Created"]
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"]["EventBridgeEnabled"] is True


@pytest.mark.parametrize(("reader", "allowed"), [("embedded", []), ("textract", ["*"])])
def test_a_stage_chooses_its_reader(reader, allowed):
    """CB-02: the function is told which, and may call Textract only where it is that one."""
    stage = dataclasses.replace(
        stages.stage("production"), variables={"BILLFOLD_CARD_READER": reader, "BILLFOLD_VAULT_KEYS": "1"}
    )
    (step,) = [one for one in STEPS if one.may.reader]
    assert workflows.environment(stage, step)["BILLFOLD_CARD_READER"] == reader
    found = workflows.statements(stage, step)
    assert [one["Resource"] for one in found if "textract:DetectDocumentText" in one["Action"]] == allowed


def test_what_the_gateway_refuses_has_the_shape_of_every_other_refusal():
    """RFC 9457 with a code and a Request-Id, and 404 for an address that does not exist."""
    responses = of_type(built("production")["gateway"], "AWS::ApiGateway::GatewayResponse")
    by_kind = {one["ResponseType"]: one for one in responses.values()}
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "THROTTLED"} <= set(by_kind)
    assert by_kind["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "404"
    for one in responses.values():
        headers = one["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.Request-Id"] == "context.requestId"
        for member in ("type", "title", "status", "detail", "code", "operations", "next", "instance"):
            assert f'"{member}":' in one["ResponseTemplates"]["application/json"]


@pytest.mark.parametrize(
    "line",
    ["bills Query:nowhere", "no-table Query", "queue no-queue", "bills query", "kms"],
    ids=["index", "table", "queue", "action", "nothing to do with it"],
)
def test_a_header_that_may_what_does_not_exist_is_refused(line):
    """A typing error in May is found before anything is deployed."""
    with pytest.raises(ValueError, match="May"):
        permissions(line)
