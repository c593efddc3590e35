"""The buckets: of card photos, and of what is deployed.

What a phone uploads lies there until a step has read it, for seconds. Nobody reads it but that step; the lifecycle rule is the
last of three deletions (the step's, the sweep's within 15 minutes), and S3 counts in days.

The bucket of packages and templates is a stack of its own, the first of all: a template of over 51,200 bytes goes by way of it.
"""

from typing import Any

from infra.plan.stages import Stage
from infra.plan.triggers import Upload
from infra.templates.words import bucket_name, exempt, logical, output, tags

PRIVATE = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
ENCRYPTED = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def of_uploads(stage: Stage, upload: Upload) -> dict[str, Any]:
    """A bucket that phones upload to, and its policy, as resources. It has no versions: deleted is deleted."""
    name = logical(upload.bucket, "bucket")
    bucket = {
        "BucketName": bucket_name(stage, upload.bucket),
        "BucketEncryption": ENCRYPTED,
        "PublicAccessBlockConfiguration": PRIVATE,
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Id": f"{upload.bucket}-go",
                    "Status": "Enabled",
                    "ExpirationInDays": upload.keep_days,
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                }
            ]
        },
        # A form is signed for one object and ten minutes; from which page it is sent makes nothing safer.
        "CorsConfiguration": {
            "CorsRules": [
                {"AllowedMethods": ["POST"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"], "MaxAge": 3600}
            ]
        },
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        "Tags": tags(stage),
    }
    no_versions = exempt("CKV_AWS_21", "a photo that is deleted must be gone")
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {
        name: {"Type": "AWS::S3::Bucket", **kept, **no_versions, "Properties": bucket},
        logical(upload.bucket, "policy"): {"Type": "AWS::S3::BucketPolicy", "Properties": _encrypted_on_the_way(name)},
    }


def _encrypted_on_the_way(name: str) -> dict[str, Any]:
    bucket = {"Fn::GetAtt": [name, "Arn"]}
    statement = {
        "Sid": "NeverInTheClear",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, {"Fn::Join": ["/", [bucket, "*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Bucket": {"Ref": name},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


def artifacts(stage: Stage) -> dict[str, Any]:
    """The stack `artifacts`."""
    bucket = {
        "BucketName": bucket_name(stage, "artifacts"),
        "BucketEncryption": ENCRYPTED,
        "PublicAccessBlockConfiguration": PRIVATE,
        "VersioningConfiguration": {"Status": "Enabled"},
        "Tags": tags(stage),
    }
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: packages, templates, and what was live when",
        "Resources": {"Artifacts": {"Type": "AWS::S3::Bucket", **kept, "Properties": bucket}},
        "Outputs": {"Artifacts": output(stage, "artifacts", {"Ref": "Artifacts"})},
    }
