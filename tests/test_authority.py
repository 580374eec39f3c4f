"""Who may do what, and what the others are told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import authority
from bot.authority import Allowed, Refused, Role, Speaker, judge
from bot.commands import (
    GRAMMAR,
    Abort,
    Acknowledge,
    Approve,
    ApproveStage,
    Command,
    Defer,
    Done,
    Freeze,
    Go,
    Halt,
    Help,
    Open,
    Refreeze,
    RejectStage,
    Resume,
    Retry,
    Status,
    Unfreeze,
    Verb,
    Waive,
)
from bot.release.facts import Tag
from bot.release.ids import CommentId, CommitId, IssueNumber, ObjectId, ReleaseId, Repository, TagId, UserId
from bot.release.model import Actor, Recall, Release
from bot.release.version import Kind, Version

SHA = ObjectId("a" * 40)
VERSION = Version.parse("3.15.0a3")
OPEN = Open(version=VERSION)
STATUS = Status()
APPROVE = Approve(sha=SHA)
ACKNOWLEDGE = Acknowledge(digest="a" * 12)
WAIVE = Waive(check="audit", sha=SHA, reason="known")
RETRY = Retry(step="preflight")
REFREEZE = Refreeze(reason="a fix")
HALT = Halt(reason="wait")
RESUME = Resume()
ABORT = Abort(reason="no")
HELP = Help()
GO = Go(sha=SHA)
DONE = Done(name="macos", sha256="b" * 64)
DEFER = Defer(name="macos", reason="later")
APPROVE_STAGE = ApproveStage(artifact="azure-core")
REJECT_STAGE = RejectStage(artifact="azure-mgmt-core")
FREEZE = Freeze(branch="main", reason="history")
UNFREEZE = Unfreeze(branch="main")
EVERY: list[Command] = [
    OPEN, STATUS, APPROVE, ACKNOWLEDGE, WAIVE, RETRY, REFREEZE, HALT, RESUME, ABORT, HELP, FREEZE, UNFREEZE, GO, DONE, DEFER,
    APPROVE_STAGE, REJECT_STAGE,
]  # fmt: skip


def speaker(login: str, number: int, *roles: Role, team: bool | None = True) -> Speaker:
    return Speaker(id=UserId(number), login=login, is_bot=False, through_app=False, roles=frozenset(roles), team_member=team)


STARTER = speaker("starter", 1, Role.RELEASE_MANAGER)
MANAGER = speaker("manager", 2, Role.RELEASE_MANAGER)
OTHER = speaker("other", 3, Role.RELEASE_MANAGER)
APPROVER = speaker("approver", 4, Role.APPROVER, team=False)
EXPERT = speaker("expert", 5, Role.MACOS_EXPERT, team=False)
MEMBER = speaker("member", 6)
LISTED_ONLY = speaker("listed", 7, Role.RELEASE_MANAGER, team=False)
STRANGER = speaker("stranger", 8, team=False)
TAGGER = speaker("tagger", 9, Role.RELEASE_MANAGER)
PEOPLE = [STARTER, MANAGER, OTHER, APPROVER, EXPERT, MEMBER, LISTED_ONLY, STRANGER, TAGGER]

EXPERTS = {"macos": Role.MACOS_EXPERT}

RELEASE = Release(
    id=ReleaseId("cpython-3.15.0a3-42"),
    project="cpython",
    repository=Repository("python/cpython"),
    home=Repository("python/cpython"),
    issue=IssueNumber(42),
    version=VERSION,
    kind=Kind.ALPHA,
    series="3.15",
    branch="main",
    starter=Actor(id=STARTER.id, login="starter"),
    manager=Actor(id=MANAGER.id, login="manager"),
    opened=datetime(2026, 11, 20, tzinfo=UTC),
    tag=Tag(object=TagId(SHA), commit=CommitId("b" * 40), name="v3.15.0a3", fork=Repository("tagger/cpython"), owner=TAGGER.id, content=""),
)

MANAGERS = {"starter", "manager", "other", "tagger"}
WHO_MAY: list[tuple[Command, set[str]]] = [
    (OPEN, MANAGERS),
    (FREEZE, MANAGERS),
    (UNFREEZE, MANAGERS),
    (APPROVE, MANAGERS),
    (ACKNOWLEDGE, MANAGERS),
    (GO, MANAGERS),
    (DEFER, MANAGERS),
    (APPROVE_STAGE, MANAGERS),
    (REJECT_STAGE, MANAGERS),
    (DONE, {"expert"}),
    (REFREEZE, MANAGERS),
    (ABORT, MANAGERS),
    (RETRY, MANAGERS | {"expert"}),
    (RESUME, MANAGERS | {"approver"}),
    (WAIVE, {"manager", "other", "approver"}),
    (HALT, MANAGERS | {"listed", "approver", "expert", "member"}),
    (STATUS, MANAGERS | {"listed", "approver", "expert", "member"}),
    (HELP, MANAGERS | {"listed", "approver", "expert", "member"}),
]


@pytest.mark.parametrize(("command", "names"), WHO_MAY, ids=lambda value: getattr(value, "verb", ""))
def test_exactly_these_people_may(command: Command, names: set[str]) -> None:
    assert {person.login for person in PEOPLE if isinstance(judge(command, person, RELEASE, EXPERTS), Allowed)} == names


def test_every_command_has_a_rule() -> None:
    assert {command.verb for command in EVERY} == set(Verb) == {form.verb for form in GRAMMAR} == set(authority._RULES) | {Verb.DONE}


@pytest.mark.parametrize("command", [APPROVE, GO, DEFER, ACKNOWLEDGE, REFREEZE, ABORT, RETRY])
def test_another_manager_acts_as_a_stand_in_on_the_record(command: Command) -> None:
    assert judge(command, STARTER, RELEASE) == Allowed()
    assert judge(command, MANAGER, RELEASE) == Allowed()
    warning = "other acts as a stand-in here, because the release belongs to starter and manager."
    assert judge(command, OTHER, RELEASE) == Allowed(warning)


def test_where_the_series_manager_is_unknown_the_starter_owns_the_release() -> None:
    answer = judge(APPROVE, MANAGER, replace(RELEASE, manager=None))
    assert answer == Allowed("manager acts as a stand-in here, because the release belongs to starter.")


def test_one_person_who_is_both_is_named_once() -> None:
    release = replace(RELEASE, manager=RELEASE.starter)
    assert judge(APPROVE, OTHER, release) == Allowed("other acts as a stand-in here, because the release belongs to starter.")


def test_only_those_who_do_the_work_say_that_it_is_done() -> None:
    windows = speaker("zooba", 10, Role.WINDOWS_EXPERT)
    answer = judge(DONE, windows, RELEASE, EXPERTS)
    assert answer == Refused("Only a macos-expert may say that macos is done, and the profile does not list the account zooba (10) as one.")
    unknown = judge(Done(name="amiga"), EXPERT, RELEASE, EXPERTS)
    assert unknown == Refused("The profile knows no step `amiga` that is done by hand, so nobody can say that it is done.")


def test_a_release_manager_says_that_everything_was_withdrawn() -> None:
    withdrawn = Done(name="withdraw")
    assert judge(withdrawn, OTHER, RELEASE, EXPERTS) == Allowed()
    assert isinstance(judge(withdrawn, EXPERT, RELEASE, EXPERTS), Refused)


def test_the_second_person_of_a_recall_may_be_an_approver() -> None:
    recalled = replace(RELEASE, recalls=(Recall(by=RELEASE.starter, reason="no", at=RELEASE.opened, comment=CommentId(1)),))
    assert judge(ABORT, APPROVER, recalled) == Allowed()
    assert isinstance(judge(ABORT, APPROVER, RELEASE), Refused)


def test_an_expert_retries_without_being_a_stand_in() -> None:
    assert judge(RETRY, EXPERT, RELEASE) == Allowed()


@pytest.mark.parametrize("command", [APPROVE, ACKNOWLEDGE, REFREEZE, ABORT, RETRY, WAIVE, RESUME, HALT])
def test_without_a_release_only_standing_is_judged(command: Command) -> None:
    assert judge(command, OTHER, None) == Allowed()
    assert isinstance(judge(command, STRANGER, None), Refused)


@pytest.mark.parametrize(("person", "why"), [(STARTER, "starter started this release"), (TAGGER, "tagger made the tag")])
def test_a_waiver_needs_a_second_person(person: Speaker, why: str) -> None:
    answer = judge(WAIVE, person, RELEASE)
    assert isinstance(answer, Refused)
    assert why in answer.why


def test_before_the_tag_only_the_starter_is_a_first_person() -> None:
    untagged = replace(RELEASE, tag=None)
    assert judge(WAIVE, TAGGER, untagged) == Allowed()
    assert isinstance(judge(WAIVE, STARTER, untagged), Refused)


def test_a_renamed_login_changes_nothing() -> None:
    impostor = replace(STRANGER, login="starter")
    assert isinstance(judge(APPROVE, impostor, RELEASE), Refused)
    assert judge(APPROVE, replace(STARTER, login="renamed"), RELEASE) == Allowed()


def test_a_manager_who_left_the_team_is_told_so() -> None:
    answer = judge(OPEN, LISTED_ONLY, None)
    assert answer == Refused("listed is a release manager in the profile, but not an active member of the release team on GitHub.")


def test_a_profile_without_a_team_asks_for_the_role_only() -> None:
    assert judge(OPEN, replace(LISTED_ONLY, team_member=None), None) == Allowed()
    assert isinstance(judge(HALT, replace(STRANGER, team_member=None), RELEASE), Refused)


def test_strangers_who_ask_are_refused_quietly_and_those_who_command_are_told() -> None:
    for command in EVERY:
        answer = judge(command, STRANGER, RELEASE)
        assert isinstance(answer, Refused)
        assert answer.quiet is (command in (STATUS, HELP))


anybody = st.builds(
    Speaker,
    id=st.integers(1, 10).map(UserId),
    login=st.just("somebody"),
    is_bot=st.booleans(),
    through_app=st.booleans(),
    roles=st.frozensets(st.sampled_from(Role)),
    team_member=st.none() | st.booleans(),
)


@given(st.sampled_from(EVERY), anybody, st.sampled_from([RELEASE, None, replace(RELEASE, tag=None, manager=None)]))
def test_whoever_it_is_the_answer_is_sound(command: Command, person: Speaker, release: Release | None) -> None:
    answer = judge(command, person, release)
    if person.is_bot or person.through_app or not (person.roles or person.team_member):
        assert isinstance(answer, Refused)
    if isinstance(answer, Refused):
        assert answer.why.endswith(".")
        assert "\n" not in answer.why
    if isinstance(answer, Refused) and person.is_bot:
        assert answer.quiet
