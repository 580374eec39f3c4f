"""Who made the tag: what each series wants to see, and what no series accepts."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.rehearsal.keys import openpgp_key, ssh_key
from bot.rehearsal.repository import Identity
from tests.stories.story import Story
from tests.stories.telling import rarely, telling
from tests.stories.test_ordinary import carried

SOMEBODY = Identity(name="Some Body", email="somebody@rehearsal.invalid")


def listing(login: str, line: str) -> Callable[[str], str]:
    """Return a policy in which a person has one line more."""

    def change(text: str) -> str:
        return text.replace(f'login = "{login}"\n', f'login = "{login}"\n{line}\n')

    return change


async def refused(story: Story, *words: str) -> None:
    """See that the audit refuses the tag for a reason that the release manager is told."""
    await story.step("audit", "failed")
    await story.comment(f"@{story.manager}", "not authentic", *words)


async def test_an_alpha_may_be_signed_by_ssh(tmp_path: Path) -> None:
    key = ssh_key(tmp_path / "keys", SOMEBODY)
    async with telling(tmp_path, "3.15.0a3", policy=listing("hugovk", f'ssh_keys = ["{key.public}"]')) as story:
        cut = await story.opened(key=key)
        await story.approved(cut)
        release = await story.state("done")
        assert release["tag"]["signature"] == "ssh"
        assert "Signature | ssh by `hugovk`" in await story.status("Signature")


async def test_a_bugfix_release_must_be_signed(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.13.6") as story:
        unsigned = await story.opened(key=None)
        await refused(story, "It is not signed, but tags of this series must be signed by Yhg1s.")
        release = await story.release()
        assert [act["who"] for act in story.people(release)] == [["Yhg1s"]]
        too_early = story.say(f"/release approve {unsigned.tag}")
        await story.refusal(too_early, "no audited push plan")
        signed = await story.retagged(unsigned, key=story.setting.key)
        await story.approved(signed)
        release = await story.state("done")
        assert release["attempt"] == 2
        assert release["tag"]["signature"] == "openpgp"
        assert (await story.upstream())["refs/tags/v3.13.6"] == signed.tag


async def test_another_release_managers_signature_does_not_count(tmp_path: Path) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(openpgp_key(SOMEBODY))
        (tmp_path / "other.asc").write_text(other.public())

        def trusting(text: str) -> str:
            text = text.replace("A035 C8C1 9219 BA82 1ECE A86B 64E6 28F8 D684 696D", other.fingerprint)
            return text.replace('openpgp = ["manager.asc"]', 'openpgp = ["manager.asc", "other.asc"]')

        async with telling(tmp_path, "3.13.6", policy=trusting) as story:
            cut = await story.opened(key=other)
            await refused(story, other.fingerprint)
            again = await story.retagged(cut, key=story.setting.key)
            await story.approved(again)
            await story.state("done")


async def test_a_signature_of_nobody_is_worse_than_none(tmp_path: Path) -> None:
    with openpgp_key(SOMEBODY) as unknown:
        async with telling(tmp_path, "3.15.0a3") as story:
            cut = await story.opened(key=unknown)
            await refused(story)
            again = await story.retagged(cut)
            await story.approved(again)
            release = await story.state("done")
            assert release["tag"]["signature"] == "unsigned"


async def test_a_tampered_tag_is_refused(tmp_path: Path) -> None:
    key = ssh_key(tmp_path / "keys", SOMEBODY)
    async with telling(tmp_path, "3.15.0a3", policy=listing("hugovk", f'ssh_keys = ["{key.public}"]')) as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        cut = await story.hands_cut(key=key)
        tampered = await story.rewritten(cut, lambda content: content.replace(b"tagger Hugo", b"tagger Ugo"))
        await story.pushed_as_tag(tampered)
        await refused(story)
        await story.pushed(cut, force=True)
        await story.approved(cut)
        await story.state("done")


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"\ntag v3.15.0a3\n", b"\ntag v3.15.0a4\n", "v3.15.0a4"),
        rarely(b"\nPython 3.15.0a3\n", b"\nPython 3.14.0a3\n", "Its message begins with"),
    ],
    ids=["another name", "another message"],
)
async def test_a_tag_says_what_it_is(tmp_path: Path, before: bytes, after: bytes, why: str) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        cut = await story.hands_cut()
        await story.pushed_as_tag(await story.rewritten(cut, lambda content: content.replace(before, after)))
        await refused(story, why)
        await story.pushed(cut, force=True)
        await story.approved(cut)
        await story.state("done")


async def test_a_lightweight_tag_proves_nothing(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.15.0a3") as story:
        story.say("/release 3.15.0a3")
        await story.asked_to_cut()
        cut = await story.hands_cut()
        await story.pushed_as_tag(cut.commit)
        await story.comment("@hugovk", "is a lightweight tag", "git tag -a v3.15.0a3 -m 'Python 3.15.0a3'")
        await story.step("tag", "failed")
        await story.pushed(cut, force=True)
        await story.approved(cut)
        release = await story.state("done")
        assert release["attempt"] == 1


async def test_the_ordinary_story_is_told_of_security_releases_too(tmp_path: Path) -> None:
    async with telling(tmp_path, "3.12.13") as story:
        cut = await carried(story)
        assert (await story.upstream())["refs/tags/v3.12.13"] == cut.tag
        assert (await story.release())["kind"] == "security"
