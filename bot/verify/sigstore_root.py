"""What is trusted of a Sigstore: its certificate authorities, logs and time stampers, pinned as one document.

The document: https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto. The library's own way to it keeps
a cache in the home folder even when it is told to stay offline, so it is given here from bytes.
"""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Final

from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from bot.errors import UserError

LARGEST_ROOT: Final = 1 << 20
"""Bytes; the one of Sigstore's public instance has less than a hundredth of this."""

_EMBEDDED: Final = ("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
# The library reads a trusted root alone from a file only; as a part of this document it reads one from memory, and never asks for the rest.
_CONFIG: Final = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_SIGNING: Final = "application/vnd.dev.sigstore.signingconfig.v0.2+json"


class RootUnusable(UserError):
    """The trusted root of a Sigstore cannot be used."""


class SigstoreRoot:
    """The trusted root of one Sigstore; ``sha256`` is the digest of its document, for people to compare."""

    def __init__(self, document: bytes) -> None:
        """Read the document, which is JSON; raise RootUnusable when it is no trusted root or holds no keys."""
        self.sha256: Final = hashlib.sha256(document).hexdigest()
        self.verifier: Final = _verifier(document)

    @classmethod
    def of(cls, given: "bytes | Path | SigstoreRoot | None" = None) -> "SigstoreRoot":
        """Return the root that was given, as its document or the file of it; None is the one that the pinned library ships."""
        match given:
            case SigstoreRoot():
                return given
            case None:
                return cls(production_root())
            case Path():
                return cls(_read(given))
            case _:
                return cls(given)


def production_root() -> bytes:
    """Return the trusted root of Sigstore's public instance (https://docs.sigstore.dev) that ships inside the pinned library."""
    return resources.files("sigstore").joinpath(*_EMBEDDED).read_bytes()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_ROOT + 1)
    except OSError as error:
        raise RootUnusable(f"The trusted root {path} cannot be read ({error.strerror}); give the file trusted_root.json.") from None


def _verifier(document: bytes) -> Verifier:
    if len(document) > LARGEST_ROOT:
        raise RootUnusable(f"The trusted root has more than {LARGEST_ROOT} bytes; give the file trusted_root.json of a Sigstore.")
    try:
        config = {"mediaType": _CONFIG, "trustedRoot": json.loads(document), "signingConfig": {"mediaType": _SIGNING}}
        return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)
    except Exception as error:
        raise RootUnusable(
            f"The trusted root of Sigstore cannot be used ({type(error).__name__}); give the file trusted_root.json of a Sigstore."
        ) from error
