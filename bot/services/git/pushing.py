"""One push of a set of exact ids, all or nothing, each with the old id it expects (https://git-scm.com/docs/git-push).

A report is only what was heard. What became of the refs is known by reading them.
"""

from collections.abc import Sequence
from typing import Final

from bot.errors import Unavailable
from bot.release.facts import PlannedRef
from bot.release.ids import ObjectId
from bot.services.git.errors import GitError, ObjectMissing, TooLarge
from bot.services.git.model import PushedRef, PushReport, PushStatus
from bot.services.git.names import object_id, ref
from bot.services.git.objects import Objects
from bot.services.git.process import Answer
from bot.services.git.remote import REMOTE, Remote, nothing_was_sent
from bot.services.git.scratch import Scratch
from bot.services.git.scrub import one_line

_STATUS: Final = {" ": PushStatus.UPDATED, "*": PushStatus.CREATED, "=": PushStatus.UNCHANGED, "!": PushStatus.REFUSED}
_UNHEARD: Final = "[remote failure]"
_LONGEST_MESSAGE: Final = 600


class Pushing:
    """Pushes out of the scratch repository."""

    def __init__(self, scratch: Scratch, objects: Objects) -> None:
        """Remember where to take things from."""
        self._scratch = scratch
        self._objects = objects

    async def push(self, target: Remote, plan: Sequence[PlannedRef], known: Sequence[str] = ()) -> PushReport:
        """Push the plan; see ``Git.push``."""
        _check(plan)
        if objections := await self._objections(plan):
            return _not_tried(plan, objections)
        if gaps := await self._objects.missing_for((row.new for row in plan), [*known, *(row.old for row in plan if row.old)]):
            raise ObjectMissing(
                f"{len(gaps)} objects of what is to be pushed, for example {gaps[0]}, are not here; they have to be fetched."
            )
        leases = [f"--force-with-lease={row.ref}:{row.old or ''}" for row in plan]
        wishes = [f"{row.new}:{row.ref}" for row in plan]
        try:
            answer = await self._scratch.talk(
                *("push", "--atomic", "--porcelain", "--no-verify", "--no-thin", "--no-progress", "--no-signed", "--recurse-submodules=no"),
                *(*leases, "--", REMOTE, *wishes),
                configuration=target.configuration,
                secrets=target.secrets,
            )
        except (Unavailable, TooLarge) as error:
            return PushReport(accepted=False, uncertain=True, refs=_all(plan, PushStatus.UNKNOWN, "no answer"), message=str(error))
        return _report(plan, answer)

    async def _objections(self, plan: Sequence[PlannedRef]) -> dict[str, str]:
        """Say for each ref why it must not be pushed: a lease alone would let history be rewritten, so descent is proved here."""
        objections: dict[str, str] = {}
        for row in plan:
            kind = await self._objects.kind(ObjectId(row.new))
            if row.ref.startswith("refs/tags/"):
                if row.old:
                    objections[row.ref] = "a tag that exists is never moved"
            elif kind != "commit":
                objections[row.ref] = f"a branch cannot point to a {kind}"
            elif row.old and not await self._descends(row):
                objections[row.ref] = f"{row.new} does not descend from {row.old}"
        return objections

    async def _descends(self, row: PlannedRef) -> bool:
        """Tell whether the new id descends from the old one."""
        answer = await self._scratch.read("merge-base", "--is-ancestor", str(row.old), row.new, good=(0, 1))
        return answer.code == 0


def _check(plan: Sequence[PlannedRef]) -> None:
    """Raise GitError for a plan that is empty, ambiguous or not made of full names and ids."""
    if not plan:
        raise GitError("There is nothing in the push plan; plan at least one ref.")
    for row in plan:
        ref(row.ref)
        object_id(row.new)
        if row.old is not None:
            object_id(row.old)
    if len({row.ref for row in plan}) != len(plan):
        raise GitError("A ref stands in the push plan twice; name each once.")


def _report(plan: Sequence[PlannedRef], answer: Answer) -> PushReport:
    """Read what git reports (https://git-scm.com/docs/git-push#_output)."""
    heard = dict(filter(None, (_line(line) for line in answer.output.decode(errors="replace").splitlines())))
    refs = tuple(_heard(row, heard) for row in plan)
    statuses = {pushed.status for pushed in refs}
    message = _words(answer) if answer.code else ""
    if answer.code == 0 and not statuses & {PushStatus.REFUSED, PushStatus.UNKNOWN}:
        return PushReport(accepted=True, uncertain=False, refs=refs)
    refused = answer.code != 0 and (statuses == {PushStatus.REFUSED} or nothing_was_sent(answer))
    return PushReport(accepted=False, uncertain=not refused, refs=refs, message=message)


def _words(answer: Answer) -> str:
    """Return what the server said, which is why it refused; git's own last word only says that it did."""
    remote = (line.removeprefix("remote:").strip() for line in answer.complaint.splitlines() if line.startswith("remote:"))
    return one_line(" ".join(filter(None, remote))[:_LONGEST_MESSAGE] or answer.last_word)


def _line(line: str) -> tuple[str, tuple[PushStatus, str]] | None:
    """Read one line ``FLAG TAB FROM:TO TAB SUMMARY``."""
    flag, *rest = line.split("\t", 2)
    if len(rest) != 2 or flag not in _STATUS:  # noqa: PLR2004 - the two fields after the flag
        return None
    status = PushStatus.UNKNOWN if _UNHEARD in rest[1] else _STATUS[flag]
    return rest[0].partition(":")[2], (status, one_line(rest[1]))


def _heard(row: PlannedRef, heard: dict[str, tuple[PushStatus, str]]) -> PushedRef:
    """Return what was said about a ref."""
    status, summary = heard.get(row.ref, (PushStatus.UNKNOWN, "nothing was reported"))
    return PushedRef(ref=row.ref, new=ObjectId(row.new), status=status, summary=summary)


def _all(plan: Sequence[PlannedRef], status: PushStatus, summary: str) -> tuple[PushedRef, ...]:
    """Say the same of every ref."""
    return tuple(PushedRef(ref=row.ref, new=ObjectId(row.new), status=status, summary=summary) for row in plan)


def _not_tried(plan: Sequence[PlannedRef], objections: dict[str, str]) -> PushReport:
    """Report a push that was refused here, before the server was asked."""
    refs = tuple(
        PushedRef(
            ref=row.ref,
            new=ObjectId(row.new),
            status=PushStatus.REFUSED if row.ref in objections else PushStatus.NOT_TRIED,
            summary=objections.get(row.ref, "not tried, because another ref was refused"),
        )
        for row in plan
    )
    first = next(iter(objections.items()))
    return PushReport(accepted=False, uncertain=False, refs=refs, message=f"{first[0]}: {first[1]}; nothing was sent.")
