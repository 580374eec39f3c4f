"""Verify OpenPGP signatures with gpgv and decide from its status lines alone.

What the lines mean: https://github.com/gpg/gnupg/blob/master/doc/DETAILS. gpgv's exit code and its prose also accept expired keys, and
any key of the ring; user ids, which their owners choose, are only ever the tail of a status line.
"""

import re
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.errors import Unavailable, UserError
from bot.verify.programs import Finished, run
from bot.verify.proof import Proof, bad, good
from bot.verify.result import NotProven, Proven, Unusable

TIMEOUT: Final = 30.0
"""Seconds for each call of gpg and gpgv, unless told otherwise."""

LARGEST_SIGNATURE: Final = 64 * 1024
"""Bytes of a detached signature of a file; those of real releases have less than 1,000."""

_PREFIX: Final = "[GNUPG:] "
_ONE_BLOCK: Final = re.compile(
    rb"\s*-----BEGIN PGP SIGNATURE-----[ \t]*\r?\n(?:(?!-----)[\t\r\n -~])+\n-----END PGP SIGNATURE-----\s*", re.DOTALL
)
"""One armored signature and nothing beside it: https://www.rfc-editor.org/rfc/rfc9580#name-forming-ascii-armor."""
_VERDICTS: Final = {
    "BADSIG": "the signature does not fit the content",
    "ERRSIG": "the signature could not be checked",
    "REVKEYSIG": "the key that signed was revoked",
    "EXPSIG": "the signature itself has expired",
    "FAILURE": "gpgv could not read the signature",
    "NODATA": "there is no signature in the block",
    "UNEXPECTED": "there is something unexpected in the signature block",
    "PLAINTEXT": "the signature block carries content of its own",
    "BADARMOR": "the signature block is damaged",
}
_WEAK_HASHES: Final = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
_BINARY: Final = "00"
_FIELDS: Final = 10


