"""Verify SSH signatures with ssh-keygen (https://man.openbsd.org/ssh-keygen#Y, section ALLOWED SIGNERS).

Git asks ssh-keygen who a key belongs to and is content with any answer; here the answer has to be an expected one.
"""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from bot.errors import UserError
from bot.verify.programs import Finished, run
from bot.verify.proof import Proof, bad, good

TIMEOUT: Final = 30.0
"""Seconds for each call of ssh-keygen, unless told otherwise."""

_NAMESPACE: Final = "git"


class SignersUnusable(UserError):
    """The list of allowed signers cannot be used."""


class SSH:
    """Verifies detached signatures by the keys of one list of allowed signers.

    A key is judged as of now: after its ``valid-before`` no signature counts, because the time of a signature is the signer's own word.
    """

    def __init__(self, allowed_signers: bytes, *, timeout: float = TIMEOUT) -> None:
        """Trust the keys of the list, given as the content of an allowed-signers file; ``timeout`` is in seconds."""
        self._allowed_signers = allowed_signers
        self._timeout = timeout

    @classmethod
    def from_file(cls, path: Path, *, timeout: float = TIMEOUT) -> "SSH":
        """Read an allowed-signers file; raise SignersUnusable when it cannot be read or is empty."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SignersUnusable(f"The list of allowed signers {path} cannot be read ({error.strerror}).") from None
        if not content.strip():
            raise SignersUnusable(f'The list of allowed signers {path} is empty; add a line: PRINCIPAL namespaces="git" KEY.')
        return cls(content, timeout=timeout)

    def verify(self, payload: bytes, signature: bytes, *, allowed: Collection[str] | None = None) -> Proof:
        """Verify one detached signature; this blocks for some milliseconds.

        ``allowed`` are principals; None allows everyone in the list, an empty collection nobody.
        """
        with tempfile.TemporaryDirectory(prefix="ssh-") as name:
            folder = Path(name)
            (folder / "allowed").write_bytes(self._allowed_signers)
            (folder / "signature").write_bytes(signature)
            found = self._run(folder, "find-principals")
            principals = found.output.decode(errors="replace").splitlines() if found.code == 0 else []
            expected = [principal for principal in principals if allowed is None or principal in allowed]
            if not principals:
                return bad("SSH: the key that signed is not among the allowed signers", _said(found))
            if not expected:
                return bad(f"SSH: signed by {principals[0]!r}, whose signature does not count here", _said(found))
            finished = [self._run(folder, "verify", "-n", _NAMESPACE, "-I", principal, given=payload) for principal in expected]
        for principal, one in zip(expected, finished, strict=True):
            if one.code == 0:
                return good(principal, "signed by a key on the list of allowed signers", _said(one))
        return bad("SSH: the signature does not fit the content, or was not made for git", _said(finished[0]))

    def _run(self, folder: Path, act: str, *options: str, given: bytes = b"") -> Finished:
        """Run ssh-keygen on the files of the folder."""
        return run(
            ("ssh-keygen", "-Y", act, "-f", "allowed", "-s", "signature", *options), folder=folder, timeout=self._timeout, given=given
        )


def _said(finished: Finished) -> tuple[str, ...]:
    """Return what ssh-keygen said, line by line."""
    return tuple(line for line in (finished.output.decode(errors="replace") + finished.complaint).splitlines() if line.strip())
