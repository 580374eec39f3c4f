"""Judge one ref of a push: run by git as the update hook of every repository, with the policy of this very push.

The policy is the JSON file named by ``REHEARSAL_POLICY``. Only the standard library is used, because git starts this program once for
every ref; the server imports the same functions for changes made in the web interface and for ``GET /rules/branches``.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

ABSENT = "0" * 40

SENTENCES = {
    "creation": "Cannot create ref due to creations being restricted.",
    "update": "Cannot update this protected ref.",
    "deletion": "Cannot delete this protected ref.",
    "non_fast_forward": "Cannot force-push to this branch",
    "pull_request": "Changes must be made through a pull request.",
    "required_status_checks": "Required status checks are expected.",
    "required_signatures": "Commits must have verified signatures.",
}
"""What is printed for each type of rule that can refuse a push."""


class RefRule(TypedDict):
    """One rule in force for this pusher: ``type`` is a key of SENTENCES; ``code`` GH013 for rulesets, GH006 for classic protection."""

    type: str
    code: str
    target: str
    include: list[str]
    exclude: list[str]


class Policy(TypedDict):
    """Everything the hook needs to know; ``workflows`` is False for an App without that permission."""

    default_branch: str
    workflows: bool
    rules: list[RefRule]


def matches(pattern: str, ref: str, default_branch: str) -> bool:
    """Tell whether a pattern of a ruleset names this ref.

    ``~ALL``, ``~DEFAULT_BRANCH`` and fnmatch with slashes respected: ``*`` stops at a slash, ``**/`` does not. See
    https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/creating-rulesets-for-a-repository#using-fnmatch-syntax
    """
    if pattern == "~ALL":
        return True
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{default_branch}"
    tokens = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    translated = re.sub(
        r"\*\*/|\*|\?|\[[^\]]+\]|.",
        lambda found: tokens.get(found[0]) or (found[0] if len(found[0]) > 1 else re.escape(found[0])),
        pattern,
    )
    return re.fullmatch(translated, ref) is not None


def covers(include: Iterable[str], exclude: Iterable[str], ref: str, default_branch: str) -> bool:
    """Tell whether a ruleset's condition holds for a ref."""
    return any(matches(pattern, ref, default_branch) for pattern in include) and not any(
        matches(pattern, ref, default_branch) for pattern in exclude
    )


def target_of(ref: str) -> str:
    """Return the kind of ruleset that may apply to this ref."""
    return "tag" if ref.startswith("refs/tags/") else "branch"


def broken_by(old: str, new: str, *, fast_forward: bool) -> set[str]:
    """Return the types of rule that this change of a ref would break."""
    if old == ABSENT:
        return {"creation"}
    if new == ABSENT:
        return {"deletion"}
    moved = {"update", "pull_request", "required_status_checks", "required_signatures"}
    return moved if fast_forward else moved | {"non_fast_forward"}


def refusals(policy: Policy, ref: str, old: str, new: str, *, fast_forward: bool) -> list[RefRule]:
    """Return the rules that refuse this change."""
    broken = broken_by(old, new, fast_forward=fast_forward)
    return [
        rule
        for rule in policy["rules"]
        if rule["type"] in broken
        and rule["target"] == target_of(ref)
        and covers(rule["include"], rule["exclude"], ref, policy["default_branch"])
    ]


def explanation(ref: str, rules: Sequence[RefRule]) -> str:
    """Return what GitHub prints to the pusher; programs should read the refs instead of this text."""
    classic = all(rule["code"] == "GH006" for rule in rules)
    headline = f"GH006: Protected branch update failed for {ref}." if classic else f"GH013: Repository rule violations found for {ref}."
    return "\n".join(["error: " + headline, "", *(f"- {SENTENCES[rule['type']]}" for rule in rules), ""])


def run_git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git inside the push, where also the objects in quarantine are seen."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own arguments; git put itself on the path


def workflow_files(commit: str) -> set[str]:
    """Return one line per workflow file of a commit: mode, type, id and path."""
    return set(run_git("ls-tree", "-r", f"{commit}^{{commit}}", "--", ".github/workflows/").stdout.splitlines())


def new_workflow(new: str) -> str | None:
    """Return a workflow file that no branch of the repository has with this content."""
    unknown = workflow_files(new)
    for branch in run_git("for-each-ref", "--format=%(objectname)", "refs/heads/").stdout.split():
        if not unknown:
            break
        unknown -= workflow_files(branch)
    return min(unknown).partition("\t")[2] if unknown else None


def main(ref: str, old: str, new: str) -> int:
    """Judge one ref as https://git-scm.com/docs/githooks#update says: exit status 0 lets it pass."""
    policy: Policy = json.loads(Path(os.environ["REHEARSAL_POLICY"]).read_text(encoding="utf-8"))
    both = ABSENT not in (old, new)
    fast_forward = not both or run_git("merge-base", "--is-ancestor", old, new).returncode == 0
    refused = refusals(policy, ref, old, new, fast_forward=fast_forward)
    if refused:
        sys.stderr.write(explanation(ref, refused))
        return 1
    workflow = None if policy["workflows"] or new == ABSENT else new_workflow(new)
    if workflow:
        sys.stderr.write(f"refusing to allow a GitHub App to create or update workflow `{workflow}` without `workflows` permission\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