class KeysUnusable(UserError):
    """The given keys cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """Public keys, all copies of one key merged; ``fingerprints`` are those of the primary keys, ``revoked`` also those of subkeys."""

    content: bytes
    fingerprints: frozenset[str]
    revoked: frozenset[str] = frozenset()

    @classmethod
    def from_files(cls, files: Iterable[Path], *, timeout: float = TIMEOUT) -> "Keyring":
        """Read key files, armored or binary; raise KeysUnusable naming the file that is not a public key.

        Copies are merged because an old copy does not know of a later revocation, nor of a later expiry date.
        """
        with tempfile.TemporaryDirectory(prefix="keys-") as name:
            folder = Path(name)
            gpg = ("gpg", "--batch", "--no-options", "--no-autostart", "--disable-dirmngr", "--homedir", name)
            fingerprints = frozenset(
                fingerprint for number, file in enumerate(files) for fingerprint in _import(gpg, file, folder / f"key-{number}", timeout)
            )
            if not fingerprints:
                raise KeysUnusable("No OpenPGP keys were given; give the public keys of those who sign.")
            content = run((*gpg, "--export"), folder=folder, timeout=timeout).output
            listing = run((*gpg, "--list-keys", "--with-colons", "--with-subkey-fingerprints"), folder=folder, timeout=timeout).output
        return cls(content=content, fingerprints=fingerprints, revoked=_revoked(listing))

    @classmethod
    def from_folder(cls, folder: Path, *, timeout: float = TIMEOUT) -> "Keyring":
        """Read all ``*.asc``, ``*.gpg``, ``*.key`` and ``*.pgp`` files of a folder; raise KeysUnusable when there is none."""
        if not folder.is_dir():
            raise KeysUnusable(f"{folder} is not a folder; give the folder that holds the public keys.")
        files = sorted(path for path in folder.iterdir() if path.suffix in (".asc", ".gpg", ".key", ".pgp"))
        if not files:
            raise KeysUnusable(f"There are no keys in {folder}; put files named *.asc, *.gpg, *.key or *.pgp there.")
        return cls.from_files(files, timeout=timeout)


class OpenPGP:
    """Verifies detached signatures by the keys of one ring."""

    def __init__(self, keyring: Keyring, *, expired_keys: bool = True, timeout: float = TIMEOUT) -> None:
        """Trust the keys of the ring; ``timeout`` is in seconds.

        With ``expired_keys`` a key that has expired since still counts for what it signed before, as with the tags of old releases. When a
        signature says it was made is its maker's own word, so a release that is being made now must not rest on it.
        """
        self._keyring = keyring
        self._expired_keys = expired_keys
        self._timeout = timeout

    def verify(self, payload: bytes, signature: bytes, *, allowed: Collection[str] | None = None) -> Proof:
        """Verify one detached signature; this blocks for some milliseconds.

        ``allowed`` are fingerprints of primary keys, 40 hexadecimal digits; None allows every key of the ring, an empty collection none.
        """
        with tempfile.TemporaryDirectory(prefix="gpgv-") as name:
            (Path(name) / "payload").write_bytes(payload)
            return self._prove(Path(name), Path(name) / "payload", signature, allowed)

    def verify_file(self, path: Path, signature: bytes, *, allowed: Collection[str]) -> Proven:
        """Verify the detached, armored signature of a file of any size, which gpgv reads as a stream; this blocks.

        ``allowed`` are the fingerprints of the primary keys whose signatures count for this kind of file of this series; that of a subkey
        counts as its primary's. Raises NotProven, Unusable where there is no signature that could be judged, and ProgramMissing.
        """
        if len(signature) > LARGEST_SIGNATURE or not _ONE_BLOCK.fullmatch(signature):
            why = f"The OpenPGP signature of {path.name} is not one whole armored signature and nothing else; fetch it again or sign anew."
            raise Unusable(why, f"it has {len(signature)} bytes and begins with {signature[:40]!r}")
        if not path.is_file():
            raise Unusable(f"{path.name} cannot be read, so its OpenPGP signature proves nothing; fetch the file again.", str(path))
        try:
            with tempfile.TemporaryDirectory(prefix="gpgv-") as name:
                proof = self._prove(Path(name), path.absolute(), signature, allowed)
        except Unavailable as error:
            why = f"The OpenPGP signature of {path.name} could not be judged in time; verify again when the machine is less busy."
            raise Unusable(why, str(error)) from None
        what = proof.why.removeprefix("OpenPGP: ")
        if not proof.good:
            raise NotProven(
                f"The OpenPGP signature of {path.name} does not count: {what}.", *(proof.said or ("gpgv found no signature in it",))
            )
        return Proven(why=f"{path.name} was {what}.", signer=proof.signer, diagnostics=proof.said)

    def _prove(self, folder: Path, content: Path, signature: bytes, allowed: Collection[str] | None) -> Proof:
        """Let gpgv judge in a private folder what lies at ``content``."""
        for file, given in (("ring.gpg", self._keyring.content), ("signature", signature)):
            (folder / file).write_bytes(given)
        finished = run(
            ("gpgv", "--homedir", str(folder), "--keyring", str(folder / "ring.gpg"), "--status-fd", "1", "--", "signature", str(content)),
            folder=folder,
            timeout=self._timeout,
        )
        proof = judge(status_lines(finished), None if allowed is None else frozenset(_plain(one) for one in allowed))
        if proof.good and self._keyring.revoked & {word for line in proof.said if line.startswith("VALIDSIG ") for word in line.split()}:
            # Of a key that was revoked and has expired, gpgv says only that it has expired.
            return bad("OpenPGP: the key that signed was revoked", proof.said)
        if proof.good and not self._expired_keys and any(line.startswith("EXPKEYSIG") for line in proof.said):
            return bad("OpenPGP: the key that signed has expired; extend it, or sign with another", proof.said)
        return proof


def status_lines(finished: Finished) -> list[list[str]]:
    """Return gpgv's status lines, each split into words; standard output holds nothing else."""
    lines = finished.output.decode(errors="replace").split("\n")
    return [line.removeprefix(_PREFIX).split(" ") for line in lines if line.startswith(_PREFIX)]


