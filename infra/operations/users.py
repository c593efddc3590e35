"""Adding people: customers and sellers to one user pool, staff to the other, each with a password for the first sign-in."""

import secrets
import string

from infra.deploy import stacks
from infra.deploy.clouds import Cloud
from infra.plan.stages import Stage, check_known
from infra.templates.kept import GROUPS


def add(cloud: Cloud, stage: Stage, name: str, group: str = "") -> tuple[str, str]:
    """Add a user, in a group or in none; the user's id and the password, which must be changed at the first sign-in.

    The group decides the pool: who runs Billfold is staff, whom the pool asks for a second factor. stages.Unknown when there is
    no such group.
    """
    check_known("group", [group] * bool(group), [one for groups in GROUPS.values() for one in groups])
    kept = stacks.outputs(cloud, f"{stage.prefix}-kept")
    pool = kept["StaffPool" if group in GROUPS["Staff"] else "UserPool"]
    password = first_password()
    client = cloud.client("cognito-idp")
    created = client.admin_create_user(
        UserPoolId=pool, Username=name, TemporaryPassword=password, MessageAction="SUPPRESS"
    )
    if group:
        client.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    sub = next(one["Value"] for one in created["User"]["Attributes"] if one["Name"] == "sub")
    return "usr_" + sub.replace("-", ""), password


def first_password() -> str:
    """Letters of both cases and digits, as the pools' policy asks."""
    return "Aa1" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(17))
