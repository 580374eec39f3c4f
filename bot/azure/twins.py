"""Tell the runs of two releases apart that were ordered with the same: packages of one service, of one commit, at the same time.

Nothing about such a run says for which release it is. So each belongs to the release whose order it was the answer to, and while an order
is on its way that looks the same, nobody else places one: whatever appears then is that one's.
"""

from datetime import datetime
from typing import Final

from bot.azure.parameters import Order, queueing
from bot.journal import Document
from bot.services.azure_devops import shapes as azure
from bot.store.model import EffectKey, Fresh
from bot.tools import Tools

ALIKE: Final = ("definition", "ref", "run_name", "parameters", "resources", "commit", "variables")
"""What an order is written down with."""


async def candidates(order: Order, since: datetime, tools: Tools) -> list[azure.Run]:
    """Return the runs that were queued since then and may be the answer to an order, newest first, without those of other releases."""
    found = await tools.azure.find_runs(order.pipeline, order.run_name, since, commit=order.commit)
    fitting = [run for run in found if order.fits(run) and _nothing_besides(order, run)]
    if not fitting:
        return []
    results = await tools.door.results_elsewhere(order.step, queueing(order.purpose), since)
    taken = {result.get("run") for result in results}
    return [run for run in fitting if run.id not in taken]


async def ordering(order: Order, tools: Tools) -> EffectKey | None:
    """Return an order of another release that looks the same, was begun, and of which nothing is known yet; or None."""
    mine = order.document
    for key in await tools.door.begun_elsewhere(order.step, queueing(order.purpose)):
        intent = await tools.door.known_elsewhere(key)
        if not isinstance(intent, Fresh) and _alike(intent.parameters, mine):
            return key
    return None


def _nothing_besides(order: Order, run: azure.Run) -> bool:
    """Tell whether a run of a pinned commit was given no other variables than it was ordered with: they may switch tests off.

    The service adds some of its own: https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables.
    """
    known = {name.casefold() for name in order.variables}
    besides = {name for name in run.variables if name.casefold() not in known and not name.casefold().startswith("system.")}
    return not order.commit or not besides


def _alike(one: Document, other: object) -> bool:
    return isinstance(other, dict) and all(one.get(name) == other.get(name) for name in ALIKE)
