"""What the release manager does only after some releases: the commit by which main goes on, and what is left for people."""

import re
from typing import Final

from bot.rehearsal.next_series import development
from bot.rehearsal.release_manager import ReleaseManager
from bot.rehearsal.scene import Scene, asked_lines, plain

CHECKLIST: Final = "/release done checklist"

_DELETED: Final = re.compile(r"git push upstream --delete (?P<ref>refs/heads/[0-9.]+)")
OF_THE_LEAD: Final = ("Announce ", "Merge ")
"""How the rows begin that somebody else takes care of."""

_IF_NEWEST: Final = "If "
_ITEM: Final = re.compile(r"^- \[ \] (?P<item>.+)$", re.MULTILINE)


def is_newest(scene: Scene) -> bool:
    """Tell whether the series of this release is the newest one that is out, with this release."""
    version = scene.stage.version
    out = [name for name, entry in scene.world.peps.series.items() if entry["status"] in ("bugfix", "security")]
    own = [version.series] if version.text == version.base else []
    return version.series == max([*out, *own], key=lambda name: [int(number) for number in name.split(".")])


class Successor:
    """Makes main the next version, once the bot asks for it."""

    def __init__(self, scene: Scene, hands: ReleaseManager) -> None:
        """Take part in the scene, with these hands."""
        self._scene = scene
        self._hands = hands
        self._made = False

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        scene, who = self._scene, self._scene.stage.manager
        branch = development(scene.stage.version).working_branch
        asked = any(f"git push origin refs/heads/{branch}" in body for body in scene.calls(who))
        if self._made or scene.cut is None or not asked:
            return False
        self._made = True
        made = f"makes main {development(scene.stage.version)} by a commit on top of the tag"
        scene.act(
            who,
            f"{made}, and pushes {branch} to {scene.stage.manager.fork}",
            "the release tools open its files in an editor",
            could_bot=False,
        )
        answer = await self._hands.bump_main(scene.cut)
        if not answer.accepted:
            scene.refused.append(f"the fork refused {branch}: {answer.words.strip()}")
        return True


class Tidier:
    """Does what the bot lists for people at the end, and says so where that is waited for."""

    def __init__(self, scene: Scene, hands: ReleaseManager) -> None:
        """Take part in the scene, with these hands."""
        self._scene = scene
        self._hands = hands
        self._seen: set[str] = set()

    async def go_on(self) -> bool:
        """Do the next thing, and tell whether there was one."""
        return await self._do_the_checklist() or self._do_what_was_handed()

    def _do_what_was_handed(self) -> bool:
        """Do what the bot hands over at the end, one thing after the other, unless it is only for another series."""
        scene, who = self._scene, self._scene.stage.manager
        for what in scene.handed():
            if what in self._seen or what.startswith(OF_THE_LEAD):
                continue
            self._seen.add(what)
            if what.startswith(_IF_NEWEST) and not is_newest(scene):
                scene.needless.add(what)
                continue
            scene.act(who, f"does what no program can: {what}", "the bot has no rights there", could_bot=False, row=what)
            return True
        return False

    async def _do_the_checklist(self) -> bool:
        scene, who = self._scene, self._scene.stage.manager
        asked = any(CHECKLIST in asked_lines(body) for body in scene.calls(who))
        if CHECKLIST in scene.said or not asked:
            return False
        items = [plain(item) for body in scene.comments() for item in _ITEM.findall(body)]
        if not items:
            scene.said.add(CHECKLIST)
            scene.refused.append("the checklist was to be done, but nobody was told what is on it")
            return True
        # They are done in one sitting; whoever counts has to see how many they are, and which.
        told = " ".join(f"({number}) {item}" for number, item in enumerate(items, start=1))
        scene.act(who, f"does the {len(items)} things on the checklist: {told}", "the bot has no rights there", could_bot=False)
        for match in filter(None, map(_DELETED.search, items)):
            answer = await self._hands.delete_upstream(match["ref"])
            if not answer.accepted:
                scene.refused.append(f"{match['ref']} could not be deleted as the checklist says: {answer.words.strip()}")
        scene.say(who, CHECKLIST, "the release is not over before")
        return True
