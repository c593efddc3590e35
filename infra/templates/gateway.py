"""The REST API: every route integrated with its own function's alias `live`, tokens checked first, refusals as RFC 9457.

A function is named, not referred to, so that its stack is replaced without this one. What the gateway itself refuses has
the shape of `billfold.errors`, with a Request-Id; an address that does not exist is 404 (AWS would say 403).
"""

import hashlib
import json
from dataclasses import replace
from typing import Any

from billfold import errors
from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.plan.triggers import Route
from infra.templates.words import ALIAS, imported, logical, output, tags

STAGE_NAME = "api"
# The gateway waits no longer than this for a step.
TIMEOUT_MILLISECONDS = 29_000
RATE_PER_SECOND, BURST = 2_000, 4_000

Problem = dict[str, Any]


def _problem(code: str, status: int, detail: str, operations: str, next: str) -> Problem:
    return {
        "type": f"urn:billfold:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "operations": operations,
        "next": next,
    }


_SIGN_IN = errors.Unauthenticated().problem()
_FORBIDDEN = errors.Forbidden().problem()
_NOWHERE = errors.NotFound().problem()
_BUSY = errors.Unavailable().problem()
_INVALID = errors.Invalid("the gateway could not read it").problem()
_TOO_LARGE = errors.RequestTooLarge("it is too large").problem()
_TYPE = errors.MediaTypeUnsupported("").problem()
_SLOW_DOWN = _problem(
    "too_many_requests",
    429,
    "Too many requests at once. Try again shortly.",
    "The rate or quota is used up.",
    "retry_later",
)
_FAULT = _problem(
    "internal_fault",
    500,
    "Something went wrong on our side. Nothing was charged twice.",
    "The gateway failed before or after the step: see its metrics and the request id.",
    "retry_with_the_same_key",
)
PROBLEMS: dict[str, Problem] = {
    "UNAUTHORIZED": _SIGN_IN,
    "EXPIRED_TOKEN": _SIGN_IN,
    "ACCESS_DENIED": _FORBIDDEN,
    "INVALID_SIGNATURE": _FORBIDDEN,
    "INVALID_API_KEY": _FORBIDDEN,
    "WAF_FILTERED": _FORBIDDEN,
    "MISSING_AUTHENTICATION_TOKEN": _NOWHERE,
    "RESOURCE_NOT_FOUND": _NOWHERE,
    "BAD_REQUEST_BODY": _INVALID,
    "BAD_REQUEST_PARAMETERS": _INVALID,
    "DEFAULT_4XX": _INVALID,
    "REQUEST_TOO_LARGE": _TOO_LARGE,
    "UNSUPPORTED_MEDIA_TYPE": _TYPE,
    "THROTTLED": _SLOW_DOWN,
    "QUOTA_EXCEEDED": _SLOW_DOWN,
    "INTEGRATION_FAILURE": _BUSY,
    "INTEGRATION_TIMEOUT": _BUSY,
    "API_CONFIGURATION_ERROR": _FAULT,
    "AUTHORIZER_CONFIGURATION_ERROR": _FAULT,
    "AUTHORIZER_FAILURE": _BUSY,
    "DEFAULT_5XX": _FAULT,
}


def template(stage: Stage, steps: list[Step]) -> dict[str, Any]:
    """The stack `gateway`."""
    routes = [(step, step.trigger) for step in steps if isinstance(step.trigger, Route)]
    shown: dict[str, Any] = {"Users": _authorizer(stage)}
    shown |= {logical(kind.lower(), "response"): _response(kind, problem) for kind, problem in PROBLEMS.items()}
    allowed: dict[str, list[str]] = {}
    for step, route in routes:
        resource = add_resource(shown, route.path)
        shown[logical(step.name, "method")] = method(stage, step, route, resource)
        allowed.setdefault(resource["Ref"], []).append(route.method)
        if route.method == "GET":
            shown[logical(step.name, "head", "method")] = method(stage, step, _head(route), resource)
            allowed[resource["Ref"]].append("HEAD")
    shown |= {f"{path.removesuffix('Path')}OtherMethods": _other_methods(path, all) for path, all in allowed.items()}
    # A deployment is a photograph: it has a new name whenever what it shows has changed.
    seen = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:12]
    deployment = f"Deployment{seen}"
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: the REST API",
        "Resources": {
            "Api": _api(stage),
            **shown,
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": sorted(name for name, one in shown.items() if one["Type"] != "AWS::ApiGateway::Resource"),
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": stage_of_api(stage, deployment),
            # Named by its folder too: the function of a step that changes its folder is made anew, and knows no permission.
            **{
                logical(step.workflow, step.name, "permission"): permission(stage, step, route)
                for step, route in routes
            },
            **{
                logical(step.workflow, step.name, "head", "permission"): permission(stage, step, _head(route))
                for step, route in routes
                if route.method == "GET"
            },
        },
        "Outputs": _outputs(stage),
    }


def _api(stage: Stage) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {
            "Name": stage.prefix,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "Tags": tags(stage),
        },
    }


