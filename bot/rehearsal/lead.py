"""The leading part of a rehearsal: the release manager, who reads the bot's comments and does what those ask for, and nothing else."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from bot.rehearsal import publisher
from bot.rehearsal.release_manager import Cut, ReleaseManager
from bot.rehearsal.scene import Scene, asked_lines
from bot.rehearsal.stage import UPSTREAM
from bot.rehearsal.turning_points import is_newest
from bot.rehearsal.versions import prior

_OBJECT: Final = re.compile(r"\b[0-9a-f]{40}\b")
_ASKED: Final = re.compile(r"/release (?:(?P<verb>approve|go) (?P<object>[0-9a-f]{40})|(?P<acknowledge>ack) (?P<digest>[0-9a-f]+))")
_BUILT: Final = re.compile(r"^\| [\w-]+ \| `(?P<name>[^`|]+)` \| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)
"""A row of the table of what was built."""

_TO_PUBLISH: Final = "add_to_pydotorg.py"
"""What the bot names when it asks for the publication."""

_LINK: Final = "let the link current in"
_LATEST: Final = "tick the mark of the latest release"
"""What it asks for with that, if the series is the newest that is out."""

_TO_ANNOUNCE: Final = "Announce "
"""How the bot's wish for an announcement begins."""

_TO_MERGE: Final = re.compile(r"Merge \S+/(?P<repository>[\w.-]+/[\w.-]+)/pull/(?P<number>[0-9]+) ")
"""How its wish begins that its own pull request be merged."""


