"""What the bot hears, whom it obeys, and what it answers everybody else."""

from pathlib import Path

from bot.rehearsal.faults import Fault, refuse
from bot.rehearsal.stage import UPSTREAM
from tests.stories.story import Story
from tests.stories.telling import telling

MEMBERSHIP = r"^/orgs/python/teams/release-managers/memberships/"

TALK_ABOUT_COMMANDS = (
    "> /release 3.15.0a3",
    "```\n/release 3.15.0a3\n```",
    "    /release 3.15.0a3",
    "<!-- /release 3.15.0a3 -->",
    "<!--\n/release 3.15.0a3\n-->",
    "`/release 3.15.0a3` starts it",
    "We should say /release 3.15.0a3 soon",
    "- /release 3.15.0a3",
    "# /release 3.15.0a3",
    "/rebase",
    "release 3.15.0a3",
)


async def nothing_is_open(story: Story) -> None:
    """See that no release was started and nothing is frozen."""
    assert await story.release() == {}
    assert story.freezes() == []


async def test_talk_about_commands_is_no_command(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        said = [story.say(body) for body in TALK_ABOUT_COMMANDS]
        await story.later()
        assert [story.reactions(comment) for comment in said] == [set()] * len(said)
        await nothing_is_open(story)


async def test_a_misspelt_command_gets_a_hint(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        for body, hint in (
            ("/relaese 3.15.0a3", "Did you mean `/release 3.15.0a3`?"),
            ("/release v3.15.0a3", "Did you mean `/release 3.15.0a3`?"),
            ("/release aprove 0000000000000000000000000000000000000000", "`/release approve 0000000000000000000000000000000000000000`"),
            ("/release approve 00000000", "exactly 40 lower-case hexadecimal digits"),
            ("/release 3.15.0a3 --as banana", "is not a kind of release"),
            ("/release 3.15.0a3\n/release status", "more than one command"),
            ("/release halt", "REASON is missing"),
            ("/release 3.15.0a3 please", "is too much for this command"),
            ("/unfreeze branch-7", "is not a branch that I freeze"),
        ):
            comment = story.say(body)
            await story.reaction(comment, "confused")
            await story.answer(comment, hint, "`/release help` lists the commands")
        await nothing_is_open(story)


async def test_who_may_start_a_release(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        github.add_user("dependabot[bot]", type="Bot")
        github.join_team("pablogsal", *story.setting.team, state="pending")
        github.join_team("coredev", *story.setting.team)
        for login, why in (
            ("stranger", "the profile does not list stranger as one"),
            ("coredev", "the profile does not list coredev as one"),
            ("pablogsal", "not an active member of the release team"),
        ):
            await story.refusal(story.say("/release 3.15.0a3", by=login), why)
        through_app = github.say("hugovk", UPSTREAM, story.issue, "/release 3.15.0a3", through_app=True)
        await story.refusal(through_app, "written through another App")
        by_bot = story.say("/release 3.15.0a3", by="dependabot[bot]")
        await story.reaction(by_bot, "-1")
        await nothing_is_open(story)


async def test_strangers_may_not_ask_either_but_get_no_answer(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        for line in ("/release status", "/release help"):
            await story.reaction(story.say(line, by="stranger"), "-1")
        await story.later()


async def test_an_edited_comment_is_no_command(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        changed = story.say("/release 3.15.0a2")
        github.edit("hugovk", changed, "/release 3.15.0a3")
        await story.refusal(changed, "I act on unedited comments only")
        smuggled = story.say("Thank you all!", by="coredev")
        github.edit("hugovk", smuggled, "/release 3.15.0a3")
        await story.refusal(smuggled, "I act on unedited comments only")
        withdrawn = story.say("/release 3.15.0a3")
        github.edit("hugovk", withdrawn, "never mind")
        deleted = story.say("/release 3.15.0a3")
        github.delete("hugovk", deleted)
        await story.later()
        assert story.reactions(withdrawn) == set()
        await nothing_is_open(story)


async def test_editing_or_deleting_an_obeyed_comment_changes_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        opening = story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        story.world.github.edit("hugovk", opening, "/release abort I was never here")
        cut = await story.cut()
        await story.comment("/release approve", cut.tag)
        refused = story.say("/release approve 0000000000000000000000000000000000000000")
        await story.refusal(refused, "not the tag object of this release")
        story.world.github.edit("hugovk", refused, f"/release approve {cut.tag}")
        await story.later()
        assert (await story.release())["state"] == "running"
        approval = story.say(f"/release approve {cut.tag}")
        await story.agreed(approval)
        story.world.github.delete("hugovk", approval)
        await story.state("done")
        await story.reaction(opening, "+1")


async def test_an_approval_names_the_tag_object(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        commit = story.say(f"/release approve {cut.commit}")
        await story.refusal(commit, "That is the commit the tag points to", f"/release approve {cut.tag}")
        short = story.say(f"/release approve {cut.tag[:12]}")
        await story.reaction(short, "confused")
        await story.answer(short, "exactly 40")
        stranger = story.say(f"/release approve {cut.tag}", by="coredev")
        await story.refusal(stranger, "Only a release manager may do this")
        assert (await story.release())["state"] == "running"
        stand_in = story.say(f"/release approve {cut.tag}", by="pablogsal")
        await story.answer(stand_in, "pablogsal acts as a stand-in here, because the release belongs to hugovk", about="warning")
        await story.state("done")


async def test_one_release_for_each_issue_version_and_branch(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        too_early = story.say("/release status")
        await story.refusal(too_early, "No release was opened on this issue")
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        again = story.say("/release 3.15.0a3")
        await story.refusal(again, "This issue already carries the release of 3.15.0a3")
        elsewhere = story.open_issue()
        for line in ("/release 3.15.0a3", "/release 3.15.0a4"):
            comment = story.say(line, issue=elsewhere)
            await story.refusal(comment, "3.15.0a3", f"#{story.issue}", issue=elsewhere)
        lost = story.say(f"/release approve {cut.tag}", issue=elsewhere)
        await story.refusal(lost, "No release was opened on this issue", issue=elsewhere)
        assert (await story.release())["state"] == "running"
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        late = story.say("/release 3.15.0a4")
        await story.refusal(late, "The release of 3.15.0a3 on this issue is done")


async def test_asking(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        await story.answer(story.say("/release help", by="pablogsal"), "`/release VERSION [--as KIND]`", "`/unfreeze BRANCH`")
        cut = await story.opened()
        await story.comment("/release approve", cut.tag)
        await story.answer(story.say("/release status"), "3.15.0a3 is running", "The step approve waits for a person")
        story.say(f"/release approve {cut.tag}")
        await story.state("done")
        await story.answer(story.say("/release status"), "3.15.0a3 is done", "nothing is frozen")


async def test_versions_that_cannot_be_released(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        for line, why in (
            ("/release 3.99.0a1", "The profile cpython says nothing about 3.99"),
            ("/release 3.13 --as eol", "bugfix"),
            ("/release azure-core 1.30.0", "cpython has no packages of their own versions"),
        ):
            await story.refusal(story.say(line), why)
        await nothing_is_open(story)


async def test_a_version_that_is_out_already(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a2")
        await story.comment("@hugovk", "The tag v3.15.0a2 exists upstream already; take the next version")
        story.say("/release abort it is out")
        await story.status("was aborted")


async def test_the_kind_is_named_where_the_lifecycle_cannot_be_read(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as story:
        away = story.world.faults.add(Fault(action=refuse(503), path=r"^/api/release-cycle\.json$", times=1_000))
        unclear = story.say("/release 3.13.6")
        await story.refusal(unclear, "--as")
        away.times = 0
        story.say("/release 3.13.6 --as bugfix")
        await story.asked_to_cut()
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")


async def test_a_look_up_that_fails_for_a_moment(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.world.faults.add(Fault(action=refuse(503), path=MEMBERSHIP, times=2))
        opening = story.say("/release 3.15.0a3")
        await story.agreed(opening)
        await story.asked_to_cut()
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")


async def test_a_look_up_that_fails_for_too_long(tmp_path: Path) -> None:
    def impatient(text: str) -> str:
        return text.replace("authority_patience = 2", "authority_patience = 0.3")

    async with telling(tmp_path, "3.15.0a3", policy=impatient) as story:
        away = story.world.faults.add(Fault(action=refuse(503), path=MEMBERSHIP, times=1_000))
        opening = story.say("/release 3.15.0a3")
        await story.refusal(opening, "GitHub could not tell", "please try again")
        away.times = 0
        # Whatever brings the refused comment again, it stays refused.
        await story.swept()
        await nothing_is_open(story)
        again = story.say("/release 3.15.0a3")
        await story.agreed(again)
        await story.asked_to_cut()
        story.say("/release abort enough")
        await story.state("aborted")


async def test_the_status_comment_is_deleted(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        [status] = [one for one in story.world.github.comments(UPSTREAM, story.issue) if "<!-- about=status -->" in one.body]
        story.world.github.delete("coredev", status.id)
        cut = await story.cut()
        await story.approved(cut)
        await story.state("done")
        assert "done" in await story.status("is upstream: branch main and tag v3.15.0a3")


async def test_nobody_is_obeyed_by_name(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        github = story.world.github
        github.user("hugovk").login = "hugovk-formerly"
        github.add_user("hugovk")
        github.join_team("hugovk", *story.setting.team)
        impostor = story.say("/release 3.15.0a3", by="hugovk")
        await story.refusal(impostor, "the profile does not list hugovk as one")
        await nothing_is_open(story)
