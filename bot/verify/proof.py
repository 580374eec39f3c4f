"""What the verification of one signature says."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Whether a signature counts. ``signer`` is set only when it does; ``said`` is what the verifying program said, for diagnosis.

    ``usable`` is false for a signature of which nobody can tell offline whether it is good.
    """

    good: bool
    signer: str = ""
    why: str
    said: tuple[str, ...] = ()
    usable: bool = True


def good(signer: str, why: str, said: tuple[str, ...]) -> Proof:
    """Return the proof of a signature that counts."""
    return Proof(good=True, signer=signer, why=why, said=said)


def bad(why: str, said: tuple[str, ...]) -> Proof:
    """Return why a signature does not count."""
    return Proof(good=False, why=why, said=said)
