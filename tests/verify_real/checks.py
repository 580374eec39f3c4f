"""What a check on real data is: which row of the MANIFEST it is about, what it has to come to, and what it came to."""

import hashlib
import lzma
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.errors import UserError
from bot.verify.result import NotProven, Proven, Verdict

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Check:
    """``expected`` is the verdict, ``because`` what its reason or its signer has to say; ``work`` proves, or raises why it cannot."""

    row: str
    what: str
    work: Work
    expected: Verdict = Verdict.VERIFIED
    because: str = ""

    def reached(self) -> tuple[Verdict, str]:
        """Return the verdict and its reason."""
        try:
            outcome = self.work()
        except NotProven as trouble:
            return trouble.verdict, " ".join((trouble.why, *trouble.diagnostics))
        except UserError as trouble:
            return Verdict.UNUSABLE, str(trouble)
        if isinstance(outcome, Proven):
            return Verdict.VERIFIED, " ".join((outcome.why, outcome.signer, *outcome.diagnostics))
        return Verdict.VERIFIED, str(outcome)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the MANIFEST."""

    file: str
    size: int
    sha256: str
    verdict: str


@dataclass(frozen=True)
class Artifacts:
    """The folder of the real artifacts, and ``made``, one for what is made of them."""

    root: Path
    made: Path

    @classmethod
    @contextmanager
    def found(cls) -> Iterator["Artifacts"]:
        """Find them as the tests do; raise UserError where they are not."""
        named = os.environ.get("BOT_REFERENCE")
        root = (Path(named) if named else Path(__file__).parent.parent.parent.parent / "shared") / "artifacts"
        if not (root / "MANIFEST.md").is_file():
            raise UserError(f"The real artifacts are not in {root}; set BOT_REFERENCE to the folder that holds artifacts/MANIFEST.md.")
        with tempfile.TemporaryDirectory(prefix="verify-real-") as made:
            yield cls(root, Path(made))

    def path(self, file: str) -> Path:
        return self.root / file

    def read(self, file: str) -> bytes:
        return self.path(file).read_bytes()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every row of every table of the MANIFEST."""
        pattern = re.compile(r"\| (\S+) \| (\d+) \| `([0-9a-f]{64})` \| .* \| (.*) \|")
        found = filter(None, map(pattern.fullmatch, self.path("MANIFEST.md").read_text().splitlines()))
        return tuple(Row(file=match[1], size=int(match[2]), sha256=match[3], verdict=match[4]) for match in found)

    def release(self, version: str) -> Path:
        """Return a folder with all that is known of a release's sources; its .tgz is recompressed as the release tools do."""
        folder = self.made / version
        if not folder.exists():
            folder.mkdir()
            for path in self.path("source").glob(f"Python-{version}.*"):
                (folder / path.name).symlink_to(path)
            plain = lzma.decompress(self.read(f"source/Python-{version}.tar.xz"))
            with (folder / f"Python-{version}.tgz").open("wb") as file:
                subprocess.run(["gzip", "-n", "-9"], input=plain, stdout=file, check=True)
        return folder

    def altered(self, file: str, change: Callable[[bytes], bytes], name: str = "") -> Path:
        """Return a copy of a file that somebody tampered with, under its own name or another."""
        content = change(self.read(file))
        folder = self.made / hashlib.sha256(content).hexdigest()
        folder.mkdir(exist_ok=True)
        path = folder / (name or Path(file).name)
        path.write_bytes(content)
        return path


def flipped(content: bytes) -> bytes:
    """Return it with one bit in its middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def truncated(content: bytes) -> bytes:
    """Return its first half."""
    return content[: len(content) // 2]


def holds(condition: object, what: str) -> str:
    """Return what holds, or raise that it does not."""
    if not condition:
        raise NotProven(f"It does not hold that {what}.")
    return what