def judge(lines: Sequence[Sequence[str]], allowed: Collection[str] | None) -> Proof:
    """Decide from the status lines of one verification."""
    said = tuple(" ".join(line) for line in lines)
    words = {line[0] for line in lines}
    if "NO_PUBKEY" in words:
        return bad(f"OpenPGP: the key that signed is not among the given keys ({_key(lines)})", said)
    for word, why in _VERDICTS.items():
        if word in words:
            return bad(f"OpenPGP: {why}", said)
    valid = [line for line in lines if line[0] == "VALIDSIG"]
    verdicts = [line for line in lines if line[0] in ("GOODSIG", "EXPKEYSIG")]
    if len(valid) != 1 or len(verdicts) != 1 or [line[0] for line in lines].count("NEWSIG") > 1:
        return bad("OpenPGP: there is not exactly one valid signature", said)
    return _judge_one(list(valid[0][1:]), verdicts[0], [line for line in lines if line[0] == "KEYEXPIRED"], allowed, said)


def _judge_one(
    valid: Sequence[str], verdict: Sequence[str], expiries: Sequence[Sequence[str]], allowed: Collection[str] | None, said: tuple[str, ...]
) -> Proof:
    """Decide about the one signature that is mathematically right."""
    if len(valid) < _FIELDS or not valid[0].endswith(verdict[1]) or not valid[2].isdigit():
        return bad("OpenPGP: gpgv's answer about the signature is not complete", said)
    signed_at, hash_, class_, primary = int(valid[2]), valid[7], valid[8], valid[9]
    if hash_ in _WEAK_HASHES:
        return bad(f"OpenPGP: the signature rests on {_WEAK_HASHES[hash_]}, which can be forged", said)
    if class_ != _BINARY:
        return bad("OpenPGP: the signature is one over text, which does not cover line ends; sign in binary mode", said)
    if verdict[0] == "EXPKEYSIG":
        ends = [int(line[1]) for line in expiries if len(line) > 1 and line[1].isdigit()]
        if not ends or signed_at >= min(ends):
            return bad("OpenPGP: the key had expired when it signed", said)
    if allowed is not None and primary not in allowed:
        return bad(f"OpenPGP: signed by {primary}, whose signature does not count here", said)
    if verdict[0] == "EXPKEYSIG":
        return good(primary, f"signed on {datetime.fromtimestamp(signed_at, UTC):%Y-%m-%d}, before the key expired", said)
    return good(primary, "signed by a key that is valid", said)


def _import(gpg: Sequence[str], file: Path, copy: Path, timeout: float) -> list[str]:
    """Import one file and return the fingerprints in it."""
    try:
        copy.write_bytes(file.read_bytes())
    except OSError as error:
        raise KeysUnusable(f"The key file {file} cannot be read ({error.strerror}).") from None
    finished = run((*gpg, "--status-fd", "1", "--import", "--", copy.name), folder=copy.parent, timeout=timeout)
    lines = status_lines(finished)
    found = [line[2] for line in lines if line[0] == "IMPORT_OK" and len(line) > 2]  # noqa: PLR2004 - IMPORT_OK REASON FINGERPRINT
    if any(line[0] == "IMPORT_RES" and line[10] != "0" for line in lines):
        raise KeysUnusable(f"{file} holds a secret key; take it away and give the public key alone.")
    if not found:
        raise KeysUnusable(f"{file} holds no usable OpenPGP key; give a public key, armored or binary.")
    return found


def _revoked(listing: bytes) -> frozenset[str]:
    """Return the fingerprints of the revoked keys and subkeys in a listing (https://github.com/gpg/gnupg/blob/master/doc/DETAILS)."""
    found: set[str] = set()
    validity = ""
    for line in listing.decode(errors="replace").splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sub"):
            validity = fields[1]
        elif fields[0] == "fpr" and validity == "r":
            found.add(fields[9])
    return frozenset(found)


def _key(lines: Sequence[Sequence[str]]) -> str:
    """Return the id of the key that is missing."""
    return next(line[1] for line in lines if line[0] == "NO_PUBKEY" and len(line) > 1)


def _plain(fingerprint: str) -> str:
    """Return a fingerprint the way gpgv writes it."""
    return fingerprint.replace(" ", "").upper()
