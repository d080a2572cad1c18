"""Which leads a user may read. `Lead.objects.visible_to(user)` applies it; rows of a lead follow their lead."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from athena.accounts.models import User
from athena.accounts.roles import Role


def build_scope(user: User, follow_ups: QuerySet[Any]) -> Q:
    """The condition for the leads that `user` may read, for a user who may not read all.

    These are their own, their team's and, for a manager, the unassigned leads, and leads on which they have a follow-up
    that is not canceled. `follow_ups` are all follow-ups, unordered.
    """
    scope = Q(assigned_to=user.pk)
    if user.team_id is not None:
        scope |= Q(assigned_to__in=User.objects.filter(team=user.team_id).order_by().values("pk"))
    if user.role == Role.MANAGER:
        scope |= Q(assigned_to__isnull=True)
    # The most expensive test comes last. PostgreSQL runs the EXISTS for each of a few leads, or hashes it for many.
    own_follow_ups = follow_ups.filter(lead=OuterRef("pk"), assigned_to=user.pk, cancelled_at__isnull=True)
    return scope | Q(Exists(own_follow_ups))
