"""Who may change what: each rule of `sales.policy` for each kind of user."""

import pytest
from model_bakery import baker

from athena.accounts.models import User
from sales import errors, policy
from sales.models import Activity, FollowUp, TransferBatch

PEOPLE = ("rep", "colleague", "stranger", "manager", "admin", "leaver")


@pytest.fixture
def people(rep, colleague, stranger, manager, admin, leaver):
    """Two salespeople of a team, one of another, the team's manager, an administrator, and an inactive user."""
    return dict(zip(PEOPLE, (rep, colleague, stranger, manager, admin, leaver), strict=True))


def find_allowed(people, may):
    """The names of the people who may; Athena itself (None) always may, or the test fails."""
    assert may(None)
    return {name for name, user in people.items() if may(user)}


def test_only_managers_and_administrators_are_managers(people):
    assert {name for name, user in people.items() if policy.is_manager(user)} == {"manager", "admin"}


def test_an_inactive_manager_is_not_a_manager(manager):
    manager.is_active = False

    assert not policy.is_manager(manager)


def test_the_owner_and_managers_may_change_a_lead(people, rep, make_lead):
    lead = make_lead(assigned_to=rep)

    assert find_allowed(people, lambda user: policy.may_change_lead(user, lead)) == {"rep", "manager", "admin"}


def test_an_inactive_owner_may_not_change_the_lead(leaver, make_lead):
    lead = make_lead(assigned_to=leaver)

    with pytest.raises(errors.NotYourLead):
        policy.check_may_change_lead(leaver, lead)


def test_an_unassigned_lead_is_for_managers(people, make_lead):
    lead = make_lead(assigned_to=None)

    assert find_allowed(people, lambda user: policy.may_change_lead(user, lead)) == {"manager", "admin"}


def test_the_assignee_and_managers_may_change_a_follow_up(people, rep, make_lead):
    follow_up = FollowUp(lead=make_lead(), assigned_to=rep)

    allowed = find_allowed(people, lambda user: policy.may_change_follow_up(user, follow_up))

    assert allowed == {"rep", "manager", "admin"}


def test_only_the_assignee_may_complete_a_follow_up(people, rep, make_lead):
    follow_up = FollowUp(lead=make_lead(), assigned_to=rep)

    allowed = {name for name, user in people.items() if policy.may_complete_follow_up(user, follow_up)}

    assert allowed == {"rep"}


def test_the_author_and_managers_may_correct_an_activity(people, rep, make_lead):
    activity = Activity(lead=make_lead(), user=rep)

    allowed = find_allowed(people, lambda user: policy.may_correct_activity(user, activity))

    assert allowed == {"rep", "manager", "admin"}


def test_the_author_and_administrators_may_undo_a_transfer(people, rep):
    batch = TransferBatch(by=rep)

    assert find_allowed(people, lambda user: policy.may_undo_transfer(user, batch)) == {"rep", "admin"}


def test_only_administrators_may_hand_over(people):
    assert find_allowed(people, policy.may_hand_over) == {"admin"}


def test_managers_may_start_scoring_runs(people):
    assert find_allowed(people, policy.may_start_scoring_run) == {"manager", "admin"}


@pytest.mark.parametrize(
    ("check", "error"),
    [
        (lambda user, rows: policy.check_is_manager(user), errors.NotAllowed),
        (lambda user, rows: policy.check_may_change_lead(user, rows["lead"]), errors.NotYourLead),
        (lambda user, rows: policy.check_may_change_follow_up(user, rows["follow_up"]), errors.NotYourFollowUp),
        (lambda user, rows: policy.check_may_complete_follow_up(user, rows["follow_up"]), errors.NotYourFollowUp),
        (lambda user, rows: policy.check_may_correct_activity(user, rows["activity"]), errors.NotYourActivity),
        (lambda user, rows: policy.check_may_undo_transfer(user, rows["batch"]), errors.NotYourTransfer),
    ],
    ids=["manager", "lead", "follow-up", "completion", "activity", "transfer"],
)
def test_a_check_raises_its_error(rep, colleague, make_lead, check, error):
    lead = make_lead(assigned_to=rep)
    rows = {
        "lead": lead,
        "follow_up": FollowUp(lead=lead, assigned_to=rep),
        "activity": Activity(lead=lead, user=rep),
        "batch": TransferBatch(by=rep),
    }

    with pytest.raises(error) as raised:
        check(colleague, rows)

    assert type(raised.value) is error


class TestReceivers:
    @pytest.fixture
    def loner(self, make_user):
        """A salesperson without a team."""
        return make_user("loner")

    @pytest.fixture
    def other_loner(self, make_user):
        return make_user("other loner")

    def find_receivers(self, by):
        return set(User.objects.filter(policy.get_receiver_filter(by)))

    def test_salespeople_give_to_their_active_team(self, rep, colleague, manager, stranger, leaver, loner):
        assert self.find_receivers(rep) == {rep, colleague, manager}

    def test_without_a_team_they_give_to_nobody_else(self, rep, loner, other_loner):
        assert self.find_receivers(loner) == {loner}

    def test_managers_give_to_all_active_users(self, rep, stranger, manager, leaver, loner):
        assert self.find_receivers(manager) == {rep, stranger, manager, loner}

    def test_athena_gives_to_all_active_users(self, rep, stranger, leaver, loner):
        assert self.find_receivers(None) == {rep, stranger, loner}


class TestUsersInSight:
    def test_salespeople_read_the_leads_of_their_team(self, rep, colleague, manager, leaver, stranger):
        visible_owners = User.objects.filter(policy.get_visible_owner_filter(rep))

        assert set(visible_owners) == {rep, colleague, manager, leaver}

    def test_without_a_team_they_read_their_own_leads(self, make_user, rep):
        loner, _ = make_user("loner"), make_user("other loner")

        assert set(User.objects.filter(policy.get_visible_owner_filter(loner))) == {loner}

    def test_administrators_read_all_leads(self, admin, rep, stranger):
        assert set(User.objects.filter(policy.get_visible_owner_filter(admin))) == {admin, rep, stranger}

    def test_salespeople_read_reports_about_themselves(self, rep, colleague):
        assert set(User.objects.filter(policy.get_scope_filter(rep))) == {rep}

    def test_managers_read_reports_about_their_team(self, rep, colleague, manager, stranger):
        assert set(User.objects.filter(policy.get_scope_filter(manager))) == {rep, colleague, manager}

    def test_a_manager_without_a_team_reads_all_reports(self, make_user, rep, stranger):
        head = make_user("head", "manager")

        assert set(User.objects.filter(policy.get_scope_filter(head))) == {head, rep, stranger}


class TestFallbackRecipients:
    def test_they_are_the_active_managers(self, rep, manager, admin, make_user, desk):
        baker.make(User, role="manager", is_active=False, team=desk, email="gone@example.com")

        assert list(policy.find_fallback_recipients()) == [manager]

    def test_without_managers_they_are_the_administrators(self, rep, admin):
        assert list(policy.find_fallback_recipients()) == [admin]
