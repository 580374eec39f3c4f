"""Hold the bytes of a file against what python.org states of it: size, SHA-256, MD5."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.verify.digests import Digests
from bot.verify.result import NotProven, ProofName, Proven, Result, Unusable, Verdict


@dataclass(frozen=True, kw_only=True)
class StatedBytes:
    """Proves that a file is the stated one.

    python.org states MD5 alone for most releases before 2026 and SHA-256 alone for those since April 2026:
    https://github.com/python/release-tools/blob/main/add_to_pydotorg.py. What a hash does not cover, ``without_sha256`` says.
    """

    name: str
    size: int
    md5: str
    sha256: str

    def verify(self, digests: Digests) -> Proven:
        """Prove it; raise NotProven with every difference, and Unusable where no hash is stated at all."""
        found = (f"size: {digests.size} bytes", f"MD5: {digests.md5}", f"SHA-256: {digests.sha256}")
        wrong = [*self._differences(digests)]
        if wrong:
            raise NotProven(
                f"{self.name} is not the file that python.org states: {_listed([name for name, _ in wrong])} differ"
                f"{'s' if len(wrong) == 1 else ''}; get it again, and if it stays so, the file on the site was replaced or damaged.",
                *(f"{name}: {should_be} is stated" for name, should_be in wrong),
                *found,
            )
        if not self.sha256 and not self.md5:
            raise Unusable(f"python.org states no hash of {self.name}, so nothing says which bytes it should have.", *found)
        names = ["size", *(name for name, stated in (("MD5", self.md5), ("SHA-256", self.sha256)) if stated)]
        return Proven(why=f"It has the {_listed(names)} that python.org states.", diagnostics=found)

    def without_sha256(self, result: Result, vouched: bool) -> Result:  # noqa: FBT001 - the one thing that it depends on
        """Return what a good result is worth: MD5 alone can be forged, so without a SHA-256 a signature has to vouch for the bytes."""
        if self.sha256 or result.verdict is not Verdict.VERIFIED:
            return result
        if vouched:
            why = "python.org states no SHA-256 of it. Size and MD5 are as stated, and a verified signature vouches for its SHA-256."
            verdict = Verdict.ABSENT
        else:
            why = "python.org states no SHA-256 of it, and no signature of it was verified: size and MD5 are as stated, but can be forged."
            verdict = Verdict.UNUSABLE
        return Result(subject=result.subject, proof=ProofName.BYTES, verdict=verdict, why=why, diagnostics=result.diagnostics)

    def _differences(self, digests: Digests) -> list[tuple[str, str]]:
        stated = (("size", str(self.size), str(digests.size)), ("SHA-256", self.sha256, digests.sha256), ("MD5", self.md5, digests.md5))
        return [(name, should_be) for name, should_be, is_now in stated if should_be and should_be != is_now]


def _listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
