"""Answer for refs, tags, commits and files: https://docs.github.com/en/rest/git. Only what this repository's own store has exists."""

import base64
import re
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from bot.rehearsal.git_objects import read_commit, read_tag
from bot.rehearsal.git_repository import ABSENT
from bot.rehearsal.github_desk import Desk, answer
from bot.rehearsal.github_model import JsonObject, Repository
from bot.rehearsal.github_policy import Actor
from bot.rehearsal.github_problems import NotFound, Problem
from bot.rehearsal.github_shapes import node_id
from bot.rehearsal.update_hook import refusals

REPOSITORY = "/repos/{owner}/{repo}"
OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class GitRest:
    """The endpoints that read a repository without git."""

    def __init__(self, desk: Desk) -> None:
        """Serve from this desk."""
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Return the paths."""
        return [
            web.get(f"{REPOSITORY}/git/ref/{{ref:.+}}", self.ref),
            web.get(f"{REPOSITORY}/git/matching-refs/{{ref:.+}}", self.matching_refs),
            web.delete(f"{REPOSITORY}/git/refs/{{ref:.+}}", self.delete_ref),
            web.get(f"{REPOSITORY}/git/tags/{{tag_sha}}", self.tag),
            web.get(f"{REPOSITORY}/git/commits/{{commit_sha}}", self.commit),
            web.get(f"{REPOSITORY}/contents/{{path:.*}}", self.contents),
        ]

    async def ref(self, request: web.Request) -> web.Response:
        """Return one ref; ``object.type`` is tag only for an annotated one."""
        repository = self._desk.repository(request)
        name = f"refs/{request.match_info['ref']}"
        object_id = (await repository.git.refs(name)).get(name)
        if object_id is None:
            raise NotFound
        return answer(await self._ref(repository, name, object_id))

    async def matching_refs(self, request: web.Request) -> web.Response:
        """List the refs whose name begins so."""
        repository = self._desk.repository(request)
        prefix = f"refs/{request.match_info['ref']}"
        refs = {name: object_id for name, object_id in (await repository.git.refs()).items() if name.startswith(prefix)}
        return answer([await self._ref(repository, name, object_id) for name, object_id in refs.items()])

    async def delete_ref(self, request: web.Request) -> web.Response:
        """Delete one ref, if it is there and no rule keeps the App from it; there is no way to say which object it must name."""
        repository, name = self._desk.repository(request), f"refs/{request.match_info['ref']}"
        bot = self._desk.app.bot
        async with repository.git.pushing:
            old = (await repository.git.refs(name)).get(name)
            if old is None:
                raise Problem(422, "Reference does not exist")
            policy = self._desk.rules.policy(repository, Actor(user=bot, is_app=True))
            if refusals(policy, name, old, ABSENT, fast_forward=False):
                raise Problem(422, "Repository rule violations found\n\nCannot delete this branch")
            await repository.git.update_ref(name, ABSENT, old)
        await self._desk.acts.refs_moved(bot, repository, {name: (old, ABSENT)})
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def tag(self, request: web.Request) -> web.Response:
        """Return an annotated tag; signatures are never verified here, because no account of the rehearsal has keys."""
        repository = self._desk.repository(request)
        tag_id = await self._object(repository, request.match_info["tag_sha"], "tag")
        text = read_tag(await repository.git.content("tag", tag_id))
        shape: JsonObject = {
            "node_id": node_id("Tag", tag_id),
            "sha": tag_id,
            "url": self._url(repository, "tags", tag_id),
            "tag": text.tag,
            "message": text.message + (text.signature or ""),
            "tagger": text.tagger.shape(),
            "object": {"sha": text.object, "type": text.type, "url": self._url(repository, f"{text.type}s", text.object)},
            "verification": _verification(text.signature, text.payload),
        }
        return answer(shape)

    async def commit(self, request: web.Request) -> web.Response:
        """Return a commit."""
        repository = self._desk.repository(request)
        commit_id = await self._object(repository, request.match_info["commit_sha"], "commit")
        text = read_commit(await repository.git.content("commit", commit_id))
        html = f"{self._desk.links.server}/{repository.name}/commit"
        shape: JsonObject = {
            "sha": commit_id,
            "node_id": node_id("Commit", commit_id),
            "url": self._url(repository, "commits", commit_id),
            "html_url": f"{html}/{commit_id}",
            "author": text.author.shape(),
            "committer": text.committer.shape(),
            "message": text.message,
            "tree": {"sha": text.tree, "url": self._url(repository, "trees", text.tree)},
            "parents": [
                {"sha": parent, "url": self._url(repository, "commits", parent), "html_url": f"{html}/{parent}"} for parent in text.parents
            ],
            "verification": _verification(text.signature, None),
        }
        return answer(shape)

    async def contents(self, request: web.Request) -> web.Response:
        """Return a file in base64 (or raw, if asked so), or the list of a directory, at ``ref`` or the default branch."""
        repository = self._desk.repository(request)
        path = request.match_info["path"].strip("/")
        ref = request.query.get("ref", repository.default_branch)
        revision = await repository.git.resolve(f"{ref}^{{commit}}")
        if revision is None:
            raise Problem(404, f"No commit found for the ref {ref}")
        object_id = await repository.git.resolve(f"{revision}:{path}")
        if object_id is None:
            raise NotFound
        if await repository.git.kind(object_id) == "tree":
            return await self._directory(repository, ref, path, object_id)
        content = await repository.git.content("blob", object_id)
        if "raw" in request.headers.get("Accept", ""):
            return web.Response(body=content, headers=CIMultiDict({"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}))
        entry = self._entry(repository, ref, path, ("blob", object_id))
        return answer({**entry, "size": len(content), "encoding": "base64", "content": base64.encodebytes(content).decode()})

    async def _directory(self, repository: Repository, ref: str, path: str, tree: str) -> web.Response:
        entries = await repository.git.listing(tree)
        return answer([self._entry(repository, ref, f"{path}/{name}".lstrip("/"), (kind, entry)) for kind, entry, name in entries])

    def _entry(self, repository: Repository, ref: str, path: str, found: tuple[str, str]) -> JsonObject:
        kind, object_id = found
        api = f"{self._desk.links.repository(repository.name)}/contents/{path}?ref={ref}"
        html = f"{self._desk.links.server}/{repository.name}/{kind}/{ref}/{path}"
        git = self._url(repository, f"{kind}s", object_id)
        return {
            "type": "file" if kind == "blob" else "dir",
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": object_id,
            "size": 0,
            "url": api,
            "html_url": html,
            "git_url": git,
            "download_url": f"{self._desk.links.server}/{repository.name}/raw/{ref}/{path}" if kind == "blob" else None,
            "_links": {"self": api, "git": git, "html": html},
        }

    async def _ref(self, repository: Repository, name: str, object_id: str) -> JsonObject:
        kind = await repository.git.kind(object_id) or "commit"
        return {
            "ref": name,
            "node_id": node_id("Ref", name),
            "url": f"{self._desk.links.repository(repository.name)}/git/{name}",
            "object": {"sha": object_id, "type": kind, "url": self._url(repository, f"{kind}s", object_id)},
        }

    async def _object(self, repository: Repository, object_id: str, kind: str) -> str:
        if not OBJECT_ID.fullmatch(object_id) or await repository.git.kind(object_id) != kind:
            raise NotFound
        return object_id

    def _url(self, repository: Repository, kind: str, object_id: str) -> str:
        return f"{self._desk.links.repository(repository.name)}/git/{kind}/{object_id}"


def _verification(signature: str | None, payload: str | None) -> JsonObject:
    reason = "unsigned" if signature is None else "unknown_key"
    signed = None if signature is None else payload
    return {"verified": False, "reason": reason, "signature": signature, "payload": signed, "verified_at": None}
