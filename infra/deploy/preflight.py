"""Before anything is deployed to AWS: what would make it fail halfway, looked for by calls that change nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from infra.deploy.clouds import Cloud
from infra.plan.stages import Stage
from infra.plan.state_machines import machines
from infra.plan.steps import Step, by_workflow
from infra.plan.tables import of_stage
from infra.templates.gateway import RATE_PER_SECOND

# Lambda leaves at least so much of an account's concurrency to functions without a reserve.
UNRESERVED = 100
# The calls that a deployment begins with, one or two of each service.
ACTIONS = (
    *("cloudformation:CreateStack", "cloudformation:UpdateStack", "s3:CreateBucket", "s3:PutObject"),
    *("dynamodb:CreateTable", "sqs:CreateQueue", "cognito-idp:CreateUserPool", "kms:CreateKey"),
    *("secretsmanager:CreateSecret", "logs:CreateLogGroup", "iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"),
    *("lambda:CreateFunction", "lambda:PublishLayerVersion", "lambda:PublishVersion", "lambda:UpdateAlias"),
    *("states:CreateStateMachine", "events:PutRule", "apigateway:POST", "wafv2:CreateWebACL"),
    *("sns:CreateTopic", "cloudwatch:PutMetricAlarm", "codedeploy:CreateDeployment"),
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `unknown`: these credentials may not look."""

    about: str
    outcome: Literal["good", "bad", "unknown"]
    text: str


def look(cloud: Cloud, stage: Stage, steps: list[Step]) -> list[Finding]:
    """Everything that is looked at."""
    return [
        _alarms(stage),
        _asked("region", _region, cloud),
        _asked("concurrency", lambda one: _concurrency(one, stage, steps), cloud),
        *_quotas(cloud, stage, steps),
        _asked("permissions", _permissions, cloud),
    ]


def _asked(about: str, ask: Callable[[Cloud], tuple[bool, str]], cloud: Cloud) -> Finding:
    try:
        good, text = ask(cloud)
    except ClientError as error:
        return Finding(about, "unknown", error.response["Error"]["Code"])
    return Finding(about, "good" if good else "bad", text)


def _alarms(stage: Stage) -> Finding:
    text = stage.alarm_address or "nobody hears the alarms: write `alarm_address` into .chalice/config.json"
    return Finding("alarms", "good" if "@" in stage.alarm_address else "bad", text)


def _region(cloud: Cloud) -> tuple[bool, str]:
    state = cloud.client("account").get_region_opt_status(RegionName=cloud.region)["RegionOptStatus"]
    return state in ("ENABLED", "ENABLED_BY_DEFAULT"), f"{cloud.region} is {state.lower().replace('_', ' ')}"


def _concurrency(cloud: Cloud, stage: Stage, steps: list[Step]) -> tuple[bool, str]:
    """A new account has a tenth of the usual thousand or less: reserves that do not fit fail in the middle of a stack."""
    limit = cloud.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    reserved = sum(step.settings(stage).concurrency or 0 for step in steps)
    text = f"the account runs {limit} functions at once; {reserved} are reserved and {UNRESERVED} must be left"
    return limit >= reserved + UNRESERVED, text


def _quotas(cloud: Cloud, stage: Stage, steps: list[Step]) -> Iterator[Finding]:
    """Service Quotas knows each by a code."""
    stacks = len(by_workflow(steps)) + len(machines()) + 6
    wanted = (
        ("cloudformation", "L-0485CB21", "stacks", stacks),
        ("dynamodb", "L-F98FE922", "tables", len(of_stage(sandbox=stage.sandbox))),
        ("apigateway", "L-8A5B8E43", "calls a second", RATE_PER_SECOND),
    )
    for service, code, what, needed in wanted:

        def ask(one: Cloud, service: str = service, code: str = code, needed: int = needed) -> tuple[bool, str]:
            quota = one.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
            value = quota["Quota"]["Value"]
            return value >= needed, f"{value:.0f} allowed in the region, {needed} needed"

        yield _asked(f"quota of {what}", ask, cloud)


def _permissions(cloud: Cloud) -> tuple[bool, str]:
    """What IAM would say to the calls of a deployment. Of an assumed role the role itself is asked about."""
    who = cloud.client("sts").get_caller_identity()["Arn"]
    if ":assumed-role/" in who:
        who = cloud.client("iam").get_role(RoleName=who.split("/")[1])["Role"]["Arn"]
    told = cloud.client("iam").simulate_principal_policy(PolicySourceArn=who, ActionNames=list(ACTIONS))
    denied = [one["EvalActionName"] for one in told["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    return not denied, f"{who} may not {', '.join(denied)}" if denied else f"{who} may do what a deployment begins with"
