"""On AWS only: WAF before the gateway. What it stops gets the gateway's WAF_FILTERED problem."""

from typing import Any

from infra.plan.stages import Stage
from infra.templates.words import imported, tags

# In five minutes, by one token: a phone makes a few calls a minute, a guesser of codes is stopped long before this.
REQUESTS_PER_CALLER = 1_500
# In five minutes, by one address: a whole café or a mobile network stands behind one. It stops floods of made-up tokens.
REQUESTS_PER_ADDRESS = 60_000
MANAGED = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)
# Rules of AWS's that would stop honest calls, and are only counted: bodies over 8,192 bytes (the steps take 64 KiB, a batch of
# signed items is that long, and refuse more themselves), and calls without a User-Agent (tills are small devices).
COUNTED = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY", "NoUserAgent_HEADER")}
INSPECTED = "KB_64"


def template(stage: Stage) -> dict[str, Any]:
    """The stack `firewall`: a web ACL and its association with the gateway's stage."""
    token = {"Header": {"Name": "authorization", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    by_caller = {"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [token], "Limit": REQUESTS_PER_CALLER}
    floods = [
        _flood("caller", 0, by_caller),
        _flood("address", 1, {"AggregateKeyType": "IP", "Limit": REQUESTS_PER_ADDRESS}),
    ]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: the firewall before the gateway",
        "Resources": {
            "Firewall": {
                "Type": "AWS::WAFv2::WebACL",
                "Properties": {
                    "Name": stage.prefix,
                    "Scope": "REGIONAL",
                    "DefaultAction": {"Allow": {}},
                    "Rules": [*floods, *(_managed(name, number) for number, name in enumerate(MANAGED, start=2))],
                    # What is let through to 64 KiB is looked through to 64 KiB.
                    "AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": INSPECTED}}},
                    "VisibilityConfig": _visible(stage.prefix),
                    "Tags": tags(stage),
                },
            },
            "Association": {
                "Type": "AWS::WAFv2::WebACLAssociation",
                "Properties": {
                    "ResourceArn": imported(stage, "stage-arn"),
                    "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]},
                },
            },
        },
    }


def _flood(name: str, priority: int, counted: dict[str, Any]) -> dict[str, Any]:
    return {
        "Name": f"flood-by-{name}",
        "Priority": priority,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": counted},
        "VisibilityConfig": _visible(f"flood-by-{name}"),
    }


def _managed(name: str, priority: int) -> dict[str, Any]:
    counted = [{"Name": rule, "ActionToUse": {"Count": {}}} for rule in COUNTED.get(name, ())]
    group = {"VendorName": "AWS", "Name": name} | ({"RuleActionOverrides": counted} if counted else {})
    return {
        "Name": name,
        "Priority": priority,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": group},
        "VisibilityConfig": _visible(name),
    }


def _visible(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
