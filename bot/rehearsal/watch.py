"""Stand between every stand-in and its visitors: count, number the writes, call the hooks, and let faults happen."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.rehearsal.chronicle import Chronicle, Request
from bot.rehearsal.faults import Action
from bot.rehearsal.moments import now

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BY: web.RequestKey[str] = web.RequestKey("by", str)
"""Who asks, once that is known."""

ONLY_TOKENS = ("/access_tokens", "/installation/token")
"""Making and revoking tokens changes nothing that anybody can see, so it is not numbered as a write."""


ONLY_QUERIES = ("/graphql",)
"""GraphQL asks by POST, and the stand-in answers nothing but queries."""


def template(request: web.Request) -> str:
    """Return the path with its variables named, ``/repos/{owner}/{repo}``; unknown paths as they are."""
    resource = request.match_info.route.resource
    return request.path if resource is None else resource.canonical


def is_write(request: web.Request) -> bool:
    """Tell whether a request is one that changes the world; git asks and fetches by POST as well, and probes with four bytes."""
    if request.path.endswith((".git/git-upload-pack", *ONLY_TOKENS, *ONLY_QUERIES)):
        return False
    if request.path.endswith(".git/git-receive-pack") and request.content_length == len("0000"):
        return False
    return request.method in ("POST", "PATCH", "PUT", "DELETE", "PURGE")


def hung_up(request: web.Request) -> web.Response:
    """Close the connection; what is returned never reaches anybody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def watching(chronicle: Chronicle, system: str) -> Middleware:
    """Return the outermost middleware of a stand-in for a system of this name."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        number = chronicle.number_write() if is_write(request) else None
        described = f"{request.method} {request.path}"
        chronicle.counts[f"{request.method} {template(request)}"] += 1
        if number is not None:
            await chronicle.before_write(number, described)
        action = chronicle.faults.take(request.method, request.path, number) or Action()
        try:
            response = await _with_fault(request, handler, action)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            chronicle.violation(f"the rehearsal itself failed at {described}: {error!r}")
            raise
        if number is not None:
            await chronicle.after_write(number, described)
        if action.after is not None:
            await action.after()
        chronicle.requests.append(_remembered(request, response, system, is_write=number is not None))
        return hung_up(request) if action.hang_up_after else response

    return watch


async def _with_fault(request: web.Request, handler: Handler, action: Action) -> web.StreamResponse:
    if action.before is not None:
        await action.before()
    if action.hang_up_before:
        return hung_up(request)
    if action.status:
        body = action.body or {"message": "refused by the rehearsal"}
        return web.json_response(body, status=action.status, headers=action.headers)
    return await handler(request)


def _remembered(request: web.Request, response: web.StreamResponse, system: str, *, is_write: bool) -> Request:
    return Request(
        system=system,
        is_write=is_write,
        method=request.method,
        path=request.path,
        query=request.query_string,
        status=response.status,
        by=request.get(BY, "anonymous"),
        at=now(),
    )
