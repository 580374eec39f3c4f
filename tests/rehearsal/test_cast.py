"""People do what the bot asks of them, but not against their better knowledge; and what is missing in the end is seen."""

import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal import publisher
from bot.rehearsal.azure_model import Run
from bot.rehearsal.cast import MacosExpert, WindowsExpert
from bot.rehearsal.inspection import _of_what_was_handed, problems, unshown
from bot.rehearsal.inspection_builders import of_the_builders
from bot.rehearsal.lead import Lead
from bot.rehearsal.machinery import Machines
from bot.rehearsal.rehearse import _hands, _populated
from bot.rehearsal.release_manager import Cut
from bot.rehearsal.release_workflow import BUILD_RELEASE, REPOSITORY
from bot.rehearsal.scene import MARKER, Scene
from bot.rehearsal.schedule_repository import REPOSITORY as SCHEDULE
from bot.rehearsal.stage import UPSTREAM, stage
from bot.rehearsal.timeline import TimelineForPrograms
from bot.rehearsal.turning_points import Tidier
from bot.rehearsal.versions import PythonVersion
from bot.rehearsal.world import World

VERSION = PythonVersion.parse("3.15.0a3")
COMMIT, TAG, OTHER = "1" * 40, "2" * 40, "3" * 40
GO = f"/release go {TAG}"
INPUTS = {"git_remote": "hugovk", "git_commit": COMMIT, "cpython_release": "3.15.0a3"}


@dataclass
class Play:
    """A release that was cut, and those who take part in it."""

    scene: Scene
    lead: Lead

    def bot_says(self, *lines: str) -> None:
        """Let the bot comment on the issue."""
        bot = self.scene.world.github.app.bot.login
        self.scene.world.github.say(bot, UPSTREAM, self.scene.issue, "\n".join([f"{MARKER}cpython-3.15.0a3-1 -->", *lines]))

    def queued(self, commit: str, **more: str) -> Run:
        """Queue a run on Azure, and let it go on until it waits for an approval."""
        order = {"GitRemote": "hugovk", "SourceTag": "v3.15.0a3", "SourceCommit": commit, **more}
        run = self.scene.world.azure.queue("zooba", order)
        while self.scene.world.azure.advance(run.id):
            pass
        return run

    def calls_for(self, stage: str, run: Run) -> None:
        """Let the bot call the Windows expert."""
        self.bot_says("@zooba", "", f"The stage `{stage}` waits. Approve it at http://azure/_build/results?buildId={run.id}")


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    with stage(tmp_path, VERSION, None) as setting:
        async with World(tmp_path / "world") as world:
            hands = await _populated(world, setting)
            scene = Scene(world=world, stage=setting, timeline=TimelineForPrograms(io.StringIO()))
            lead = Lead(scene, hands)
            line = f"@hugovk It is time for `/release {VERSION}`."
            world.github.open_issue(world.github.app.bot.login, UPSTREAM, f"Release Python {VERSION}", body=line)
            assert await lead.go_on()
            scene.cut = Cut(version=VERSION, head=OTHER, commit=COMMIT, tag=TAG, tip=OTHER)
            yield Play(scene, lead)


def status_of(run: Run, stage: str) -> str:
    approval = run.stage(stage).approval
    return approval.status if approval else "nobody asked"


async def test_the_windows_expert_approves_only_what_the_bot_asks_for(play: Play) -> None:
    run, expert = play.queued(COMMIT), WindowsExpert(play.scene)
    assert not await expert.go_on()
    play.calls_for("Pack", run)
    assert not await expert.go_on()
    play.calls_for("Sign", run)
    assert await expert.go_on()
    assert status_of(run, "Sign") == "approved"
    assert not await expert.go_on()
    assert play.scene.refused == []


async def test_the_windows_expert_does_not_sign_another_commit(play: Play) -> None:
    run, expert = play.queued(OTHER), WindowsExpert(play.scene)
    play.calls_for("Sign", run)
    assert await expert.go_on()
    assert not await expert.go_on()
    assert status_of(run, "Sign") == "pending"
    [why] = play.scene.refused
    assert why.endswith(f"that builds {OTHER} and not {COMMIT}")


