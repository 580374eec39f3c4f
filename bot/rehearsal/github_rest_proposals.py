"""Answer for what an App proposes: a branch, a changed file, a pull request and its merge (https://docs.github.com/en/rest/pulls)."""

import base64
import binascii

from aiohttp import web

from bot.rehearsal.git_repository import ABSENT, Identity
from bot.rehearsal.github_desk import Desk, answer, fields, number, paged, text_field
from bot.rehearsal.github_merging import METHODS, Merges, difference
from bot.rehearsal.github_model import Issue, JsonObject, Repository
from bot.rehearsal.github_policy import Actor
from bot.rehearsal.github_problems import Invalid, NotFound, Problem
from bot.rehearsal.github_shapes import node_id, repository_shape, user_shape
from bot.rehearsal.github_shapes_work import issue_shape
from bot.rehearsal.moments import stamp_or_none
from bot.rehearsal.update_hook import refusals

REPOSITORY = "/repos/{owner}/{repo}"


class ProposalsRest:
    """The endpoints by which something is proposed."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk
        self._merges = Merges(desk.rules, desk.acts)

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.post(f"{REPOSITORY}/git/refs", self.create_ref),
            web.put(f"{REPOSITORY}/contents/{{path:.+}}", self.write),
            web.get(f"{REPOSITORY}/pulls", self.pulls),
            web.post(f"{REPOSITORY}/pulls", self.open),
            web.get(f"{REPOSITORY}/pulls/{{pull_number}}", self.pull),
            web.put(f"{REPOSITORY}/pulls/{{pull_number}}/merge", self.merge),
        ]

    async def create_ref(self, request: web.Request) -> web.Response:
        """Begin a branch or a tag at an object that is there."""
        repository, name, new = self._desk.repository(request), text_field(request, "Ref", "ref"), text_field(request, "Ref", "sha")
        if name.count("/") < 2 or not name.startswith("refs/"):  # noqa: PLR2004 - refs, the kind and the name
            raise Problem(422, "Reference name must start with 'refs/' and have at least two slashes.")
        async with repository.git.pushing:
            if name in await repository.git.refs(name):
                raise Problem(422, "Reference already exists")
            kind = await repository.git.kind(new)
            if kind is None:
                raise Problem(422, "Object does not exist")
            await self._move(repository, name, ABSENT, new)
        url = f"{self._desk.links.repository(repository.name)}/git"
        target = {"sha": new, "type": kind, "url": f"{url}/{kind}s/{new}"}
        return answer({"ref": name, "node_id": node_id("Ref", name), "url": f"{url}/{name}", "object": target}, 201)

    async def write(self, request: web.Request) -> web.Response:
        """Write a file on a branch by a commit; one that is there has to be named by the id of its content."""
        repository, path = self._desk.repository(request), request.match_info["path"]
        message, content = text_field(request, "Commit", "message"), _decoded(request)
        branch = str(fields(request).get("branch", repository.default_branch))
        ref = f"refs/heads/{branch}"
        async with repository.git.pushing:
            head = (await repository.git.refs(ref)).get(ref)
            if head is None:
                raise Problem(404, f"Branch {branch} not found")
            old = await repository.git.resolve(f"{head}:{path}")
            if fields(request).get("sha") != old:
                raise Problem(409, f"{path} does not match {fields(request).get('sha')}")
            bot = self._desk.app.bot
            identity = Identity(name=bot.login, email=f"{bot.id}+{bot.login}@users.noreply.github.com")
            new = await repository.git.commit(head, {path: content}, identity, message)
            await self._move(repository, ref, head, new)
        blob = await repository.git.resolve(f"{new}:{path}")
        html = f"{self._desk.links.server}/{repository.name}"
        shape: JsonObject = {
            "content": {"name": path.rpartition("/")[2], "path": path, "sha": blob, "size": len(content), "type": "file"},
            "commit": {"sha": new, "message": message, "html_url": f"{html}/commit/{new}", "parents": [{"sha": head}]},
        }
        return answer(shape, 200 if old else 201)

    async def pulls(self, request: web.Request) -> web.Response:
        """List pull requests by state, and by ``OWNER:BRANCH`` they come from."""
        repository, state, head = self._desk.repository(request), request.query.get("state", "open"), request.query.get("head")
        chosen = [
            issue
            for issue in repository.issues.values()
            if issue.head and state in ("all", issue.state) and head in (None, f"{repository.owner.login}:{issue.head}")
        ]
        return paged(request, [await self._shape(repository, issue) for issue in reversed(chosen)])

    async def open(self, request: web.Request) -> web.Response:
        """Open a pull request from one branch of the repository to another."""
        repository = self._desk.repository(request)
        head, base = text_field(request, "PullRequest", "head"), text_field(request, "PullRequest", "base")
        refs = await repository.git.refs("refs/heads/")
        for field, branch in (("head", head), ("base", base)):
            if f"refs/heads/{branch}" not in refs:
                raise Invalid("PullRequest", field)
        if any((issue.head, issue.base, issue.state) == (head, base, "open") for issue in repository.issues.values()):
            said = f"A pull request already exists for {repository.owner.login}:{head}."
            raise Invalid("PullRequest", "head", code="custom", message=said)
        if await repository.git.is_ancestor(refs[f"refs/heads/{head}"], refs[f"refs/heads/{base}"]):
            raise Invalid("PullRequest", "head", code="custom", message=f"No commits between {base} and {head}")
        title, body = text_field(request, "PullRequest", "title"), str(fields(request).get("body") or "")
        issue = self._desk.acts.open_pull(self._desk.app.bot, repository, title, body=body, head=head, base=base)
        return answer(await self._whole(repository, issue), 201)

    async def pull(self, request: web.Request) -> web.Response:
        """Return a pull request; whether it can be merged is worked out only after somebody has looked for the first time."""
        repository = self._desk.repository(request)
        pull = self._chosen(request)
        whole = await self._whole(repository, pull)
        pull.worked_out = True
        return answer(whole)

    async def merge(self, request: web.Request) -> web.Response:
        """Merge a pull request, if nothing is in the way; only squashed, which is all that anybody here asks for."""
        repository, pull = self._desk.repository(request), self._chosen(request)
        wanted = fields(request)
        if wanted.get("merge_method", "merge") not in METHODS or not isinstance(wanted.get("sha", ""), str):
            raise Invalid("PullRequest", "merge_method")
        if wanted.get("merge_method") != "squash":
            raise Problem(405, "Merge commits are not allowed on this repository.")
        sha = str(wanted["sha"]) if "sha" in wanted else None
        new = await self._merges.squash(repository, pull, self._actor, sha)
        return answer({"sha": new, "merged": True, "message": "Pull Request successfully merged"})

    @property
    def _actor(self) -> Actor:
        return Actor(user=self._desk.app.bot, is_app=True, by_pull_request=True)

    def _chosen(self, request: web.Request) -> Issue:
        pull = self._desk.repository(request).issues.get(number(request, "pull_number"))
        if pull is None or not pull.head:
            raise NotFound
        return pull

    async def _whole(self, repository: Repository, pull: Issue) -> JsonObject:
        """Return a pull request with what only the answer about one alone has."""
        found = await difference(repository.git, pull)
        blocked = self._merges.in_the_way(repository, pull, found.head, self._actor)
        known = pull.worked_out and pull.state == "open"
        state = "dirty" if found.tree is None else "blocked" if blocked else "clean"
        more: JsonObject = {
            "merged": pull.merged is not None,
            "mergeable": found.tree is not None if known else None,
            "mergeable_state": state if known else "unknown",
            "merged_by": user_shape(self._desk.links, pull.merged_by) if pull.merged_by else None,
            "maintainer_can_modify": False,
            "comments": len(pull.comments),
            "review_comments": 0,
            "commits": found.commits,
            "additions": sum(came for came, _ in found.lines),
            "deletions": sum(went for _, went in found.lines),
            "changed_files": len(found.lines),
        }
        return {**await self._shape(repository, pull), **more}

    async def _move(self, repository: Repository, ref: str, old: str, new: str) -> None:
        """Move a ref as the App, as far as rules let it."""
        bot = self._desk.app.bot
        policy = self._desk.rules.policy(repository, Actor(user=bot, is_app=True))
        if refusals(policy, ref, old, new, fast_forward=True):
            raise Problem(422, "Repository rule violations found")
        await repository.git.update_ref(ref, new, old)
        await self._desk.acts.refs_moved(bot, repository, {ref: (old, new)})

    async def _shape(self, repository: Repository, issue: Issue) -> JsonObject:
        links, refs = self._desk.links, await repository.git.refs("refs/heads/")
        whole = issue_shape(links, self._desk.app, repository, issue)
        kept = ("id", "node_id", "html_url", "number", "state", "locked", "title", "user", "labels", "body", "comments_url")
        more = ("created_at", "updated_at", "closed_at", "author_association", "assignee", "milestone", "draft")
        url = f"{links.repository(repository.name)}/pulls/{issue.number}"
        html = str(whole["html_url"])
        own = {name: f"{url}/{name.removesuffix('_url')}" for name in ("commits_url", "statuses_url", "review_comments_url")}
        comments = str(whole["comments_url"])
        linked = {
            "self": url,
            "html": html,
            "issue": links.issue(repository.name, issue.number),
            "comments": comments,
            "review_comments": own["review_comments_url"],
            "review_comment": f"{url}/comments{{/number}}",
            "commits": own["commits_url"],
            "statuses": own["statuses_url"],
        }
        return {
            **{name: whole[name] for name in (*kept, *more)},
            **own,
            "url": url,
            "issue_url": linked["issue"],
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "review_comment_url": linked["review_comment"],
            "merge_commit_sha": issue.merged_as or None,
            "merged_at": stamp_or_none(issue.merged),
            "auto_merge": None,
            "head": self._side(repository, issue.head, refs),
            "base": self._side(repository, issue.base, refs),
            "_links": {name: {"href": href} for name, href in linked.items()},
        }

    def _side(self, repository: Repository, branch: str, refs: dict[str, str]) -> JsonObject:
        links, owner = self._desk.links, repository.owner
        return {
            "label": f"{owner.login}:{branch}",
            "ref": branch,
            "sha": refs.get(f"refs/heads/{branch}", ABSENT),
            "user": user_shape(links, owner),
            "repo": repository_shape(links, repository),
        }


def _decoded(request: web.Request) -> bytes:
    try:
        return base64.b64decode(str(fields(request).get("content")), validate=True)
    except binascii.Error:
        raise Invalid("Commit", "content") from None
