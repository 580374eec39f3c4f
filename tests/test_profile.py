"""What a profile says and how it is looked up."""

import json
from pathlib import Path

import pytest

from bot.authority import Role
from bot.profile import Profile, UnknownSeries, load, shipped
from bot.profile.command import run
from bot.profile.docs import page
from bot.profile.types import AuditRuleName, KindSource, Person, StepName
from bot.release.ids import UserId
from bot.release.version import Kind, Version
from bot.verify.release_diff.table import BUMP, CPYTHON, RULES
from tests.profile_text import GOOD, written

ROOT = Path(__file__).parent.parent
STRANGER = UserId(99)
HUGO = UserId(1324225)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_loads_and_passes_its_own_check(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(name).timing.poll >= 10
    assert run(["check", name]) == 0
    assert f"{name} is a valid profile." in capsys.readouterr().out


def test_the_shipped_profile_of_cpython_knows_people_series_and_labels(tmp_path: Path) -> None:
    profile = load("cpython", home=tmp_path)
    hugo = profile.person(HUGO)
    assert hugo is not None
    assert (hugo.login, profile.by_name("Hugo van Kemenade"), profile.person_named("HugoVK")) == ("hugovk", hugo, hugo)
    assert profile.roles_of(HUGO) == {Role.RELEASE_MANAGER, Role.APPROVER}
    assert profile.series_of(Version.parse("3.13.9")).signature == "required"
    assert profile.series_of(Version.parse("3.15.0a3")).signature == "if-present"
    always, later = profile.preflight.blockers
    assert all(always.stops(kind) for kind in Kind)
    assert {kind for kind in Kind if later.stops(kind)} == {Kind.CANDIDATE, Kind.FINAL, Kind.BUGFIX, Kind.SECURITY}
    assert {person.login for person in profile.people_with(Role.MACOS_EXPERT)} == {"ned-deily"}
    assert [(row.path, row.rule) for row in profile.audit.rules] == [(row.path, row.rule) for row in CPYTHON]
    assert [(row.path, row.rule) for row in profile.first_beta.rules] == [(row.path, row.rule) for row in BUMP]
    assert set(AuditRuleName) == set(RULES)
    assert all(path.parent == tmp_path / "trust" for path in profile.trust.openpgp)


def test_only_forks_of_people_with_a_known_account_are_watched() -> None:
    profile = load("cpython")
    everywhere = {str(fork.repository): fork.owner.login for fork in profile.watched_forks()}
    assert everywhere["hugovk/cpython"] == "hugovk"
    assert "zooba/cpython" not in everywhere
    assert [fork.repository for fork in profile.watched_forks([HUGO])] == ["hugovk/cpython"]
    assert all(fork.owner.id for fork in profile.watched_forks())


def test_nobody_is_found_by_the_number_of_an_unknown_account() -> None:
    profile = load("cpython")
    assert any(person.id == 0 for person in profile.people)
    assert profile.person(UserId(0)) is None
    assert profile.roles_of(UserId(0)) == profile.roles_of(STRANGER) == frozenset()


def test_an_unknown_series_is_refused_in_a_sentence() -> None:
    with pytest.raises(UnknownSeries, match=r'says nothing about 9\.9.*add \[series\."9\.9"\]'):
        load("cpython").series_of(Version.parse("9.9.0"))


STANDARD = ("preflight", "freeze", "tag", "audit", "approve", "push", "thaw")


def test_a_minimal_profile_has_the_standard_steps_and_names_its_own_manager() -> None:
    profile = load("minimal")
    assert [step.name for step in profile.steps] == [StepName(name) for name in STANDARD]
    assert profile.project.kind_source is KindSource.PROFILE
    assert profile.manager_of("1.0") == profile.people[0]
    assert profile.manager_of("2.0") is None
    assert profile.project.homes == ("octo-org/octo-repo",)


def test_paths_of_trust_start_at_the_folder_of_the_profile(tmp_path: Path) -> None:
    text = GOOD + '[trust]\nopenpgp = ["keys/one.asc", "/etc/two.asc"]\nallowed_signers = "signers"\n'
    trust = load(written(tmp_path, text), home=Path("/elsewhere")).trust
    assert trust.openpgp == (tmp_path / "keys/one.asc", Path("/etc/two.asc"))
    assert trust.allowed_signers == tmp_path / "signers"


def test_ssh_keys_are_known_by_their_fingerprint() -> None:
    person = Person(login="octocat", id=UserId(1), name="Mona", ssh_keys=(f"{KEY} mona@example.org",))
    assert person.ssh_keys == (KEY,)
    assert person.ssh_fingerprints == ("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",)


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load("minimal").freeze.until = "push"  # type: ignore[misc]  # what the types forbid, the program forbids too


def test_check_prints_the_mistakes_and_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GOOD.replace("name = ", "nam = "))
    assert run(["check", path]) == 2
    assert capsys.readouterr().err.count('did you mean "name"?') == 2
    assert run(["check", "--json", path]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["valid"], len(answer["problems"])) == (False, 4)


def test_check_tells_what_is_still_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BOT_HOME", str(tmp_path))
    assert run(["check", "cpython", "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("Yhg1s has the id 0" in note for note in notes)
    assert any(note.startswith(f"{tmp_path}/trust/thomas-wouters.asc is not there yet") for note in notes)


@pytest.mark.parametrize("arguments", [[], ["chek"], ["check"], ["check", "a", "b"]])
def test_wrong_use_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "usage: python -m bot profile" in capsys.readouterr().err


def test_the_page_about_profiles_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs"]) == 0
    text = capsys.readouterr().out
    assert text == page() == (ROOT / "docs" / "profile.md").read_text(encoding="utf-8"), "run make docs"
    named_otherwise = ("series", "hand")
    keys = [key for key in Profile.model_json_schema()["properties"] if key not in named_otherwise]
    assert all(f"`[{key}]`" in text or f"`[[{key}]]`" in text for key in keys)
