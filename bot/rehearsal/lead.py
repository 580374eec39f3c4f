"""The leading part of a rehearsal: the release manager, who reads the bot's comments and does what those ask for, and nothing else."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from bot.rehearsal import publisher
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.scene import Scene, asked_lines
from bot.rehearsal.stage import UPSTREAM

_OBJECT: Final = re.compile(r"\b[0-9a-f]{40}\b")
_ASKED: Final = re.compile(r"/release (?:(?P<verb>approve|go) (?P<object>[0-9a-f]{40})|(?P<acknowledge>ack) (?P<digest>[0-9a-f]+))")
_BUILT: Final = re.compile(r"^\| [\w-]+ \| `(?P<name>[^`|]+)` \| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)
"""A row of the table of what was built."""

_TO_PUBLISH: Final = "add_to_pydotorg.py"
"""What the bot names when it asks for the publication."""


class Lead:
    """The release manager of one release."""

    def __init__(self, scene: Scene, hands: ReleaseManager) -> None:
        """Take part in the scene, with these hands."""
        self._scene = scene
        self._who = scene.stage.manager
        self._hands = hands
        self._published = False

    def begin(self) -> None:
        """Open the issue, and say the first word."""
        scene, version = self._scene, self._scene.stage.version
        why = "every release has an issue, where everybody can follow it"
        scene.act(self._who, f"opens an issue “Release Python {version}” in {UPSTREAM}", why, could_bot=True)
        scene.issue = scene.world.github.open_issue(self._who.login, UPSTREAM, f"Release Python {version}")
        scene.say(self._who, f"/release {version}", "somebody has to decide that it is time")

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        return await self._cut_if_told() or self._say_what_is_asked() or self._publish_if_asked()

    async def _cut_if_told(self) -> bool:
        scene, stage = self._scene, self._scene.stage
        head = None if scene.cut else self._announced_head()
        if head is None:
            return False
        version = stage.version
        await self._hands.fetch()
        signed = "signs the tag" if stage.key else "makes the annotated tag without a signature"
        why = "the release tools run on the manager's own machine" + (", where the key is" if stage.key else "")
        scene.act(self._who, f"cuts {version} from {version.branch} at {head[:12]} and {signed}", why, could_bot=False)
        scene.cut = await self._hands.cut(version, head, key=stage.key)
        pushed = f"pushes {version.working_branch} and {version.tag} to {stage.manager.fork}"
        scene.act(self._who, pushed, "the bot finds the tag there", could_bot=False)
        answer = await self._hands.push_to_fork(scene.cut)
        if not answer.accepted:
            scene.refused.append(f"the fork refused {', '.join(answer.refused()) or 'the push'}: {answer.words.strip()}")
        return True

    def _announced_head(self) -> str | None:
        for body in self._scene.comments():
            for line in body.splitlines():
                if re.search(r"\bcut\b", line, re.IGNORECASE) and (match := _OBJECT.search(line)):
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
                scene.say(self._who, line, f"it is the id that `git rev-parse {scene.stage.version.tag}` gives at home")
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
        wrong = [name for name, content in here.items() if name in shown and shown[name] != _digest(content)]
        missing = [name for name in (*scene.files.sources, *scene.files.macos) if name not in shown]
        scene.act(self._who, "compares the table of what was built with the files themselves", "two should have looked", could_bot=False)
        if wrong or missing:
            scene.said.add(line)
            scene.refused.append(f"the table of what was built is wrong about {wrong} and lacks {missing}, so nobody can say go")
            return
        scene.say(self._who, line, "everything is there, and from now on it becomes public")

    def _publish_if_asked(self) -> bool:
        scene = self._scene
        if self._published or not any(_TO_PUBLISH in body for body in scene.calls(self._who)):
            return False
        self._published = True
        world, files = scene.world, scene.files
        built = publisher.downloaded(world, files)
        account = "an account on the servers of python.org is needed"
        downloads = f"downloads {publisher.files_in_words(len(built))} that the workflow built, and uploads them"
        scene.act(self._who, downloads, account, could_bot=True)
        publisher.upload(world, files, built)
        number = publisher.files_in_words(len(files))
        who = "their own key and Sigstore identity" if scene.stage.key else "their own Sigstore identity"
        scene.act(self._who, f"signs {number}", f"it is {who} that vouches for them", could_bot=False)
        publisher.vouch(world, files)
        scene.act(self._who, f"lists {number} on python.org", "the page of the release shows them", could_bot=True)
        publisher.list_files(world, files)
        scene.act(self._who, f"publishes {publisher.release_name(files)} on python.org", "a person makes a release public", could_bot=False)
        publisher.publish(world, files)
        return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
