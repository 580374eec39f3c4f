"""A rehearsal is a program like any other: it says what happens, ends with an answer, and leaves nothing behind."""

import io
import json
import os
import tempfile
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from bot.rehearsal.calls import SYSTEMS, Calls
from bot.rehearsal.rehearse import _populated, run
from bot.rehearsal.scene import gist
from bot.rehearsal.stage import UPSTREAM, Player, hurried_profile, stage
from bot.rehearsal.timeline import Act, TimelineForPeople, TimelineForPrograms, Verdict, retold
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World
from tests.stories.telling import rarely

ACTS = (
    Act(who="a-release-manager-with-a-long-name", what="comments “/release approve " + "0" * 40 + "”", why="so it is", could_bot=False),
)
BAD = Verdict(
    problems=("refs/heads/main is at " + "1" * 40 + " upstream, but " + "2" * 40 + " was approved",),
    seconds=1.5,
    calls=(Calls(system="Azure", reads=39, writes=8),),
)


@pytest.fixture
def leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
    assert running_with(str(folder)) == []


def running_with(words: str) -> list[str]:
    """Return the command lines of this machine in which these words stand."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if words in line:
            found.append(line)
    return found


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        [],
        ["3.15.0a3", "--unknown"],
        ["3.15.0a3", "--as", "eol"],
        ["3.15.0a3", "--time-out", "0"],
        ["3.15.0a3", "--time-out", "nan"],
        ["3.15.0a3", "--time-out", "soon"],
        ["3.13.6", "--source", "absent.tar.xz"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_answered_in_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str], leftovers: Path) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.endswith(".\n")
    assert leftovers.exists()


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_the_timeline_fits_eighty_columns_without_colour(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    timeline = TimelineForPeople(stream)
    timeline.event("brother-maynard[bot]", "python/cpython ruleset " + "x" * 100, "y" * 100)
    timeline.waiting("the step tag (needs a person): " + "word " * 30)
    timeline.end(ACTS, None, BAD)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= min(80, int(columns))
    assert "\x1b" not in stream.getvalue()
    # Whatever a terminal had to break is still there in full.
    assert "Azure was asked 47 times: 39 reads and 8 writes." in " ".join(line.strip() for line in lines)
    assert "2" * 40 in "".join(line.strip() for line in lines).replace(" ", "")


def test_for_programs_every_line_is_an_object() -> None:
    stream = io.StringIO()
    timeline = TimelineForPrograms(stream)
    timeline.event("hugovk", "comments", "why not")
    timeline.waiting("the tag")
    timeline.end(ACTS, {"state": "done", "version": "3.15.0a3"}, BAD)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["event", "waiting", "act", "acts", "release", "calls", "verdict"]
    assert lines[3] == {"type": "acts", "for": "3.15.0a3", "number": 1, "prompts_today": 33, "manual_actions_today": 62}
    assert lines[4]["release"] == {"state": "done", "version": "3.15.0a3"}
    assert lines[5] == {"type": "calls", "system": "Azure", "reads": 39, "writes": 8}
    assert lines[6]["good"] is False


def test_the_log_is_retold_without_noise() -> None:
    assert retold("github: python/cpython#1 comment by hugovk: /release help") == ("hugovk", "python/cpython#1 comment: /release help")
    said = "github: python/cpython#1 comment by maynard[bot]: Freezing by now"
    assert retold(said) == ("maynard[bot]", "comments on python/cpython#1: Freezing by now")
    assert retold("github: python/release-tools run 7 job build-source success") == (
        "github",
        "python/release-tools run 7 job build-source success",
    )
    assert retold("github: python/release-tools run 7 job build-docs skipped") is None
    assert retold("github: python/cpython#1 comment 7 edited by maynard[bot]: <!-- marker -->") is None


def test_of_a_comment_the_first_words_that_say_something_are_told() -> None:
    call = "<!-- brother-maynard release=1 -->\n<!-- about=call-1 -->\n@hugovk @Yhg1s\n\nCut `3.15.0a3` with run\\_release.py.\n"
    assert gist(call) == "@hugovk @Yhg1s: Cut `3.15.0a3` with run_release.py."
    assert gist("<!-- marker -->\n## 🎉 cpython 3.15.0a3 is out\n") == "🎉 cpython 3.15.0a3 is out"
    assert gist("<!-- marker -->\n@hugovk\n") == "@hugovk"
    assert gist("") == ""
    assert len(gist("x" * 1000)) == 160


def test_the_profile_differs_only_in_haste_and_keys() -> None:
    shipped = resources.files("bot").joinpath("profiles", "cpython.toml").read_text(encoding="utf-8")
    manager = Player(login="Yhg1s", id=123, name="Thomas Wouters", fork="Yhg1s/cpython")
    before, after = tomllib.loads(shipped), tomllib.loads(hurried_profile(shipped, manager, "AB" * 20))
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == {"timing", "trust", "person"}
    people = [(old, new) for old, new in zip(before["person"], after["person"], strict=True) if old != new]
    [(old, new)] = people
    assert new == {**old, "id": 123, "pgp_fingerprints": ["AB" * 20]}


@pytest.mark.parametrize("version", ["3.15.0a3", "3.13.6"])
async def test_the_release_manager_works_in_the_world_over_http(version: str, tmp_path: Path) -> None:
    made = PythonVersion.parse(version)
    with stage(tmp_path, made, None) as setting:
        async with World(tmp_path / "world") as world:
            manager = await _populated(world, setting)
            await manager.fetch()
            cut = await manager.cut(made, await manager.upstream_head(made.branch), key=setting.key)
            answer = await manager.push_to_fork(cut)
            assert answer.accepted, answer.words
            assert (await world.github.refs(setting.manager.fork))[f"refs/tags/{made.tag}"] == cut.tag
            actor = {"actor_id": world.github.app.id, "actor_type": "Integration", "bypass_mode": "always"}
            for target, ref, rule in (("branch", f"refs/heads/{made.branch}", "update"), ("tag", f"refs/tags/{made.tag}", "creation")):
                conditions = {"ref_name": {"include": [ref], "exclude": []}}
                fields: dict[str, object] = {"name": ref, "target": target, "conditions": conditions, "rules": [{"type": rule}]}
                world.github.add_ruleset(setting.manager.login, UPSTREAM, {**fields, "bypass_actors": [actor]})
            refused = await manager.run_release_script_to_its_end(cut)
            assert refused.refused() == [f"refs/heads/{made.branch}", f"refs/tags/{made.tag}"], refused.words
            assert not (await manager.merge_fix(made.branch)).answer.accepted
            await world.drain()
            assert world.violations == []


PLAYED = {
    "3.15.0a3": {"hugovk", "zooba", "ned-deily"},
    "3.13.6": {"Yhg1s", "zooba", "ned-deily"},
    "3.15.0rc1": {"hugovk", "zooba", "ned-deily"},
    "3.15.0rc2": {"hugovk", "zooba", "ned-deily"},
    "3.15.0": {"hugovk", "zooba", "ned-deily"},
    "3.15.1": {"hugovk", "zooba", "ned-deily"},
    "3.16.0a3": {"savannahostrowski", "zooba", "ned-deily"},
    "3.16.0": {"savannahostrowski", "zooba", "ned-deily"},
    "3.12.99": {"Yhg1s"},
}


ORDINARY = {"3.15.0a3": 12, "3.15.0rc1": 12, "3.15.0rc2": 12, "3.15.0": 12, "3.15.1": 12, "3.16.0a3": 12, "3.16.0": 12}
"""How many human acts an ordinary release may need, where no key of OpenPGP and no shop has a part in it."""

MOST = 15

OFTEN = ("3.15.0a3",)


@pytest.mark.parametrize("version", [version if version in OFTEN else rarely(version) for version in PLAYED])
def test_a_release_is_built_published_and_goes_upstream(
    version: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leftovers: Path
) -> None:
    # A rehearsal needs nothing that is not part of the bot.
    monkeypatch.setenv("BOT_REFERENCE", str(leftovers))
    code = run([version, "--json"])
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[-1]["problems"] == [], said.err
    assert code == 0
    [release] = [line["release"] for line in lines if line["type"] == "release"]
    assert release["state"] == "done"
    [acts] = [line["number"] for line in lines if line["type"] == "acts"]
    assert acts <= ORDINARY.get(release["version"], MOST)
    assert {line["who"] for line in lines if line["type"] == "act"} == PLAYED[version]
    asked = {line["system"]: line for line in lines if line["type"] == "calls"}
    assert set(asked) == set(SYSTEMS)
    assert asked["git"]["writes"] == 1
    assert (asked["Azure"]["writes"] > 0) is ("zooba" in PLAYED[version])
    assert leftovers.exists()


def test_what_is_said_about_a_release_that_takes_too_long(capsys: pytest.CaptureFixture[str], leftovers: Path) -> None:
    assert run(["3.15.0a3", "--json", "--time-out", "0.2"]) == 1
    verdict = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert verdict["problems"][0].startswith("after 0.2 s it still waited for")
    assert leftovers.exists()


@pytest.mark.chaos
def test_two_series_are_released_at_once(capsys: pytest.CaptureFixture[str], leftovers: Path) -> None:
    code = run(["3.13.16", "3.14.9", "--json"])
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert lines[-1]["problems"] == [], said.err
    assert code == 0
    states = {line["release"]["version"]: line["release"]["state"] for line in lines if line["type"] == "release"}
    assert states == {"3.13.16": "done", "3.14.9": "done"}
    assert {line["for"]: line["number"] <= MOST for line in lines if line["type"] == "acts"} == {"3.13.16": True, "3.14.9": True}
    assert leftovers.exists()


def test_what_never_comes_together_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["3.13.16", "3.13.17"], ["3.15.0a3", "3.16.0a1"], ["3.13.16", "3.14.9", "--source", "x.tar.xz"]):
        assert run(words) == 2
    assert capsys.readouterr().err.count("\n") == 3


@pytest.mark.chaos
def test_the_real_tarball_goes_upstream(capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.environ.get("BOT_REFERENCE")
    root = Path(__file__).resolve().parents[2]
    path = Path(folder or root.parent / "shared") / "artifacts" / "source" / "Python-3.13.5.tar.xz"
    if not path.exists():
        message = f"the real tarball {path.name} is absent"
        pytest.fail(message) if folder else pytest.skip(message)
    code = run(["3.13.6", "--source", str(path), "--json"])
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["problems"] == [], said.err
    assert code == 0
