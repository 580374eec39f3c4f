"""What one release has to satisfy: plain values and the proofs that were made with what is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.publication import ExpectedFile, FileGroup
from bot.release.version import Kind, Version
from bot.verify.authenticode import Authenticode
from bot.verify.openpgp import OpenPGP
from bot.verify.sigstore_bundle import SigstoreBundle


@dataclass(frozen=True, kw_only=True)
class Signers:
    """Whose OpenPGP signatures count, by kind of file: fingerprints of primary keys."""

    source: frozenset[str] = frozenset()
    windows: frozenset[str] = frozenset()
    macos: frozenset[str] = frozenset()

    def of(self, group: FileGroup | None) -> frozenset[str]:
        """Return those who may sign a file of this group; None is a file that the release does not have, which nobody may sign."""
        match group:
            case FileGroup.SOURCE:
                return self.source
            case FileGroup.WINDOWS_INSTALLER | FileGroup.WINDOWS_EMBEDDABLE | FileGroup.WINDOWS_MANIFEST:
                return self.windows
            case FileGroup.MACOS:
                return self.macos
            case _:
                return frozenset()


@dataclass(frozen=True, kw_only=True)
class ReleasePolicy:
    """What a release has, and who vouches for it; a proof that is None cannot be asked, because nothing is trusted for it."""

    version: Version
    kind: Kind
    expected: tuple[ExpectedFile, ...]
    sigstore: SigstoreBundle | None = None
    openpgp: OpenPGP | None = None
    signers: Signers = Signers()
    tag_signature_required: bool = True
    authenticode: Authenticode | None = None
    nuget: tuple[str, ...] = ()
    """The packages that the release has on NuGet, by their ids."""

    @property
    def name(self) -> str:
        """Return the name of the release on python.org."""
        return self.version.tag_message


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What somebody who built files told of them: ``sha256`` is by the name of the file, ``name`` is who it was."""

    name: str
    sha256: Mapping[str, str] = field(default_factory=dict)
