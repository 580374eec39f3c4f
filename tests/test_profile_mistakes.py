"""A mistake in a profile is told with its file, its line, its key, and what is allowed."""

import json
from pathlib import Path

import pytest

from bot.profile import ProfileError, load
from tests.profile_text import GOOD, refusal, written

B = '[[person]]\nlogin = "b"\nid = 2\nname = "B"'


@pytest.mark.parametrize(
    ("change", "line", "key", "says"),
    [
        (('team = "octo-org/managers"', 'teem = "x/y"'), 4, "project.teem", 'did you mean "team"?'),
        (('repository = "octo-org/demo"\n', ""), 1, "project.repository", "missing"),
        (("id = 583231", 'id = "583231"'), 8, "person[1].id", "valid integer"),
        (("id = 583231", "id = true"), 8, "person[1].id", "valid integer"),
        (("id = 583231", "id = -1"), 8, "person[1].id", "greater than or equal to 0"),
        (('"release-manager"', '"release-manger"'), 10, "person[1].roles[1]", 'did you mean "release-manager"?'),
        (('"octocat/demo"', '"octocat"'), 11, "person[1].forks[1]", "write it like python/cpython"),
        (('[series."1.0"]', "[series.one]"), 13, "series.one", "write it like 3.15"),
        (('"required"', '"sometimes"'), 15, 'series."1.0".signature', "'required' or 'if-present'"),
        (('name = "demo"', 'name = "../demo"'), 2, "project.name", "a short plain name"),
        (('repository = "octo-org/demo"', 'repository = "octo-org/demo\\u202e"'), 3, "project.repository", "is not a repository"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_key_and_what_is_allowed(
    tmp_path: Path, change: tuple[str, str], line: int, key: str, says: str
) -> None:
    assert change[0] in GOOD
    text = refusal(tmp_path, GOOD.replace(*change))
    assert text.startswith(f"{tmp_path / 'demo.toml'}, line {line}: {key}: ")
    assert says in text
    assert text.count("\n") == 0
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("addition", "line", "key", "says"),
    [
        ("[timing]\npoll = 0\n", 17, "timing.poll", "greater than 0"),
        ("[timing]\npoll = inf\n", 17, "timing.poll", "finite"),
        ("[timing]\nlease = 10\nheartbeat = 6\n", 18, "timing.heartbeat", "at most half of it"),
        ("[timing]\nlease = 10\n", 16, "timing.heartbeat", "at most half of it"),
        ('[preflight]\nblockers = [\n  {label = "a", kinds = ["c"]},\n]\n', 18, "preflight.blockers[1].kinds[1]", "alpha, beta1, beta, rc"),
        ('[freeze]\nmode = "lock"\n', 17, "freeze.mode", "'ruleset' or 'classic'"),
        ('[audit]\nrules = [{ path = "a", rule = "next-directives" }]\n', 17, "audit.rules[1].rule", 'did you mean "next-directive"?'),
        ('[audit]\nrules = [{ path = "../a b", rule = "news" }]\n', 17, "audit.rules[1].path", "a path inside the repository"),
        ('[first_beta]\nrules = [{ path = "a", rule = "edit" }]\n', 17, "first_beta.rules[1].rule", 'did you mean "edited"?'),
        ("[merge]\nprepared = []\n", 17, "merge.prepared", "at least 1 item"),
        ('[merge]\nprepared = ["branch-{release}"]\n', 17, "merge.prepared[1]", "{release} stands for nothing"),
        ('[first_beta]\nbump_branch = "branch-{new}"\n', 17, "first_beta.bump_branch", "{new} stands for nothing"),
        ('[[person]]\nlogin = "Octocat"\nid = 2\nname = "B"\n', 6, "person", "two people have the login Octocat"),
        ('[[person]]\nlogin = "b"\nid = 583231\nname = "B"\n', 6, "person", "two people have the id 583231"),
        (f'{B}\nforks = ["octocat/Demo"]\n', 6, "person", "can belong to one person only"),
        (f'{B}\nssh_keys = ["ssh-rsa AAAA"]\n', 20, "person[2].ssh_keys[1]", "not an SSH public key"),
        (f'{B}\nssh_keys = ["ssh-rsa ?"]\n', 20, "person[2].ssh_keys[1]", "not an SSH public key"),
        (f'{B}\npgp_fingerprints = ["A821E680E5FA6305"]\n', 20, "person[2].pgp_fingerprints[1]", "full fingerprint"),
        ('manager = "nobody"\n', 16, 'series."1.0".manager', "write one of octocat"),
        ('files = { since = { ios = "1.0.1" } }\n', 16, 'series."1.0".files.since.ios', "add ios to groups"),
        ('files = { groups = ["ios"], since = { ios = "1.1" } }\n', 16, 'series."1.0".files.since.ios', "a version"),
        ('[[step]]\nname = "preflight"\nnot_for = ["alpha"]\n', 18, "step[1].not_for", "every release has the step preflight"),
        ('[[step]]\nname = "push"\n', 16, "step[1]", "must not be reached without freeze"),
        ('[[step]]\nname = "freeze"\nneeds = ["preflight"]\n', 18, "step[1].needs", "does not stand above it"),
        ('[[step]]\nname = "freeze"\nneeds = ["freeze"]\n', 18, "step[1].needs", "does not stand above it"),
        ('[[step]]\nname = "tag"\n[[step]]\nname = "tag"\n', 18, "step[2]", "a second time"),
        ('[[step]]\nname = "freeze"\n', 16, "step", "stay frozen for ever"),
        ('[[step]]\nname = "announce"\n', 17, "step[1].name", "'preflight', 'freeze'"),
        ('[wrap_up]\nflip = { from = "a", to = "A" }\n', 17, "wrap_up.flip.to", "cannot take its own place"),
        ('[wrap_up]\nnew_branch = { labels = ["backport"] }\n', 17, "wrap_up.new_branch.labels[1]", "write {series}"),
        ('[wrap_up]\nschedule = { repository = "peps", path = "a.toml" }\n', 17, "wrap_up.schedule.repository", "OWNER/NAME"),
        ('[wrap_up]\nschedule = { repository = "a/b", path = "a.toml", merge = "yes" }\n', 17, "wrap_up.schedule.merge", "a valid boolean"),
        ('[wrap_up]\nschedule = { repository = "a/b", path = "a", pep = "pep.rst" }\n', 17, "wrap_up.schedule.pep", "write {pep} once"),
        ('[wrap_up]\nschedule = { repository = "a/b", path = "a", pep = "{pep}{x}" }\n', 17, "wrap_up.schedule.pep", "write {pep} once"),
        ('[wrap_up]\nannounce = { forum = "discuss" }\n', 17, "wrap_up.announce.forum", "an https address"),
        ('[[checklist]]\nkinds = ["beta"]\nitems = ["{year}"]\n', 18, "checklist[1].items[1]", "{year} stands for nothing"),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit_together_are_told(tmp_path: Path, addition: str, line: int, key: str, says: str) -> None:
    text = refusal(tmp_path, GOOD + addition)
    assert f", line {line}: {key}: " in text
    assert says in text


def test_the_thaw_comes_after_what_the_freeze_is_for(tmp_path: Path) -> None:
    order = {"freeze": [], "tag": ["freeze"], "audit": ["tag"], "approve": ["audit"], "push": ["approve"], "thaw": ["approve"]}
    steps = "".join(f'[[step]]\nname = "{name}"\nneeds = {json.dumps(needs)}\n' for name, needs in order.items())
    assert "thaw must not be reached without push" in refusal(tmp_path, GOOD + steps)


def test_a_profile_that_is_its_own_source_needs_the_status(tmp_path: Path) -> None:
    text = GOOD.replace('team = "octo-org/managers"', 'team = "octo-org/managers"\nkind_source = "profile"')
    assert "the status is missing" in refusal(tmp_path, text)


def test_a_profile_without_people_or_series_is_refused(tmp_path: Path) -> None:
    start = GOOD[: GOOD.index("[[person]]")]
    people, series = GOOD[len(start) : GOOD.index("[series")], GOOD[GOOD.index("[series") :]
    assert "person: nobody has a part" in refusal(tmp_path, f"person = []\n{start}{series}")
    assert "series: there is no series" in refusal(tmp_path, f"{start}{people}[series]\n")


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD.replace("id =", "number =").replace("branch", "brunch"))
    assert [line.partition(": ")[0].rpartition(" ")[2] for line in text.splitlines()] == ["6", "8", "13", "14"]


def test_timing_has_floors_in_production_only(tmp_path: Path) -> None:
    fast = GOOD + "[timing]\npoll = 0.05\n"
    assert load(written(tmp_path, fast)).timing.poll == 0.05
    text = refusal(tmp_path, fast.replace('name = "demo"', 'name = "demo"\nproduction = true'))
    assert "line 18: timing.poll: 0.05 s is too short for production: write at least 10." in text


def test_what_is_no_toml_and_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert "line 2: this is not TOML" in refusal(tmp_path, "[project]\nname = \n")
    assert "line 3: this is not TOML" in refusal(tmp_path, '[project]\n\nname = "')
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ProfileError, match="UTF-8"):
        load(str(tmp_path / "latin.toml"))
    with pytest.raises(ProfileError, match=r"There is no profile nothing: .* cpython, minimal"):
        load("nothing")
