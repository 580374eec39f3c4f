"""The bundles that CPython's release managers made, out of the real data."""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RELEASES = "metadata/python-org-releases-2026-04-11.tar.xz"
IDENTITIES = "metadata/signing-identities.json"


@dataclass(frozen=True, kw_only=True)
class RealBundle:
    """A bundle, the file it is for, and who had to sign it."""

    version: str
    file: str
    sha256: str
    bundle: bytes
    identity: str
    issuer: str


def signers(artifacts: Path) -> dict[str, tuple[str, str]]:
    """Return identity and issuer by series; the rows whose fields are shifted in the original are left out."""
    rows = json.loads((artifacts / IDENTITIES).read_text())
    return {row["Release"]: (row["Release manager"], row["OIDC Issuer"]) for row in rows if "OIDC Issuer" in row}


def every_real_bundle(artifacts: Path) -> Iterator[RealBundle]:
    """Yield every bundle of the metadata archive in the folder of the artifacts; there are 886."""
    known = signers(artifacts)
    with tarfile.open(artifacts / RELEASES) as archive:
        for member in archive:
            found = re.fullmatch(r"(?:.*/)?versions/((\d+\.\d+)\..*)\.json", member.name)
            opened = archive.extractfile(member) if found else None
            for entry in json.load(opened) if opened else []:
                if found and entry["raw"]["sigstore"]:
                    identity, issuer = known[found[2]]
                    yield RealBundle(
                        version=found[1],
                        file=entry["raw"]["url"].rpartition("/")[2],
                        sha256=entry["sha256"],
                        bundle=json.dumps(entry["raw"]["sigstore"]).encode(),
                        identity=identity,
                        issuer=issuer,
                    )