def _outputs(stage: Stage) -> dict[str, Any]:
    stage_arn = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/restapis/${{Api}}/stages/{STAGE_NAME}"
    address = f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE_NAME}"
    return {
        "Api": output(stage, "api", {"Ref": "Api"}),
        "StageArn": output(stage, "stage-arn", {"Fn::Sub": stage_arn}),
        "Address": {"Value": {"Fn::Sub": address}},
    }


def _authorizer(stage: Stage) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::Authorizer",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "Name": "users",
            "Type": "COGNITO_USER_POOLS",
            "IdentitySource": "method.request.header.Authorization",
            "ProviderARNs": [imported(stage, "user-pool-arn"), imported(stage, "staff-pool-arn")],
        },
    }


def add_resource(resources: dict[str, Any], path: str) -> Any:
    """The reference to a path's resource; it and those above it are added where they are missing."""
    parent: Any = {"Fn::GetAtt": ["Api", "RootResourceId"]}
    name = ""
    for part in path.strip("/").split("/"):
        name += logical(part.strip("{}").replace(".", "_"), "" if part.isidentifier() else "any")
        properties = {"RestApiId": {"Ref": "Api"}, "ParentId": parent, "PathPart": part}
        resources.setdefault(f"{name}Path", {"Type": "AWS::ApiGateway::Resource", "Properties": properties})
        parent = {"Ref": f"{name}Path"}
    return parent


def method(stage: Stage, step: Step, route: Route, resource: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": resource,
        "HttpMethod": route.method,
        "OperationName": step.name,
        "AuthorizationType": "NONE",
        "Integration": {
            "Type": "AWS_PROXY",
            "IntegrationHttpMethod": "POST",
            "Uri": {"Fn::Sub": _invocation(stage, step)},
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "TimeoutInMillis": TIMEOUT_MILLISECONDS,
        },
    }
    if route.signed_in:
        properties |= {"AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": {"Ref": "Users"}}
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _head(route: Route) -> Route:
    """HEAD where GET is, by the same step (RFC 9110)."""
    return replace(route, method="HEAD")


def _other_methods(path: str, allowed: list[str]) -> dict[str, Any]:
    """What the gateway answers for the methods that a path has not: 405, and `Allow` names those that it has.

    A body that is not JSON is refused before (`NEVER`): it would pass the template by and become a 500.
    """
    body = errors.MethodNotAllowed("").problem() | {"instance": "urn:billfold:request:$context.requestId"}
    headers = {
        "Allow": f"'{', '.join(sorted(allowed))}'",
        "Content-Type": "'application/problem+json'",
        "Request-Id": "context.requestId",
        "Cache-Control": "'no-store'",
    }
    responses = {
        "StatusCode": str(body["status"]),
        "ResponseParameters": {f"method.response.header.{name}": value for name, value in headers.items()},
        "ResponseTemplates": {"application/json": json.dumps(body)},
    }
    properties = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Ref": path},
        "HttpMethod": "ANY",
        "AuthorizationType": "NONE",
        "Integration": {
            "Type": "MOCK",
            "PassthroughBehavior": "NEVER",
            "RequestTemplates": {"application/json": json.dumps({"statusCode": body["status"]})},
            "IntegrationResponses": [responses],
        },
        "MethodResponses": [
            {
                "StatusCode": responses["StatusCode"],
                "ResponseParameters": dict.fromkeys(responses["ResponseParameters"], True),
            }
        ],
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _invocation(stage: Stage, step: Step) -> str:
    function = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{step.function(stage.prefix)}:{ALIAS}"
    return (
        f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{function}/invocations"
    )


def permission(stage: Stage, step: Step, route: Route) -> dict[str, Any]:
    """This route of this API may call this step, and no other may."""
    path = "/".join("*" if part.startswith("{") else part for part in route.path.split("/"))
    source = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/{STAGE_NAME}/{route.method}{path}"
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": f"{step.function(stage.prefix)}:{ALIAS}",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": source},
        },
    }


def _response(kind: str, problem: Problem) -> dict[str, Any]:
    """What the gateway answers by itself, in one kind of case."""
    headers = {
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
        "gatewayresponse.header.Request-Id": "context.requestId",
        "gatewayresponse.header.Cache-Control": "'no-store'",
    }
    if problem["status"] in (429, 503):
        headers["gatewayresponse.header.Retry-After"] = "'1'"
    body = problem | {"instance": "urn:billfold:request:$context.requestId"}
    return {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": kind,
            "StatusCode": str(problem["status"]),
            "ResponseParameters": headers,
            "ResponseTemplates": {"application/json": json.dumps(body)},
        },
    }


def stage_of_api(stage: Stage, deployment: str) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "DeploymentId": {"Ref": deployment},
            "StageName": STAGE_NAME,
            "MethodSettings": [
                {
                    "ResourcePath": "/*",
                    "HttpMethod": "*",
                    "MetricsEnabled": True,
                    "ThrottlingRateLimit": RATE_PER_SECOND,
                    "ThrottlingBurstLimit": BURST,
                }
            ],
            "Tags": tags(stage),
        },
    }
