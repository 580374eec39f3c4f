"""Say by what the pinned tag is authenticated: a signature, or the id that a release manager typed. Pure."""

from dataclasses import dataclass

from bot.release.facts import Signed
from bot.release.gate import managers, plan_digest
from bot.release.model import Release


@dataclass(frozen=True, kw_only=True)
class Authenticated:
    """``how`` a tag is authenticated, a sentence's beginning that ``who``, logins or a key, complete; nobody while that is not known."""

    how: str
    who: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the whole as plain text."""
        return " ".join((self.how, " or ".join(self.who))).strip()


NOT_PROVED = Authenticated(how="not proved")


def authenticated(release: Release) -> Authenticated:
    """Return by what the pinned tag is authenticated, or will be; an unsigned one rests on nothing but an approval that names its id."""
    tag = release.tag
    if tag is None or not release.plan:
        # What a tag says of its signature is not known before the audit has proved it.
        return NOT_PROVED
    if tag.signature is not Signed.UNSIGNED:
        return Authenticated(how=f"{tag.signature} by", who=(tag.signer,))
    plan = plan_digest(tag.object, release.plan)
    typed = [approval for approval in release.approvals if (approval.tag, approval.plan) == (tag.object, plan)]
    if not typed:
        return Authenticated(how="unsigned: to be authenticated by the typed SHA of", who=managers(release))
    latest = max(typed, key=lambda approval: approval.at)
    return Authenticated(how="unsigned: authenticated by the typed SHA of", who=(latest.by.login,))