async def test_the_windows_expert_publishes_nothing_before_the_go(play: Play) -> None:
    expert = WindowsExpert(play.scene)
    early, later = (play.queued(COMMIT, DoPublish="true", BuildToPublish="build_to_publish") for _ in range(2))
    play.calls_for("Publish", early)
    assert await expert.go_on()
    assert status_of(early, "Publish") == "pending"
    assert [why.endswith("before anybody had said go") for why in play.scene.refused] == [True]
    play.scene.said.add(GO)
    play.calls_for("Publish", later)
    assert await expert.go_on()
    assert status_of(later, "Publish") == "approved"


@pytest.mark.parametrize("lacks", ["", "the run", "packages", "the commit", "the page"])
async def test_the_windows_expert_goes_to_the_store_only_with_packages_of_this_release(play: Play, lacks: str) -> None:
    expert, azure = WindowsExpert(play.scene), play.scene.world.azure
    azure.fill("cert", {})
    run = play.queued(OTHER if lacks == "the commit" else COMMIT, DoMSIX="false" if lacks == "packages" else "true")
    for signing in ("Sign", "Pack"):
        azure.approve("zooba", run.id, signing)
        while azure.advance(run.id):
            pass
    where = "" if lacks == "the run" else f"msixupload: http://azure/_build/results?buildId={run.id}"
    page = "" if lacks == "the page" else "https://partner.microsoft.com"
    play.bot_says("@zooba", "", f"Take the packages for the Store. {where} {page}", "", "```", "/release done store", "```")
    assert await expert.go_on()
    assert not await expert.go_on()
    acts = [act.what for act in play.scene.acts if act.who == "zooba"]
    if lacks:
        assert (len(play.scene.refused), acts) == (1, [])
    else:
        assert [what.partition(" ")[0] for what in acts] == ["submits", "renews", "comments"]
        assert play.scene.refused == []


async def test_the_macos_expert_wants_to_know_of_what_to_build(play: Play) -> None:
    expert = MacosExpert(play.scene)
    play.bot_says("@ned-deily", "", "Build it from v3.15.0a3.", "", "```", "/release done macos SHA256", "```")
    assert await expert.go_on()
    assert play.scene.refused == ["ned-deily was asked to build for macos, but not told tag and commit"]


async def test_the_macos_expert_says_of_which_bytes(play: Play) -> None:
    expert = MacosExpert(play.scene)
    play.bot_says("@ned-deily", "", f"Build it from v3.15.0a3, commit {COMMIT}.", "", "```", "/release done macos SHA256", "```")
    assert await expert.go_on()
    assert not await expert.go_on()
    [(name, content)] = play.scene.files.macos.items()
    assert play.scene.world.python_org.has(play.scene.files.path(name))
    assert f"/release done macos {hashlib.sha256(content).hexdigest()}" in play.scene.said


async def test_the_manager_approves_no_tag_but_their_own(play: Play) -> None:
    play.bot_says("@hugovk", "", f"`/release approve {OTHER}`")
    assert not await play.lead.go_on()
    assert play.scene.refused == [f"the bot asks for “/release approve {OTHER}”, but that is not the id of the tag that was made"]


def table(files: dict[str, bytes]) -> list[str]:
    return [f"| by | `{name}` | `{hashlib.sha256(content).hexdigest()}` |" for name, content in files.items()]


@pytest.mark.parametrize("spoilt", ["Python-3.15.0a3.tgz", "python-3.15.0a3-macos11.pkg"])
async def test_the_manager_does_not_say_go_to_other_bytes(play: Play, spoilt: str) -> None:
    await built(play)
    play.bot_says(*table({**play.scene.files.sources, **play.scene.files.macos, spoilt: b"other"}))
    play.bot_says("@hugovk", "", f"`{GO}`")
    assert await play.lead.go_on()
    [why] = play.scene.refused
    assert spoilt in why
    assert not await play.lead.go_on()


async def test_the_manager_does_not_say_go_to_what_is_not_told(play: Play) -> None:
    play.bot_says("@hugovk", "", f"`{GO}`")
    assert await play.lead.go_on()
    [why] = play.scene.refused
    assert "lacks ['Python-3.15.0a3.tgz', 'Python-3.15.0a3.tar.xz', 'python-3.15.0a3-macos11.pkg']" in why


async def built(play: Play, commit: str = COMMIT) -> None:
    """Let the workflow run to its end."""
    actions, machines = play.scene.world.github.actions, Machines(play.scene.world, play.scene.files)
    await actions.dispatch("hugovk", REPOSITORY, BUILD_RELEASE.file, "main", {**INPUTS, "git_commit": commit})
    while actions.runs(REPOSITORY)[0].status != "completed":
        machines.tick()


