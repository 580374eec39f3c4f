"""A small release with everything that vouches for it, made anew for each run, and everything a test may want to spoil."""

import gzip
import hashlib
import io
import json
import lzma
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.profile import load
from bot.rehearsal.trust_sbom import spdx_of
from bot.rehearsal.trust_sigstore import SmallSigstore
from bot.release.version import Version
from bot.verify.release_policy import ReleasePolicy
from bot.verify_policy import keyring_of, release_policy

FTP = "https://www.python.org/ftp/python/"
IDENTITY, ISSUER = "mona@python.org", "https://github.com/login/oauth"
TREE = {"README.rst": b"This is Python\n", "Lib/os.py": b"import sys\n", "configure": b"#!/bin/sh\n"}

PROFILE = """\
[project]
name = "demo"
repository = "octo-org/demo"
kind_source = "profile"

[[person]]
login = "octocat"
id = 583231
name = "Mona Lisa"
roles = ["release-manager"]
forks = ["octocat/demo"]

[series."{series}"]
branch = "{series}"
signature = "if-present"
status = "bugfix"
manager = "octocat"
files = {{ groups = [{groups}], companions = [{companions}] }}
usage_from = "{series}.0"
sigstore = {{ identity = "{identity}", issuer = "{issuer}" }}
openpgp = {{ source = [{fingerprints}] }}

[authenticode]
common_name = "Python Software Foundation"
usage = "1.3.6.1.4.1.311.97.608394634.79987812.305991749.578777327"
usage_of = ["python*.exe", "python3*.dll", "*.pyd"]

[trust]
sigstore_root = "trusted_root.json"
{roots}
"""


def tar_of(version: str, tree: Mapping[str, bytes] = TREE) -> bytes:
    """Return a tar as the release tools pack it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as opened:
        for path, content in {f"Python-{version}/{path}": content for path, content in tree.items()}.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = len(content), 0o755 if path.endswith("configure") else 0o644, 1_700_000_000
            opened.addfile(member, io.BytesIO(content))
    return plain.getvalue()


@dataclass
class SmallRelease:
    """The files of one release in a folder, and what python.org states of them; ``rows`` are by file name."""

    folder: Path
    version: str = "3.14.9"
    groups: tuple[str, ...] = ()
    companions: tuple[str, ...] = (".sigstore", ".spdx.json")
    fingerprints: tuple[str, ...] = ()
    roots: bytes = b""
    sigstore: SmallSigstore = field(default_factory=SmallSigstore.create)
    rows: dict[str, dict[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = self.folder / "files"
        self.files.mkdir(parents=True)
        (self.folder / "trusted_root.json").write_bytes(self.sigstore.trusted_root_json)
        (self.folder / "roots.pem").write_bytes(self.roots)
        packed = tar_of(self.version)
        self.add(f"Python-{self.version}.tgz", gzip.compress(packed, mtime=0), is_source=True)
        self.add(f"Python-{self.version}.tar.xz", lzma.compress(packed), is_source=True, download_button=True)
        self.profile = self.folder / "profile.toml"
        self.profile.write_text(
            PROFILE.format(
                series=Version.parse(self.version).series,
                groups=", ".join(f'"{group}"' for group in self.groups),
                companions=", ".join(f'"{companion}"' for companion in self.companions),
                fingerprints=", ".join(f'"{fingerprint}"' for fingerprint in self.fingerprints),
                roots='authenticode_roots = "roots.pem"' if self.roots else "",
                identity=IDENTITY,
                issuer=ISSUER,
            )
        )
        self.state()

    @property
    def tgz(self) -> Path:
        return self.files / f"Python-{self.version}.tgz"

    @property
    def txz(self) -> Path:
        return self.files / f"Python-{self.version}.tar.xz"

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata.json"

    def url(self, name: str) -> str:
        return f"{FTP}{Version.parse(self.version).base}/{name}"

    def add(self, name: str, content: bytes, **row: object) -> None:
        """Put a file there with what vouches for it, and list it as ``row`` says."""
        url, path = self.url(name), self.files / name
        path.write_bytes(content)
        self.sign(path)
        stated: dict[str, object] = {
            "url": url,
            "name": name,
            "slug": name.replace(".", ""),
            "os": "/api/v1/downloads/os/3/",
            "release": "/api/v1/downloads/release/7/",
            "resource_uri": f"/api/v1/downloads/release_file/{len(self.rows) + 1}/",
            "description": "",
            "is_source": False,
            "download_button": False,
            "filesize": len(content),
            "md5_sum": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "sha256_sum": hashlib.sha256(content).hexdigest(),
            "gpg_signature_file": "",
            "sigstore_bundle_file": f"{url}.sigstore",
            "sigstore_signature_file": "",
            "sigstore_cert_file": "",
            "sbom_spdx2_file": "",
        }
        if name.startswith("Python-") and ".spdx.json" in self.companions:
            path.with_name(f"{name}.spdx.json").write_bytes(spdx_of(name, content, version=self.version, url=url))
            stated["sbom_spdx2_file"] = f"{url}.spdx.json"
        self.rows[name] = {**stated, **row}

    def sign(self, path: Path, identity: str = IDENTITY, issuer: str = ISSUER, content: bytes | None = None) -> None:
        digest = hashlib.sha256(path.read_bytes() if content is None else content).hexdigest()
        path.with_name(f"{path.name}.sigstore").write_bytes(self.sigstore.sign(digest, identity, issuer))

    def state(self, name: str | None = None, **row: object) -> None:
        """Write the metadata anew, with the row of a file changed."""
        if name is not None:
            self.rows[name].update(row)
        rows = list(self.rows.values())
        page = {"meta": {"limit": 100, "offset": 0, "next": None, "previous": None, "total_count": len(rows)}, "objects": rows}
        self.metadata.write_text(json.dumps(page))

    def tracked(self) -> bytes:
        """Return the metadata in the tracker's form, the bundles within."""
        return json.dumps(
            [
                {
                    "raw": {
                        "url": row["url"],
                        "filesize": row["filesize"],
                        "md5": row["md5_sum"],
                        "sha256": row["sha256_sum"] or None,
                        "slug": "demo",
                        "description": None,
                        "sigstore": json.loads((self.files / f"{name}.sigstore").read_bytes()),
                    },
                    "sha256": "0" * 64,
                }
                for name, row in self.rows.items()
            ]
        ).encode()

    def policy(self, keys: Path | None = None) -> ReleasePolicy:
        profile = load(str(self.profile))
        return release_policy(profile, Version.parse(self.version), None, keyring_of(profile, keys))

    def arguments(self, *more: str) -> list[str]:
        """Return what the program is told to verify it offline."""
        where = ["--directory", str(self.files), "--metadata", str(self.metadata)]
        return [self.version, "--profile", str(self.profile), *where, *more]

    def repository(self, tree: Mapping[str, bytes] = TREE) -> Path:
        """Make a clone that holds the tag of the release."""
        clone = self.folder / "clone"
        for path, content in tree.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes(content)
        (clone / "configure").chmod(0o755)
        who = ["-c", "user.name=Mona", "-c", "user.email=mona@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
        for command in (
            ["init", "-q"],
            ["add", "-A"],
            ["commit", "-qm", "it"],
            ["tag", "-am", f"Python {self.version}", f"v{self.version}"],
        ):
            subprocess.run(["git", *who, *command], cwd=clone, check=True, capture_output=True)
        return clone
