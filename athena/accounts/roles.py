"""The permissions of each role, in one table.

A permission says what a role may do at all. Which rows it applies to is decided by `visible_to` (reading) and
`sales.policy` (writing).
"""

from functools import cache

from django.db.models import TextChoices


class Role(TextChoices):
    REP = "rep", "Salesperson"
    MANAGER = "manager", "Manager"
    ADMIN = "admin", "Administrator"


READ, ADD, CHANGE, DELETE = "view", "add", "change", "delete"

_TABLE: dict[Role, dict[str, tuple[str, ...]]] = {
    Role.REP: {
        "sales.lead": (READ, ADD, CHANGE),
        "sales.activity": (READ, ADD, CHANGE),
        "sales.fieldchange": (READ,),
        "sales.followup": (READ, ADD, CHANGE, DELETE),
        "sales.leadscorehistory": (READ,),
        "sales.leadtransfer": (READ,),
        "sales.transferbatch": ("undo",),
        "sales.leadsource": (READ,),
        "sales.lostreason": (READ,),
        "sales.cadence": (READ,),
        "sales.cadencestep": (READ,),
        "notifications.notification": (READ, CHANGE),
        "notifications.preference": (READ, CHANGE),
    },
    Role.MANAGER: {
        "accounts.user": (READ,),
        "accounts.team": (READ,),
        "sales.lead": (DELETE, "bulk_transfer", "merge", "import", "export", "report"),
        "sales.leadimport": (READ, ADD),
        "sales.leadexport": (READ,),
        "sales.leadsource": (ADD, CHANGE),
        "sales.sourcespend": (READ, ADD, CHANGE, DELETE),
        "sales.intakeform": (READ, ADD, CHANGE),
        "sales.lostreason": (ADD, CHANGE),
        "sales.cadence": (ADD, CHANGE),
        "sales.cadencestep": (ADD, CHANGE, DELETE),
        "sales.leadscoringrule": (READ, ADD, CHANGE, DELETE),
        "sales.assignmentrule": (READ, ADD, CHANGE, DELETE),
        "sales.scoringrun": (READ, ADD),
        "sales.transferbatch": (READ,),
        "notifications.delivery": (READ, "retry"),
        "django_celery_beat.periodictask": (READ,),
        "django_celery_beat.intervalschedule": (READ,),
        "django_celery_beat.crontabschedule": (READ,),
    },
    Role.ADMIN: {
        "accounts.user": (ADD, CHANGE),
        "accounts.team": (ADD, CHANGE, DELETE),
        "sales.privacyrequest": (READ,),
        "django_celery_beat.periodictask": (ADD, CHANGE, DELETE),
        "django_celery_beat.intervalschedule": (ADD, CHANGE, DELETE),
        "django_celery_beat.crontabschedule": (ADD, CHANGE, DELETE),
    },
}
_ORDER = (Role.REP, Role.MANAGER, Role.ADMIN)  # each role has all permissions of those before it


@cache
def get_permissions(role: str) -> frozenset[str]:
    """The permissions of a role, as `app.verb_model`."""
    roles = _ORDER[: _ORDER.index(Role(role)) + 1]
    return frozenset(
        f"{app}.{verb}_{model}"
        for included in roles
        for name, verbs in _TABLE[included].items()
        for app, model in [name.split(".")]
        for verb in verbs
    )


def is_at_least(role: str, minimum: Role) -> bool:
    """Whether `role` is `minimum` or a role above it."""
    return _ORDER.index(Role(role)) >= _ORDER.index(minimum)
