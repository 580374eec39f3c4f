"""Serve a web application on loopback."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

PATIENCE_AT_THE_END = 1.0
"""Seconds that requests still being answered get when a server stops."""


def reserve() -> socket.socket:
    """Take a free port on loopback, so that its address is known before anything is served there."""
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def url_of(reserved: socket.socket) -> str:
    """Return the address of a reserved port, without a slash at its end."""
    return f"http://127.0.0.1:{reserved.getsockname()[1]}"


@asynccontextmanager
async def serving(application: web.Application, reserved: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a reserved port until the ``async with`` ends."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=PATIENCE_AT_THE_END)
    await runner.setup()
    try:
        await web.SockSite(runner, reserved).start()
        yield
    finally:
        await runner.cleanup()
        reserved.close()
