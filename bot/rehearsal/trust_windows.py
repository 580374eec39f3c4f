"""A small Windows signing service with a root of its own: programs, catalogues and timestamps that are signed as the real ones are.

Programs are signed by osslsigncode (https://github.com/mtrojnar/osslsigncode), 2.5 as in Debian 12 or later. What only later versions can
do is done here: timestamps without a server on the network, second signatures, and catalogues.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.rehearsal.trust_windows_cms import NESTED, TIMESTAMP, LooseSignature, Signer, catalogue, timestamp
from bot.rehearsal.trust_windows_program import signature_of, small_program, with_signature
from bot.rehearsal.versions import WrongUse

COMMON_NAME: Final = "Python Software Foundation"
TRUSTED_SIGNING: Final = "1.3.6.1.4.1.311.97.608394634.79987812.305991749.578777327"
"""The usage by which the certificates of the real signing service are known."""

_CODE_SIGNING: Final = ExtendedKeyUsageOID.CODE_SIGNING.dotted_string
_TIME_STAMPING: Final = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string
_LIFE: Final = timedelta(days=3)
_EARLIER: Final = timedelta(hours=1)
_PATIENCE: Final = 60.0
"""Seconds for one signature, which takes some hundredths of one."""


@dataclass(frozen=True, kw_only=True)
class SmallWindowsSigning:
    """Signs by one certificate under a root of its own; what was signed once is not signed again."""

    folder: Path
    root: Signer
    signer: Signer
    stamper: Signer
    at: datetime
    _made: dict[tuple[bytes, str, bool], bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def create(cls, folder: Path, *, at: datetime | None = None) -> "SmallWindowsSigning":
        """Make a root, a certificate to sign with and one for timestamps; ``at`` is when everything is signed, by default now.

        Certificates live for three days, as the real ones do. The key lies in ``folder`` only while osslsigncode reads it.
        """
        moment = at or datetime.now(UTC)
        root = Signer.root("Small Windows Root", born=moment - timedelta(days=365))
        stamper = root.issue("Small Time Stamping", (_TIME_STAMPING,), born=moment - timedelta(days=300), life=timedelta(days=3000))
        made = cls(folder=folder, root=root, signer=stamper, stamper=stamper, at=moment)
        return made.issue()

    def issue(
        self, common_name: str = COMMON_NAME, usages: tuple[str, ...] = (_CODE_SIGNING, TRUSTED_SIGNING), *, born: datetime | None = None
    ) -> "SmallWindowsSigning":
        """Return a service under the same root that signs by a new certificate; ``usages`` are dotted numbers."""
        signer = self.root.issue(common_name, usages, born=born or self.at - _EARLIER, life=_LIFE)
        return replace(self, signer=signer, _made={})

    def stamped(self, at: datetime) -> "SmallWindowsSigning":
        """Return the same service at another time."""
        return replace(self, at=at, _made={})

    @property
    def roots_pem(self) -> bytes:
        """Give the root in PEM; signatures and timestamps both lead to it."""
        return self.root.certificate_pem

    @staticmethod
    def small_pe(content: bytes = b"") -> bytes:
        """Return a small Windows program that is not signed; programs with other ``content`` are others."""
        return small_program(content)

    def sign_pe(self, unsigned: bytes, description: str, *, timestamped: bool = True) -> bytes:
        """Return a program of ours signed; raise WrongUse when osslsigncode is not installed or refuses."""
        key = (unsigned, description, timestamped)
        if key not in self._made:
            self._made[key] = self._signed(unsigned, description, timestamped=timestamped)
        return self._made[key]

    def stamp_pe(self, signed: bytes, *, stamp: bytes = b"") -> bytes:
        """Return a signed program of ours with a timestamp; ``stamp`` is one made otherwise."""
        loose = LooseSignature.of(signature_of(signed))
        return with_signature(signed, loose.bearing(TIMESTAMP, stamp or timestamp(loose.value, self.stamper, at=self.at)).whole())

    def sign_pe_twice(self, unsigned: bytes, description: str, second: "SmallWindowsSigning") -> bytes:
        """Return a program with a signature of ours that holds one of a second service, as Microsoft's files have two."""
        signed = self.sign_pe(unsigned, description)
        nested = signature_of(second.sign_pe(unsigned, description))
        return with_signature(signed, LooseSignature.of(signature_of(signed)).bearing(NESTED, LooseSignature.of(nested).whole()).whole())

    def sign_catalogue(self, *files: bytes, description: str = "PyManager") -> bytes:
        """Return a signed catalogue over files of any kind, such as the index of the install manager."""
        return catalogue(files, self.signer, self.stamper, description=description, at=self.at)

    def _signed(self, unsigned: bytes, description: str, *, timestamped: bool) -> bytes:
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="sign-") as name:
            folder = Path(name)
            (folder / "certificate.pem").write_bytes(self.signer.certificate_pem)
            (folder / "key.pem").write_bytes(self.signer.key_pem)
            (folder / "unsigned.exe").write_bytes(unsigned)
            _osslsigncode(folder, description)
            signed = (folder / "signed.exe").read_bytes()
        return self.stamp_pe(signed) if timestamped else signed


def _osslsigncode(folder: Path, description: str) -> None:
    """Sign ``unsigned.exe`` as ``signed.exe``."""
    command = ["osslsigncode", "sign", "-certs", "certificate.pem", "-key", "key.pem", "-h", "sha256", "-n", description]
    try:
        done = subprocess.run(  # noqa: S603 - the program is fixed and no shell is involved
            [*command, "-in", "unsigned.exe", "-out", "signed.exe"],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        raise WrongUse("Windows files cannot be signed without osslsigncode; install it (Debian: the package osslsigncode).") from None
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise WrongUse(f"osslsigncode did not sign a Windows file; look at what it said: {said}")