async def test_nothing_of_what_was_not_built_goes_unnoticed(play: Play) -> None:
    found = of_the_builders(play.scene)
    assert found == [
        "the workflow that builds the sources was started 0 times, not once",
        "the Windows pipeline had {} runs, not {'build': 1, 'publish': 1}",
        "python.org shows 0 releases with the name Python 3.15.0a3, not one",
    ]


async def test_nothing_of_what_was_built_twice_or_otherwise_goes_unnoticed(play: Play) -> None:
    await built(play)
    await built(play, OTHER)
    run = play.queued(COMMIT)
    publisher.list_files(play.scene.world, play.scene.files)
    play.scene.world.python_org.publish("Python 3.15.0a3")
    play.scene.world.python_org.unregister(play.scene.files.path("Python-3.15.0a3.tgz"))
    found = of_the_builders(play.scene)
    assert "the workflow that builds the sources was started 2 times, not once" in found
    assert any(sentence.endswith(f"built {OTHER}, not {COMMIT}") for sentence in found)
    assert "the Windows pipeline had {'build': 1} runs, not {'build': 1, 'publish': 1}" in found
    assert f"the run {run.name} on Azure ended with inProgress" in found
    assert f"the run {run.name} on Azure is kept by 0 leases, not by one" in found
    assert "python.org does not list Python-3.15.0a3.tgz" in found


async def test_a_release_that_was_never_taken_up_is_told_of_in_one_sentence(play: Play) -> None:
    refs = await play.scene.world.github.refs(UPSTREAM)
    assert await problems(play.scene, refs) == ["the bot never took up the release"]


async def test_what_somebody_does_without_showing_it_does_not_go_unnoticed(play: Play) -> None:
    scene, begun = play.scene, len(play.scene.world.log)
    scene.say(scene.stage.manager, "/release status", "it is shown")
    assert unshown([scene], begun) == []
    scene.world.github.say("zooba", UPSTREAM, scene.issue, "/release status")
    [found] = unshown([scene], begun)
    assert found.startswith("somebody did what is no row: ")
    assert "zooba" in found


async def test_an_act_that_the_bot_has_no_row_for_does_not_go_unnoticed(play: Play) -> None:
    play.scene.release = {"state": "done", "people": [{"who": ["zooba"], "what": "Approve it.", "done": "today"}]}
    found = await problems(play.scene, await play.scene.world.github.refs(UPSTREAM))
    assert any(sentence.startswith("hugovk had to do something and has no row of the bot: ") for sentence in found)


async def test_the_release_manager_merges_what_the_bot_was_not_let_merge_and_does_what_was_handed_over(play: Play) -> None:
    github, scene = play.scene.world.github, play.scene
    await github.set_ref("hugovk", SCHEDULE, "refs/heads/day", (await github.refs(SCHEDULE))["refs/heads/main"])
    await github.commit("hugovk", SCHEDULE, "day", {"DAY": "today"}, "Set the day")
    pull = github.issue(SCHEDULE, github.open_issue(github.app.bot.login, SCHEDULE, "The day", pull_request=True))
    pull.head, pull.base = "day", "main"
    others = ("Tick the mark of 3.15.0a3.", "If 3.15 is the newest series that is out, let the link current lead to it.")
    wanted = (f"Merge {github.server_url}/{SCHEDULE}/pull/1 into main of {SCHEDULE}.", "Announce Python 3.15.0a3.", *others)
    start = {"who": ["hugovk"], "what": "Start the release.", "since": "now", "done": "now"}
    scene.release = {"people": [start, *({**start, "what": what} for what in wanted)]}
    tidier, told = Tidier(scene, await _hands(scene.world, scene.stage)), len(scene.acts)
    assert [why for why in _of_what_was_handed(scene) if "Merge" in why or "Tick" in why]
    while await play.lead.go_on() or await tidier.go_on():
        continue
    assert pull.merged_by is github.user("hugovk")
    assert [act.what.split(" ")[0] for act in scene.acts[told:]] == ["reviews", "reads", "does"]
    # 3.15 is not out before its final release, so nothing has to lead to it.
    assert (scene.needless, list(_of_what_was_handed(scene))) == ({others[1]}, [])
