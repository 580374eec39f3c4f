"""Everybody who signs in one world, with keys and roots that nobody trusts outside of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from bot.rehearsal.keys import OpenPgpKey
from bot.rehearsal.trust_sigstore import SmallSigstore
from bot.rehearsal.trust_windows import SmallWindowsSigning

SIGSTORE_ROOT: Final = "trusted_root.json"
WINDOWS_ROOTS: Final = "windows-roots.pem"

SOURCE: Final = "source"
WINDOWS: Final = "windows"
MACOS: Final = "macos"
SIGNERS: Final = (SOURCE, WINDOWS, MACOS)
"""Whose OpenPGP signatures stand on files, by the names that a profile has for them."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """The signers of one series: ``identity`` and ``issuer`` are whose login its Sigstore bundles name.

    ``openpgp`` are the keys by the names of ``SIGNERS``; empty for a series whose files have no such signatures.
    """

    sigstore: SmallSigstore
    windows: SmallWindowsSigning
    identity: str
    issuer: str
    openpgp: Mapping[str, OpenPgpKey]

    def write_roots(self, folder: Path) -> None:
        """Write what a profile in this folder names as its roots and keys."""
        (folder / SIGSTORE_ROOT).write_bytes(self.sigstore.trusted_root_json)
        (folder / WINDOWS_ROOTS).write_bytes(self.windows.roots_pem)
        for name, key in self.openpgp.items():
            (folder / f"{name}.asc").write_text(key.public(), encoding="utf-8")

    def trust_table(self) -> str:
        """Return the table ``[trust]`` of a profile that lies beside these files."""
        keys = ", ".join(f'"{name}.asc"' for name in ("manager", *self.openpgp))
        return f'[trust]\nopenpgp = [{keys}]\nsigstore_root = "{SIGSTORE_ROOT}"\nauthenticode_roots = "{WINDOWS_ROOTS}"\n'

    def signers_line(self) -> str:
        """Return the key ``openpgp`` of a series in a profile."""
        parts = ", ".join(f'{name} = ["{key.fingerprint}"]' for name, key in self.openpgp.items())
        return f"openpgp = {{ {parts} }}"

    def bundle(self, content: bytes) -> bytes:
        """Sign bytes by Sigstore as the release manager of the series."""
        return self.sigstore.sign(sha256(content).hexdigest(), self.identity, self.issuer)

    def program(self, content: bytes, description: str) -> bytes:
        """Build and sign a program for Windows."""
        return self.windows.sign_pe(self.windows.small_pe(content), description)
