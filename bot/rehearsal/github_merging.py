"""Merge a pull request as GitHub does, squashed into one commit (https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request)."""

from dataclasses import dataclass
from typing import Final

from bot.rehearsal.git_repository import BareRepository, GitError, Identity
from bot.rehearsal.github_acts import Acts
from bot.rehearsal.github_model import Issue, Repository
from bot.rehearsal.github_policy import Actor, Rules
from bot.rehearsal.github_problems import Problem
from bot.rehearsal.update_hook import SENTENCES

METHODS: Final = ("merge", "squash", "rebase")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a pull request brings to the branch it is for: ``tree`` is what that would be then, None where both changed the same lines."""

    base: str
    head: str
    commits: int
    lines: tuple[tuple[int, int], ...]
    """For each changed file, how many lines came and went."""
    tree: str | None


async def difference(git: BareRepository, pull: Issue) -> Difference:
    """Look at the branches of a pull request as they are now."""
    refs = await git.refs("refs/heads/")
    base, head = refs[f"refs/heads/{pull.base}"], refs[f"refs/heads/{pull.head}"]
    commits = (await git.git("rev-list", "--count", f"{base}..{head}")).decode()
    rows = (await git.git("diff", "--numstat", f"{base}...{head}")).decode().splitlines()
    lines = tuple((int(came), int(went)) for came, went, _ in (row.replace("-\t", "0\t").split("\t", 2) for row in rows))
    try:
        tree = (await git.git("merge-tree", "--write-tree", "--no-messages", base, head)).decode().strip()
    except GitError:
        tree = None
    return Difference(base=base, head=head, commits=int(commits), lines=lines, tree=tree)


class Merges:
    """Those who merge, and what may keep them from it."""

    def __init__(self, rules: Rules, acts: Acts) -> None:
        """Merge by these rules."""
        self._rules = rules
        self._acts = acts

    def in_the_way(self, repository: Repository, pull: Issue, head: str, actor: Actor) -> list[str]:
        """Say which rule, review or check keeps somebody from merging."""
        green = {run.name for run in repository.check_runs if run.head_sha == head and run.conclusion == "success"}
        return self._rules.merging(repository, pull.base, actor, green)

    async def squash(self, repository: Repository, pull: Issue, actor: Actor, sha: str | None = None, *, reviewed: bool = False) -> str:
        """Merge, if the pull request still brings ``sha`` where one is named; return the new commit, or raise Problem.

        One that was ``reviewed`` has whatever else it needs, but is not for a branch that nobody may change.
        """
        if pull.state != "open" or not pull.worked_out:
            raise Problem(405, "Pull Request is not mergeable")
        ref, by = f"refs/heads/{pull.base}", actor.user
        async with repository.git.pushing:
            found = await difference(repository.git, pull)
            if sha not in (None, found.head):
                raise Problem(409, "Head branch was modified. Review and try the merge again.")
            if found.tree is None:
                raise Problem(405, "Pull Request is not mergeable")
            said = self.in_the_way(repository, pull, found.head, actor)
            if said and (not reviewed or SENTENCES["update"] in said):
                raise Problem(405, "\n".join(["Repository rule violations found", *said]))
            identity = Identity(name=by.login, email=f"{by.id}+{by.login}@users.noreply.github.com")
            message = f"{pull.title} (#{pull.number})\n".encode()
            arguments = ("commit-tree", found.tree, "-p", found.base)
            new = (await repository.git.git(*arguments, stdin=message, environment=identity.environment())).decode().strip()
            await repository.git.update_ref(ref, new, found.base)
        self._acts.merge_pull(by, repository, pull, new)
        await self._acts.refs_moved(by, repository, {ref: (found.base, new)})
        return new
