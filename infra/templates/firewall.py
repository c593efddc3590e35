"""On AWS only: WAF before the gateway. What it stops gets the gateway's WAF_FILTERED problem."""

from typing import Any

from infra.stages import Stage
from infra.templates.words import imported, tags

# One address, in five minutes: a shop's network with many phones stays far below, a guesser of PINs does not.
REQUESTS_PER_ADDRESS = 3_000
MANAGED = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)


def template(stage: Stage) -> dict[str, Any]:
    """The stack `firewall`: a web ACL and its association with the gateway's stage."""
    flood = {
        "Name": "flood",
        "Priority": 0,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": REQUESTS_PER_ADDRESS}},
        "VisibilityConfig": _visible("flood"),
    }
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
                    "Rules": [flood, *(_managed(name, number) for number, name in enumerate(MANAGED, start=1))],
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


def _managed(name: str, priority: int) -> dict[str, Any]:
    return {
        "Name": name,
        "Priority": priority,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}},
        "VisibilityConfig": _visible(name),
    }


def _visible(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
