"""The dossier of a release: every id, hash, run, decision and duration in one document, by which it can be checked years later. Pure.

1. A dossier closes when the last step before the wrap-up has ended, and it is known of every run which one it is. What people say or do
   afterwards is not part of it, so it never changes again, and its digest can be published while the release still tidies up.
2. What it states beside the release, such as where the journal ended, is sealed into the release when it closes. So its bytes, and with
   them its digest, can be made again from the stored release alone, at any time and by any later version of the bot.
3. Its keys are written out one by one and never change within a format: the digests that were published depend on every one of them.
"""

from bot.release.dossier.closing import AFTERWARDS, closed, commands, decisions, people, to_seal, waited
from bot.release.dossier.whole import Dossier
from bot.release.dossier.writing import FORMAT, digest, dossier, path, written

__all__ = [
    "AFTERWARDS",
    "FORMAT",
    "Dossier",
    "closed",
    "commands",
    "decisions",
    "digest",
    "dossier",
    "path",
    "people",
    "to_seal",
    "waited",
    "written",
]
