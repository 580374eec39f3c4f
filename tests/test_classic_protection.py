"""What is read of a branch's classic protection is turned into what is written, so that writing it gives the same again."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.freezing import protection
from bot.freezing.protection import UNPROTECTED, NotRestorable, Standing
from bot.rehearsal.git_repository import BareRepository
from bot.rehearsal.github_assembly import SLUG, register
from bot.rehearsal.github_model import JsonObject, Model, Repository, Team, User
from bot.rehearsal.github_problems import Invalid
from bot.rehearsal.github_shapes import Links
from bot.rehearsal.github_shapes_protection import FLAGS, ProtectionShapes, check_body
from bot.release.facts import KeptProtection

LOGINS = ("hugovk", "pablogsal", "coredev", "Yhg1s")
SLUGS = ("release-managers", "core")


class Scratch:
    """One repository of an organisation on a GitHub of its own, of which only the protection of branches is asked."""

    def __init__(self) -> None:
        model = Model()
        app = register(model)
        owner = User(id=1, login="python", type="Organization")
        for number, login in enumerate(LOGINS, start=2):
            model.users[number] = User(id=number, login=login)
        for number, slug in enumerate(SLUGS, start=20):
            model.teams["python", slug] = Team(id=number, organization="python", slug=slug)
        self.repository = Repository(id=9, name="python/cpython", owner=owner, git=BareRepository(Path()), default_branch="main")
        self._shapes = ProtectionShapes(model, app, Links(api="http://127.0.0.1", server="http://127.0.0.1"))

    def written(self, body: JsonObject, *, signatures: bool = False) -> JsonObject:
        """Return what is read after something was written."""
        check_body(body)
        return self._shapes.whole(self.repository, "main", body, signatures=signatures)


SCRATCH = Scratch()
actors = st.fixed_dictionaries(
    {
        "users": st.lists(st.sampled_from(LOGINS), unique=True),
        "teams": st.lists(st.sampled_from(SLUGS), unique=True),
        "apps": st.lists(st.just(SLUG), max_size=1),
    }
)
checks = st.lists(
    st.fixed_dictionaries({"context": st.text(min_size=1, max_size=9), "app_id": st.sampled_from((-1, 15368))}),
    max_size=4,
    unique_by=lambda check: check["context"],
)
bodies = st.fixed_dictionaries(
    {
        **dict.fromkeys(FLAGS, st.booleans()),
        "enforce_admins": st.booleans(),
        "restrictions": st.none() | actors,
        "required_status_checks": st.none() | st.fixed_dictionaries({"strict": st.booleans(), "contexts": st.just([]), "checks": checks}),
        "required_pull_request_reviews": st.none()
        | st.fixed_dictionaries(
            {
                "dismiss_stale_reviews": st.booleans(),
                "require_code_owner_reviews": st.booleans(),
                "require_last_push_approval": st.booleans(),
                "required_approving_review_count": st.integers(0, 6),
            },
            optional={"dismissal_restrictions": st.just({}) | actors, "bypass_pull_request_allowances": st.just({}) | actors},
        ),
    }
)


@given(bodies, st.booleans())
def test_what_was_read_is_written_back_and_reads_the_same(body: JsonObject, signatures: bool) -> None:  # noqa: FBT001 - given by Hypothesis
    seen = SCRATCH.written(body, signatures=signatures)
    kept = protection.kept(seen)
    again = SCRATCH.written(protection.body(kept), signatures=kept.signatures)
    assert protection.kept(again) == kept
    assert protection.differences(protection.kept(again), kept) == ()


@given(bodies, bodies)
def test_two_that_differ_are_told_apart_in_words(one: JsonObject, other: JsonObject) -> None:
    first, second = protection.kept(SCRATCH.written(one)), protection.kept(SCRATCH.written(other))
    assert (first == second) == (not protection.differences(first, second))


@given(bodies)
def test_what_is_read_is_never_taken_back_as_it_is(body: JsonObject) -> None:
    with pytest.raises(Invalid):
        check_body({"restrictions": None, "required_status_checks": None, "required_pull_request_reviews": None, **SCRATCH.written(body)})


PLAIN: JsonObject = {
    "enforce_admins": False,
    "restrictions": None,
    "required_status_checks": None,
    "required_pull_request_reviews": None,
}
REVIEWS: JsonObject = {"dismiss_stale_reviews": True, "require_code_owner_reviews": False, "required_approving_review_count": 2}


def sent(**parts: object) -> JsonObject:
    """Return what is written to put back what these parts of a body make."""
    return protection.body(protection.kept(SCRATCH.written({**PLAIN, **parts})))


def test_a_check_of_any_app_is_not_pinned_to_one() -> None:
    checks = [{"context": "docs", "app_id": -1}, {"context": "tests", "app_id": 15368}]
    seen = SCRATCH.written({**PLAIN, "required_status_checks": {"strict": True, "contexts": [], "checks": checks}})
    assert '"app_id": null' in json.dumps(seen)
    assert protection.body(protection.kept(seen))["required_status_checks"] == {"strict": True, "contexts": [], "checks": checks}


def test_no_list_of_who_may_dismiss_reviews_is_not_an_empty_one() -> None:
    nobody: JsonObject = {"users": [], "teams": [], "apps": []}
    assert sent(required_pull_request_reviews=REVIEWS)["required_pull_request_reviews"] == {
        **REVIEWS,
        "require_last_push_approval": False,
        "dismissal_restrictions": {},
        "bypass_pull_request_allowances": {},
    }
    closed = sent(required_pull_request_reviews={**REVIEWS, "dismissal_restrictions": nobody})["required_pull_request_reviews"]
    assert isinstance(closed, dict)
    assert closed["dismissal_restrictions"] == nobody


def test_an_unprotected_branch_is_kept_as_such() -> None:
    assert protection.kept(None) == UNPROTECTED
    assert protection.differences(protection.kept(SCRATCH.written(PLAIN)), UNPROTECTED) == ("there is a protection where there was none",)
    assert protection.differences(UNPROTECTED, protection.frozen(SLUG)) == ("there is no protection any more",)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"required_merge_queue": {"enabled": True}}, "“required_merge_queue”, which this bot does not know how to put back"),
        ({"required_status_checks": {"contexts": ["tests"], "checks": []}}, "without saying which App has to report them"),
        ({"required_status_checks": {"contexts": ["tests"]}}, "required checks is shown in a form"),
        ({"required_pull_request_reviews": {"required_reviewers": []}}, "“required_reviewers”"),
        ({"restrictions": {"users": [None], "teams": [], "apps": []}}, "in a form this bot does not know"),
        ({"restrictions": {"users": [{"id": 1}], "teams": [], "apps": []}}, "holds somebody without a name"),
        ({"restrictions": {"users": [{"login": f"u{n}"} for n in range(101)], "teams": [], "apps": []}}, "101 users, teams and Apps"),
        ({"lock_branch": True}, "in a form this bot does not know"),
        ({"enforce_admins": {"enabled": "yes"}}, "in a form this bot does not know"),
    ],
)
def test_what_could_not_be_put_back_is_not_taken_for_known(seen: JsonObject, reason: str) -> None:
    with pytest.raises(NotRestorable, match=reason):
        protection.kept(seen)


def test_a_frozen_branch_lets_nobody_but_the_app_push() -> None:
    frozen = protection.frozen(SLUG)
    assert protection.kept(SCRATCH.written(protection.body(frozen))) == frozen
    assert protection.shuts_out(frozen, SLUG)
    assert not protection.shuts_out(UNPROTECTED, SLUG)
    assert not protection.shuts_out(protection.kept(SCRATCH.written(PLAIN)), SLUG)


def test_a_freeze_is_known_on_every_part_of_its_way() -> None:
    before = protection.kept(SCRATCH.written({**PLAIN, "required_linear_history": True}, signatures=True))
    frozen = protection.frozen(SLUG)

    def stands(seen: KeptProtection, then: KeptProtection = before) -> Standing:
        return protection.standing(seen, then, SLUG)

    half = KeptProtection(settings=frozen.settings, signatures=True)
    assert (stands(before), stands(frozen), stands(half)) == (Standing.BEFORE, Standing.FROZEN, Standing.BETWEEN)
    unsigned = KeptProtection(settings=before.settings, signatures=False)
    assert stands(unsigned) is Standing.OTHER
    assert stands(half, unsigned) is Standing.OTHER
    assert stands(UNPROTECTED) is Standing.OTHER
    assert stands(protection.kept(SCRATCH.written(PLAIN))) is Standing.OTHER


@pytest.mark.parametrize(
    ("shown", "shut"),
    [
        (None, False),
        ({"enforce_admins": {"enabled": True}}, False),
        ({"restrictions": None}, False),
        ({"restrictions": {"users": [], "teams": [], "apps": [{"slug": SLUG}]}}, True),
        ({"restrictions": {"users": [], "teams": [], "apps": []}}, True),
        ({"restrictions": "something new"}, True),
        ({"restrictions": {"users": [{"login": "coredev"}], "teams": [], "apps": [{"slug": SLUG}]}}, False),
    ],
)
def test_what_is_shown_tells_whether_others_can_push_whatever_else_is_new(shown: JsonObject | None, *, shut: bool) -> None:
    whole = None if shown is None else {**shown, "something_new": {"enabled": True}}
    assert protection.shown_to_shut_out(whole, SLUG) is shut
