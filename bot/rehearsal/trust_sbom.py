"""Make the list of parts that is published beside an archive: an SPDX 2.3 document like those of CPython.

The format: https://spdx.github.io/spdx-spec/v2.3/; what CPython puts in it:
https://github.com/python/release-tools/blob/main/sbom.py.
"""

import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

Row = dict[str, object]

VENDORED: Final[Mapping[str, str]] = {"expat": "Modules/expat/", "mpdecimal": "Modules/_decimal/libmpdec/"}
"""Parts that others wrote, and the folder where each lies in the sources."""

CREATED: Final = "2026-08-01T00:00:00Z"

_CPYTHON: Final = "SPDXRef-PACKAGE-cpython"


def spdx_of(file_name: str, content: bytes, *, version: str, url: str, created: str = CREATED) -> bytes:
    """Return the document of a published file: the same bytes each time.

    A source archive is listed file by file, and a zip too; of anything else only the file itself is named, with its hash.
    """
    rows = {name: _file(name, inside) for name, inside in sorted(_inside(file_name, content))}
    owners = {name: _owner(name) for name in rows}
    parts = sorted({owner for owner in owners.values() if owner != _CPYTHON})
    own = {owner: [rows[name] for name in rows if owners[name] == owner] for owner in (*parts, _CPYTHON)}
    packages = [_package(part, part.rpartition("-")[2], "https://example.org/" + part, own[part]) for part in parts]
    packages.append(
        _package(_CPYTHON, "CPython", url, own[_CPYTHON])
        | {"versionInfo": version, "packageFileName": file_name, "checksums": [_sum("SHA256", content)]}
    )
    relations = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", _CPYTHON)]
    relations += [_relation(_CPYTHON, "DEPENDS_ON", part) for part in parts]
    relations += [_relation(owners[name], "CONTAINS", str(row["SPDXID"])) for name, row in rows.items()]
    document = {
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "name": "CPython SBOM",
        "dataLicense": "CC0-1.0",
        "documentNamespace": f"{url}.spdx.json",
        "creationInfo": {"created": created, "creators": ["Person: Python Release Managers", "Tool: the world in a box"]},
        "packages": packages,
        "files": list(rows.values()),
        "relationships": relations,
    }
    return json.dumps(document, indent=2, sort_keys=True).encode()


def _inside(file_name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the files in an archive, below the top folder that source archives have."""
    if file_name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            yield from ((name, opened.read(name)) for name in opened.namelist() if not name.endswith("/"))
    elif file_name.endswith((".tgz", ".tar.xz", ".tar.gz")):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                reader = archive.extractfile(member) if member.isreg() else None
                if reader is not None:
                    yield member.name.partition("/")[2], reader.read()


def _owner(name: str) -> str:
    """Return the id of the package that a file belongs to."""
    return next((f"SPDXRef-PACKAGE-{part}" for part, folder in VENDORED.items() if name.startswith(folder)), _CPYTHON)


def _file(name: str, content: bytes) -> Row:
    # Ids take few characters, so two names could become one id; a bit of the name's hash keeps them apart.
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    identity = f"SPDXRef-FILE-{re.sub('[^A-Za-z0-9.]', '-', name)}-{mark}"
    return {"SPDXID": identity, "fileName": name, "checksums": [_sum("SHA1", content), _sum("SHA256", content)]}


def _package(identity: str, name: str, url: str, files: list[Row]) -> Row:
    return {
        "SPDXID": identity,
        "name": name,
        "versionInfo": "1.0",
        "downloadLocation": url,
        "checksums": [_sum("SHA256", url.encode())],
        "filesAnalyzed": True,
        "licenseConcluded": "NOASSERTION",
        "supplier": "Organization: Python Software Foundation",
        "primaryPackagePurpose": "SOURCE",
        "packageVerificationCode": {"packageVerificationCodeValue": _code(files)},
    }


def _code(files: list[Row]) -> str:
    """Return the code of a package's files: https://spdx.github.io/spdx-spec/v2.3/package-information/#79-package-verification-code-field."""
    sums = sorted(str(one["checksumValue"]) for row in files for one in _sums(row) if one["algorithm"] == "SHA1")
    return hashlib.sha1("".join(sums).encode(), usedforsecurity=False).hexdigest()


def _sums(row: Row) -> list[Row]:
    sums = row["checksums"]
    return sums if isinstance(sums, list) else []


def _sum(algorithm: str, content: bytes) -> Row:
    return {"algorithm": algorithm, "checksumValue": hashlib.new(algorithm.lower(), content, usedforsecurity=False).hexdigest()}


def _relation(of: str, kind: str, to: str) -> Row:
    return {"spdxElementId": of, "relationshipType": kind, "relatedSpdxElement": to}
