"""What python.org shows is confirmed, every byte of it, before branch and tag go upstream."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.rehearsal import publisher
from bot.rehearsal.faults import Fault, call, refuse
from bot.rehearsal.python_org import PythonOrg
from bot.rehearsal.release_files import INDEX
from bot.rehearsal.release_manager import Cut
from bot.release.ids import WorkKey
from bot.state import dump, load
from bot.store.claim import Claim
from bot.store.store import Store
from tests.stories import building
from tests.stories.story import Story
from tests.stories.telling import telling

NAME = "Python 3.15.0a3"
TGZ, PKG, MANIFEST = "Python-3.15.0a3.tgz", "python-3.15.0a3-macos11.pkg", "windows-3.15.0a3.json"
FTP = "/ftp/python/3.15.0/"
RELEASES = "/api/v1/downloads/release/"


def without_pipeline(text: str) -> str:
    """Leave the pipeline of Windows out of a profile, with what it publishes, and what comes after the push: that is told elsewhere."""
    text = re.sub(r'^\[\[step\]\]\nname = "(?:windows|store|wrap-up|checklist).*\n(?:(?!\[).*\n)*', "", text, flags=re.MULTILINE)
    text = text.replace('needs = ["source", "windows", "macos"]', 'needs = ["source", "macos"]').replace(', "windows-publish"]', "]")
    return text.replace('"windows-installer", "windows-embeddable", ', "")


def site(story: Story) -> PythonOrg:
    """Return python.org."""
    return story.world.python_org


def names(story: Story) -> list[str]:
    """Return the files of these stories."""
    return [name for name in story.files if not name.endswith((".exe", ".zip"))]


def asked(story: Story, name: str = "") -> int:
    """Return how often a file, or any, was asked for."""
    return sum(request.path == FTP + name if name else request.path.startswith(FTP) for request in story.world.requests)


def companions(story: Story) -> list[str]:
    """Return what vouches for the files of these stories."""
    return [other for name in names(story) for other in story.files.companions(name)]


@asynccontextmanager
async def gone(tmp_path: Path, *, deferred: bool = False, gap: float = 0.05, without: str = "none") -> AsyncIterator[tuple[Story, Cut]]:
    """Tell a release from the go on, and see that nothing was ever asked for before it was listed, and nothing twice without need."""

    def policy(text: str) -> str:
        text = without_pipeline(text).replace(f'"{without}", ', "")
        text = re.sub(rf", since = {{[^{{}}]*{without}[^{{}}]*}}", "", text)
        return re.sub("^confirm_gap = .*$", f"confirm_gap = {gap}", text, flags=re.MULTILINE)

    async with telling(tmp_path, "3.15.0a3", policy=policy, whole=True) as story:
        cut = await story.opened()
        await story.approved(cut)
        if deferred:
            await story.comment("/release done macos")
            story.say("/release defer macos the notary is on holiday")
        else:
            await building.made(story)
        await story.comment(f"/release go {cut.tag}")
        story.say(f"/release go {cut.tag}")
        await story.comment("python.org does not show Python 3.15.0a3 to everybody yet", "@hugovk")
        assert asked(story) == 0
        yield story, cut
        listed = {file.url.removeprefix("https://www.python.org") for file in site(story).tables.files.values()}
        listed |= {FTP + other for other in companions(story)}
        listed |= {f"/ftp/python/{name}" for name in story.files.index(None)}
        assert {request.path for request in story.world.requests if request.path.startswith("/ftp/")} <= listed


def uploaded(story: Story) -> None:
    """Upload and sign everything, as its builders made it."""
    built = publisher.downloaded(story.world, story.files)
    publisher.upload(story.world, story.files, built)
    for path, content in story.files.index(None).items():
        site(story).upload(path, content)
    for name in names(story):
        if not site(story).has(FTP + name):
            site(story).upload(FTP + name, story.files[name])
        for other, content in story.files.companions(name).items():
            site(story).upload(FTP + other, content)


def drafted(story: Story, *left_out: str) -> None:
    """Create the release as a draft, and list its files."""
    site(story).create_release(NAME)
    for name in names(story):
        if name not in left_out:
            site(story).register(NAME, FTP + name)


def published(story: Story, *left_out: str) -> None:
    """Upload, sign, list and publish everything."""
    uploaded(story)
    drafted(story, *left_out)
    site(story).publish(NAME)


async def ends_well(story: Story, cut: Cut) -> None:
    """See that the release goes upstream."""
    await story.state("done")
    assert (await story.upstream())["refs/tags/v3.15.0a3"] == cut.tag


def kept(folder: Path) -> list[Path]:
    """Return what the bot keeps of files that are to be proved."""
    return [path for path in folder.rglob("published/*/*") if path.is_file()]


async def recalled(story: Story) -> None:
    """End the release here."""
    story.say("/release abort this story is told")
    await story.comment("wants to recall 3.15.0a3")
    story.say("/release abort it is", by="pablogsal")
    await story.state("aborted")
    await story.comment("was recalled after its go", "off python.org")


async def several_looks(story: Story) -> None:
    """Wait until the list was read several times more."""

    def looks() -> int:
        return sum(request.path == RELEASES for request in story.world.requests)

    before = looks()

    async def there() -> bool:
        return looks() >= before + 3

    await story.until("several looks at the list", there)


async def test_a_draft_is_not_published_although_everybody_sees_it(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        uploaded(story)
        drafted(story)
        async with aiohttp.ClientSession() as visitor, visitor.get(f"{site(story).url}/downloads/release/python-3150a3/") as page:
            assert page.status == 200
        await several_looks(story)
        assert asked(story) == 0
        site(story).publish(NAME)
        await ends_well(story, cut)
        assert {asked(story, name) for name in (*names(story), *companions(story))} == {2}
        step = await story.step("publication", "passed")
        assert "38 of 38 proofs of its signatures, archives and origins hold." in step["why"]


async def test_missing_files_are_named_to_those_who_make_them(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        astray = "python-3.15.0a3-macos10.pkg"
        site(story).upload(FTP + astray, b"spam")
        uploaded(story)
        drafted(story, PKG, MANIFEST)
        entry = site(story).register(NAME, FTP + astray, name="spam", slug="spam")
        site(story).publish(NAME)
        call = await story.comment("without all the files it has to have", f"/release waive publication {cut.tag}")
        assert {f"@{login}" for login in ("hugovk", "zooba", "ned-deily")} <= set(call.split())
        await story.status(
            f"Files are not listed on python.org: {PKG}; {MANIFEST}.", f"that this release does not have: `3.15.0/{astray}`."
        )
        await several_looks(story)
        assert asked(story) == 0
        entry.release = site(story).create_release("Python 0.0.0")
        site(story).register(NAME, FTP + MANIFEST)
        await story.status(f"Files are not listed on python.org: {PKG}.")
        await several_looks(story)
        site(story).register(NAME, FTP + PKG)
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_who_makes_what_is_missing_now_is_called_as_well(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        published(story, PKG)
        call = await story.comment("without all the files it has to have")
        assert "@ned-deily" in call
        assert "@zooba" not in call
        site(story).unregister(FTP + TGZ)
        await story.status(f"Files are not listed on python.org: {TGZ}; {PKG}.")
        await several_looks(story)
        site(story).unregister(FTP + MANIFEST)
        assert "@zooba" in await story.comment("without all the files it has to have")
        for name in (TGZ, PKG, MANIFEST):
            site(story).register(NAME, FTP + name)
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_nobody_is_called_while_the_list_is_changing(tmp_path: Path) -> None:
    async with gone(tmp_path, gap=3600) as (story, _):
        published(story, PKG)
        await story.status("It lists the release without all of its files; whether more are to come is seen at")
        site(story).unregister(FTP + TGZ)
        await several_looks(story)
        assert asked(story) == 0
        for name in (PKG, TGZ):
            site(story).register(NAME, FTP + name)
        await story.status("Everything that is listed was read; it has to stay as it is until")
        await recalled(story)
        assert asked(story, TGZ) == 1


async def test_a_second_person_lets_the_release_go_without_a_file(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        published(story, PKG)
        await story.comment("without all the files it has to have")
        own = story.say(f"/release waive publication {cut.tag} nobody has a Mac")
        await story.refusal(own, "A waiver needs a second person")
        story.say(f"/release waive publication {cut.tag} nobody has a Mac", by="pablogsal")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 2
        await story.status("**Waived** by `pablogsal`", "nobody has a Mac")


async def test_what_was_put_off_may_follow_later(tmp_path: Path) -> None:
    async with gone(tmp_path, deferred=True) as (story, cut):
        published(story, PKG)
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_a_file_of_which_nobody_told_is_acknowledged(tmp_path: Path) -> None:
    async with gone(tmp_path, deferred=True) as (story, cut):
        published(story)
        body = await story.comment("Nobody who builds told the hash of files", PKG, "/release ack ")
        ack = re.search(r"^/release ack [0-9a-f]+$", body, re.MULTILINE)
        assert ack, body
        await several_looks(story)
        assert asked(story, PKG) == 1
        story.say(ack[0])
        await ends_well(story, cut)


async def test_one_bit_is_enough_and_a_look_again_is_asked_for(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        uploaded(story)
        drafted(story)
        site(story).corrupt(FTP + TGZ)
        site(story).publish(NAME)
        await story.comment("Files do not have the hash that python.org states", TGZ, f"/release waive publication {cut.tag} REASON")
        await several_looks(story)
        assert asked(story, TGZ) == 1, "what is wrong is not read again by the clock"
        site(story).corrupt(FTP + TGZ)
        story.say("/release retry publication")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 3


@pytest.mark.chaos
async def test_the_list_tells_by_itself_that_it_was_mended(tmp_path: Path) -> None:
    extra = "python-3.15.0a3-spam.exe"
    async with gone(tmp_path) as (story, cut):
        site(story).upload(FTP + extra, b"spam")
        uploaded(story)
        drafted(story)
        entry = site(story).register(NAME, FTP + extra)
        site(story).change(NAME, pre_release=False, is_published=True)
        wrong = "Files are listed on python.org that this release does not have"
        await story.comment("The pre-release mark is wrong", wrong, extra, f"/release waive publication {cut.tag} REASON")
        site(story).change(NAME, pre_release=True)
        await story.comment(wrong, extra)
        entry.release = site(story).create_release("Python 0.0.0")
        await ends_well(story, cut)


async def test_what_was_built_is_what_is_published_or_a_second_person_says_why(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        uploaded(story)
        for name in (TGZ, PKG):
            site(story).upload(FTP + name, b"another one")
        drafted(story)
        site(story).publish(NAME)
        wrong = hashlib.sha256(b"another one").hexdigest()
        told = hashlib.sha256(story.files[PKG]).hexdigest()
        await story.comment(f"{PKG}`: SHA-256 is {wrong}, that of macos is {told}", f"{TGZ}`: SHA-256 is {wrong}, that of source is ")
        own = story.say(f"/release waive publication {cut.tag} they are better")
        await story.refusal(own, "A waiver needs a second person")
        story.say(f"/release waive publication {cut.tag} they are better", by="pablogsal")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 2


@pytest.mark.chaos
async def test_a_file_is_another_one_at_the_second_look(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):

        async def swap() -> None:
            site(story).corrupt(FTP + TGZ)

        story.world.faults.add(Fault(action=call(before=swap), path=f"^{FTP}{TGZ}$", skip=1))
        published(story)
        await story.comment("Files do not have the hash that python.org states", TGZ)
        site(story).corrupt(FTP + TGZ)
        story.say("/release retry publication")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 5, "a second look that found something does not count, and what it found is read once more to be proved"


@pytest.mark.chaos
async def test_a_list_that_changes_before_the_push_is_confirmed_anew(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):

        async def change() -> None:
            site(story).change_file(FTP + TGZ, description="It's only a model")

        story.world.faults.add(Fault(action=call(before=change), path=f"^{FTP}{TGZ}$", skip=1))
        published(story)
        await story.comment("Since the publication on python.org was confirmed", TGZ, "was changed", "Nothing was pushed")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 4


@pytest.mark.chaos
async def test_a_file_that_is_remembered_as_missing_is_not_asked_for_again(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        async with aiohttp.ClientSession() as visitor, visitor.get(f"{site(story).url}{FTP}{TGZ}") as early:
            assert early.status == 404
        published(story)
        purge = f"`curl -X PURGE https://www.python.org{FTP}{TGZ}`"
        await story.comment("Files are listed but not handed out", TGZ, purge, "/release retry publication")
        await several_looks(story)
        assert asked(story, TGZ) == 2, "the visitor and the bot, once"
        site(story).purge(FTP + TGZ)
        story.say("/release retry publication")
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_an_old_copy_is_read_again_only_when_somebody_says_that_it_was_purged(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        bundle = f"{TGZ}.sigstore"
        for name in (TGZ, bundle):
            site(story).upload(FTP + name, b"an earlier try")
            async with aiohttp.ClientSession() as visitor, visitor.get(f"{site(story).url}{FTP}{name}") as early:
                assert early.status == 200
            site(story).upload(FTP + name, b"")
        uploaded(story)
        site(story).upload(FTP + TGZ, story.files[TGZ])
        drafted(story)
        site(story).publish(NAME)
        await story.comment("Files do not have the hash that python.org states", f"`curl -X PURGE https://www.python.org{FTP}{TGZ}`")
        site(story).purge(FTP + TGZ)
        site(story).purge(FTP + bundle)
        await several_looks(story)
        assert asked(story, TGZ) == 2, "the visitor and the bot, once"
        story.say("/release retry publication")
        await ends_well(story, cut)
        assert asked(story, TGZ) == 4


@pytest.mark.chaos
async def test_nobody_is_called_while_python_org_is_silent(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        faults = story.world.faults

        async def fall_silent() -> None:
            faults.add(Fault(action=refuse(503), path=f"^{RELEASES}$", times=2))

        before_the_push = Fault(action=call(before=fall_silent), path=f"^{FTP}{TGZ}$", skip=1)
        faults.add(before_the_push)
        await fall_silent()
        await story.step("publication", "waiting")
        faults.add(Fault(action=refuse(503), path="^/api/v1/downloads/release_file/$", times=2))
        published(story)
        await ends_well(story, cut)
        assert before_the_push.times == 0
        assert asked(story, TGZ) == 2


@pytest.mark.chaos
async def test_a_file_that_cannot_be_read_has_nothing_else_read_again(tmp_path: Path) -> None:
    async with gone(tmp_path, gap=3600) as (story, _):
        uploaded(story)
        drafted(story)
        busy = Fault(action=refuse(429), path=f"^{FTP}{PKG}$", times=10_000)
        story.world.faults.add(busy)
        story.world.faults.add(Fault(action=refuse(404), path=f"^{FTP}{TGZ}$"))
        site(story).publish(NAME)
        await story.step("publication", "waiting")
        await story.status("1 of the ", "cannot be read at the moment")
        for _ in range(3):
            await several_looks(story)
        assert story.people(await story.release()) == [], "nobody has to publish any more"
        assert {asked(story, name) for name in (*names(story), *companions(story)) if name not in (PKG, MANIFEST)} == {1}
        assert asked(story, PKG) > 3
        busy.times = 0
        await story.comment("Files are listed but not handed out", TGZ, "/release retry publication")
        assert asked(story, TGZ) == 1
        story.say("/release retry publication")
        await story.status("Everything that is listed was read; it has to stay as it is until")
        assert asked(story, TGZ) == 2
        await recalled(story)


@pytest.mark.chaos
async def test_who_asks_for_a_look_has_everything_read_again(tmp_path: Path) -> None:
    async with gone(tmp_path, gap=3600) as (story, _):
        busy = Fault(action=refuse(429), path=f"^{FTP}{PKG}$", times=10_000)
        story.world.faults.add(busy)
        published(story)
        await story.status("1 of the ", "cannot be read at the moment")
        await story.agreed(story.say("/release retry publication"))
        busy.times = 0
        await story.status("Everything that is listed was read; it has to stay as it is until")
        assert asked(story, TGZ) == 2
        await recalled(story)


@pytest.mark.chaos
async def test_who_asks_for_a_look_while_something_else_is_silent_has_everything_read_once(tmp_path: Path) -> None:
    async with gone(tmp_path, gap=3600) as (story, _):
        published(story)
        await story.status("Everything that is listed was read; it has to stay as it is until")
        silent = Fault(action=refuse(429), path=f"^/ftp/python/{INDEX}$", times=1_000_000)
        story.world.faults.add(silent)
        await story.agreed(story.say("/release retry publication"))
        await story.status("index-windows.json could not be read")
        assert kept(tmp_path)
        for _ in range(3):
            await several_looks(story)
        assert {asked(story, name) for name in (TGZ, PKG, f"{TGZ}.sigstore")} == {2}
        silent.times = 0
        await story.status("Everything that is listed was read; it has to stay as it is until")
        assert asked(story, TGZ) == 2
        assert "release manifest" not in str((await story.release())["steps"]), "it is not held for a manifest that was not kept"
        silent.times = 1_000_000
        await story.agreed(story.say("/release retry publication"))
        await story.status("index-windows.json could not be read")
        await recalled(story)
        assert not kept(tmp_path), "nothing is left of a release that was given up"


@pytest.mark.chaos
async def test_what_vouches_for_a_file_is_read_as_well(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        bundle = f"{TGZ}.sigstore"
        story.world.faults.add(Fault(action=refuse(404), path=f"^{FTP}{bundle}$"))
        published(story)
        await story.comment("Files are listed but not handed out", bundle, "/release retry publication")
        await several_looks(story)
        assert asked(story, bundle) == 1
        story.say("/release retry publication")
        await ends_well(story, cut)


@pytest.mark.chaos
async def test_another_signature_at_the_second_look_is_read_twice_again(tmp_path: Path) -> None:
    async with gone(tmp_path) as (story, cut):
        bundle = f"{TGZ}.sigstore"

        again = story.setting.workshop.bundle(story.files.sources[TGZ])
        assert again != story.files.companions(TGZ)[bundle]

        async def swap() -> None:
            site(story).upload(FTP + bundle, again)
            site(story).purge(FTP + bundle)

        story.world.faults.add(Fault(action=call(before=swap), path=f"^{FTP}{bundle}$", skip=1))
        published(story)
        await ends_well(story, cut)
        assert asked(story, bundle) == 4


@pytest.mark.chaos
async def test_what_comes_back_after_it_was_withdrawn_is_read_twice_again(tmp_path: Path) -> None:
    # Without the manifest nothing at all is found, which would be another reason to begin anew.
    async with gone(tmp_path, without="windows-manifest") as (story, cut):

        async def withdraw() -> None:
            site(story).withdraw(NAME)

        story.world.faults.add(Fault(action=call(before=withdraw), path=f"^{FTP}{TGZ}$"))
        published(story, MANIFEST)
        await story.comment("python.org does not show Python 3.15.0a3 to everybody yet")
        assert asked(story, TGZ) == 1
        site(story).publish(NAME)
        await ends_well(story, cut)
        assert asked(story, TGZ) == 3, "the first time does not count any more"


@pytest.mark.chaos
async def test_what_a_bot_read_that_could_not_prove_yet_is_read_anew_and_proved(tmp_path: Path) -> None:
    """New code is deployed in the middle of a release: what the old one did not prove was not proved."""
    async with gone(tmp_path, gap=3.0) as (story, cut):
        published(story)
        await story.status("it has to stay as it is until")
        await story.stop_bot()
        await unproved(story)
        await story.start_bot()
        await ends_well(story, cut)
        assert asked(story, TGZ) == 3, "once by the old one, and twice by the new one"


async def unproved(story: Story) -> None:
    """Take away what the release remembers of its proofs, as if they had not been made."""
    store = await Store.open(f"sqlite:///{story.directory / 'home' / 'bot.sqlite3'}")
    done = asyncio.Event()

    async def look(claim: Claim) -> None:
        if claim.key == f"cpython#{story.issue}":
            await claim.save(dump(replace(load(claim.state or ""), proofs=())), live=True)
            done.set()

    running = asyncio.create_task(store.run(look, parallel=1))
    await store.wake(WorkKey(f"cpython#{story.issue}"))
    await asyncio.wait_for(done.wait(), 10)
    await store.close()
    await running
