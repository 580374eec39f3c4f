"""``python -m bot serve``: run the bot until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence

from bot.logs import set_up_logging, set_up_reports
from bot.serve import start
from bot.settings import load_settings


def run(arguments: Sequence[str]) -> int:
    """Serve until told to stop; raise UserError when the environment or a profile is wrong."""
    argparse.ArgumentParser(prog="python -m bot serve", description="Run the bot, configured by the environment.").parse_args(arguments)
    settings = load_settings(os.environ)
    settings.refuse_to_serve()
    set_up_logging(settings.log_format)
    if settings.sentry_dsn is not None:
        set_up_reports(settings.sentry_dsn.get_secret_value())
    asyncio.run(_serve())
    return 0


async def _serve() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    bot = await start(os.environ)
    try:
        await bot.until(stopped)
    finally:
        await bot.stop()
