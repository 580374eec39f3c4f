"""Show every result in one table and ask for the go: only then does anything become public.

The go names the tag object and binds to the results as they are: whatever changes among them makes it void, and it is asked for anew.
"""

from bot import live_data
from bot.profile.types import StepName
from bot.release.gate import results_digest, valid_go
from bot.release.model import Release
from bot.release.outcomes import Evidence, NeedsPerson, Outcome, Passed
from bot.tools import Tools, logins


async def advance(release: Release, tools: Tools) -> Outcome:
    """See whether the go was given for exactly these results, or ask for it."""
    tag = release.tag.object if release.tag else ""
    digest = results_digest(release)
    rows = (*results(release), Evidence(what="results", value=digest))
    go = valid_go(release)
    if go is not None:
        why = f"{go.by.login} said go to {tag} with the results {go.results}."
        return Passed(why=why, evidence=(*rows, Evidence(what="said by", value=go.by.login)))
    what = (
        f"Everything is built for {tag}. Look at the table of results {digest} in the status; when you say go, it is made public: "
        "Windows is published by the bot, and you publish the sources on python.org."
    )
    facts, who = await live_data.flipped(StepName.GO, release, tools), logins(tools.managers(release))
    return NeedsPerson(who=who, what=what, say=f"/release go {tag}", evidence=rows, facts=facts, look_again=tools.poll())


def results(release: Release) -> tuple[Evidence, ...]:
    """Return one row for each builder, each file it made, and each word that was given for what is done by hand."""
    rows = []
    for build in release.builds:
        rows.append(Evidence(what=f"{build.step}: commit", value=build.commit, url=build.url))
        rows += [Evidence(what=f"{build.step}: {file.name}", value=f"sha256:{file.sha256}") for file in build.files]
    rows += [
        Evidence(what=f"{work.name}: done by {work.by.login}", value=f"sha256:{work.sha256}" if work.sha256 else "done")
        for work in release.hand_work
    ]
    rows += [Evidence(what=f"{one.name}: deferred by {one.by.login}", value=one.reason) for one in release.deferrals]
    return tuple(rows)
