import pytest

from athena.accounts.roles import Role, get_permissions, is_at_least


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        (Role.REP, "sales.change_lead"),
        (Role.REP, "sales.undo_transferbatch"),
        (Role.REP, "notifications.change_preference"),
        (Role.MANAGER, "sales.delete_lead"),
        (Role.MANAGER, "sales.bulk_transfer_lead"),
        (Role.MANAGER, "sales.export_lead"),
        (Role.MANAGER, "notifications.retry_delivery"),
        (Role.ADMIN, "accounts.change_user"),
        (Role.ADMIN, "sales.view_privacyrequest"),
    ],
)
def test_a_permission_belongs_to_a_role_and_to_the_roles_above_it(role: Role, permission: str) -> None:
    roles = list(Role)
    for below in roles[: roles.index(role)]:
        assert permission not in get_permissions(below)
    for holder in roles[roles.index(role) :]:
        assert permission in get_permissions(holder)


def test_nobody_may_delete_users_or_history() -> None:
    permissions = get_permissions(Role.ADMIN)
    assert "accounts.delete_user" not in permissions
    assert "sales.delete_leadscorehistory" not in permissions
    assert "sales.change_fieldchange" not in permissions


@pytest.mark.parametrize(
    ("role", "minimum", "expected"),
    [
        (Role.REP, Role.REP, True),
        (Role.REP, Role.MANAGER, False),
        (Role.MANAGER, Role.REP, True),
        (Role.MANAGER, Role.MANAGER, True),
        (Role.MANAGER, Role.ADMIN, False),
        (Role.ADMIN, Role.REP, True),
        (Role.ADMIN, Role.ADMIN, True),
    ],
)
def test_roles_are_ordered(role: Role, minimum: Role, expected: bool) -> None:
    assert is_at_least(role, minimum) is expected


def test_an_unknown_role_is_an_error() -> None:
    with pytest.raises(ValueError, match="owner"):
        get_permissions("owner")
