"""How git can disappoint us, beside ``bot.errors.Refused`` and ``bot.errors.Unavailable`` for the other side's answers."""

from bot.errors import Unavailable, UserError


class GitError(UserError):
    """Git was asked for something that cannot be done: a bad name, an unusable program, an object of the wrong kind."""


class TooLarge(GitError):
    """Something is larger than the limits allow."""


class ObjectMissing(Unavailable):
    """An object is not in the scratch repository (any more): fetch it, and look again."""


class Damaged(Unavailable):
    """Fetching failed in a way that nobody can explain; a fresh scratch repository may help, or another day."""