class Lead:
    """The release manager of one release."""

    def __init__(self, scene: Scene, hands: ReleaseManager) -> None:
        """Take part in the scene, with these hands."""
        self._scene = scene
        self._who = scene.stage.manager
        self._hands = hands
        self._published = self._announced = self._merged = False

    def begin(self) -> None:
        """Wait: the bot opens the issue, because the schedule expects the release today; but for the end of a series, which it does not."""
        scene, version = self._scene, self._scene.stage.version
        if version.ends:
            title = f"The end of Python {version}"
            scene.act(self._who, f"opens an issue “{title}” in {UPSTREAM}", "no schedule tells the day of it", could_bot=False)
            scene.issue = scene.world.github.open_issue(self._who.login, UPSTREAM, title)
            scene.say(self._who, f"/release {version} --as eol", "only a person can decide that it is time")

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        if self._begin_if_called() or await self._cut_if_told():
            return True
        if self._say_what_is_asked() or self._publish_if_asked():
            return True
        return await self._merge_if_asked() or self._announce_if_asked()

    def _begin_if_called(self) -> bool:
        """Say the first word on the issue that the bot has opened for this version."""
        scene, first = self._scene, f"/release {self._scene.stage.version}"
        if scene.issue:
            return False
        for issue in scene.world.github.repository(UPSTREAM).issues.values():
            calls = re.search(rf"@{re.escape(self._who.login)}\b", issue.body)
            if issue.author.login == scene.world.github.app.bot.login and calls and first in asked_lines(issue.body):
                scene.issue = issue.number
                scene.say(self._who, first, "only a person can decide that it is time")
                return True
        return False

    async def _cut_if_told(self) -> bool:
        scene, stage = self._scene, self._scene.stage
        head = None if scene.cut else self._announced_head()
        if head is None:
            return False
        await self._hands.fetch()
        why = "a release comes from the manager's own machine" + (", where the key is" if stage.key else "")
        scene.act(self._who, self._making(head), why, could_bot=False)
        scene.cut = await self._cut(head)
        answer = await self._hands.push_to_fork(scene.cut)
        if not answer.accepted:
            scene.refused.append(f"the fork refused {', '.join(answer.refused()) or 'the push'}: {answer.words.strip()}")
        return True

    def _making(self, head: str) -> str:
        """Say how the tag is made."""
        version, fork = self._scene.stage.version, self._scene.stage.manager.fork
        signed = "signs the tag" if self._scene.stage.key else "makes the annotated tag without a signature"
        if version.ends:
            return f"{signed} {version.tag} at {head[:12]}, the last commit of its branch, and pushes it to {fork}"
        start = f"{prior(version).tag} with what was fixed since" if version.cut_from_last_candidate else f"{version.branch} at {head[:12]}"
        made = f"runs run_release.py: it cuts {version} from {start}, {signed}"
        return f"{made} and pushes {version.working_branch} and {version.tag} to {fork}"

    async def _cut(self, head: str) -> Cut:
        """Cut from the announced head; a later candidate from the one before it, with what was fixed since."""
        stage, before = self._scene.stage, prior(self._scene.stage.version).tag
        if not stage.version.cut_from_last_candidate:
            return await self._hands.cut(stage.version, head, key=stage.key)
        picks = await self._hands.fixes_since(before, head)
        return await self._hands.cut_cherry_picked(stage.version, before, picks, key=stage.key)

    def _announced_head(self) -> str | None:
        for body in self._scene.comments():
            for line in body.splitlines():
                if re.search(r"\bcut\b|\btag that ends\b", line, re.IGNORECASE) and (match := _OBJECT.search(line)):
                    return match[0]
        return None

    def _say_what_is_asked(self) -> bool:
        scene = self._scene
        for match in self._asked():
            line = match[0]
            if line in scene.said:
                continue
            if match["acknowledge"]:
                scene.say(self._who, line, "the findings are read, and none of them speaks against the release")
            elif scene.cut is None or match["object"] != scene.cut.tag:
                scene.said.add(line)
                scene.refused.append(f"the bot asks for “{line}”, but that is not the id of the tag that was made")
                continue
            elif match["verb"] == "go":
                self._say_go(line)
            else:
                scene.say(self._who, line, "only they can compare it with the tag that they have at home")
            return True
        return False

    def _asked(self) -> Iterator[re.Match[str]]:
        for body in self._scene.comments():
            yield from (match for line in asked_lines(body) if (match := _ASKED.fullmatch(line)))

    def _say_go(self, line: str) -> None:
        """Compare the table of what was built with what is known from elsewhere: the downloads, and what the expert wrote."""
        scene = self._scene
        here = publisher.downloaded(scene.world, scene.files) | scene.files.macos
        shown = {match["name"]: match["digest"] for body in scene.comments() for match in _BUILT.finditer(body)}
        # Nobody has to: the bot compares what it shows with what is published. Here it is seen that it shows the truth.
        wrong = [name for name, content in here.items() if name in shown and shown[name] != _digest(content)]
        missing = [name for name in (*scene.files.sources, *scene.files.macos) if name not in shown]
        if wrong or missing:
            scene.said.add(line)
            scene.refused.append(f"the table of what was built is wrong about {wrong} and lacks {missing}, so nobody can say go")
            return
        scene.say(self._who, line, "a person decides that it becomes public")

    def _publish_if_asked(self) -> bool:
        scene = self._scene
        call = next((body for body in scene.calls(self._who) if _TO_PUBLISH in body), "")
        if self._published or not call:
            return False
        self._published = True
        world, files = scene.world, scene.files
        built = publisher.downloaded(world, files)
        number = publisher.files_in_words(len(files))
        login = "signs {} with their own key and after one Sigstore login" if scene.stage.key else "signs {} after one Sigstore login"
        run = f"lets run_release.py go on: it uploads {publisher.files_in_words(len(built))} of the workflow, {login.format(number)}"
        newest = is_newest(scene)
        wanted = _LINK if newest and _LINK in call else ""
        link = f"; on the same server lets the link current lead to {files.version}" if wanted else ""
        scene.act(self._who, f"{run} and lists them{link}", "it is their identity that vouches for the files", could_bot=False, row=wanted)
        publisher.upload(world, files, built)
        publisher.vouch(world, files)
        publisher.list_files(world, files)
        wanted = _LATEST if newest and _LATEST in call else ""
        mark = ", with the mark of the latest release in the same form" if wanted else ""
        words = f"reads the page of {publisher.release_name(files)} on python.org, and publishes it{mark}"
        scene.act(self._who, words, "its words are a person's, and so is the account", could_bot=False, row=wanted)
        publisher.publish(world, files, latest=bool(wanted))
        return True

    async def _merge_if_asked(self) -> bool:
        """Merge the pull request of the bot that it could not merge itself; nothing waits for that."""
        asked = next((match for what in self._scene.handed() if (match := _TO_MERGE.match(what))), None)
        if self._merged or asked is None:
            return False
        self._merged = True
        what = f"reviews and merges {asked['repository']}#{asked['number']}, which says that the release was made"
        self._scene.act(self._who, what, "the bot was not let", could_bot=False, row=asked[0].strip())
        await self._scene.world.github.merge(self._who.login, asked["repository"], int(asked["number"]))
        return True

    def _announce_if_asked(self) -> bool:
        """Post what the bot has drafted, once it says so; nothing waits for that."""
        if self._announced or not any(what.startswith(_TO_ANNOUNCE) for what in self._scene.handed()):
            return False
        self._announced = True
        what = f"reads the drafts, announces {publisher.release_name(self._scene.files)} in the forum, and brings the post to the blog"
        self._scene.act(self._who, what, "the words are theirs, and so are the accounts", could_bot=False, row=_TO_ANNOUNCE)
        return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
