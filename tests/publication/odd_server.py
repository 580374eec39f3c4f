"""A server that answers whatever a test says: for what the real site does only when something is wrong with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.rehearsal.serving import reserve, serving, url_of

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answering) -> AsyncIterator[str]:
    """Answer every request so; yields the address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    port = reserve()
    async with serving(application, port):
        yield url_of(port)
