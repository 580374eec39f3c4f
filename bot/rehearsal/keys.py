"""The keys of the rehearsal's people: made for one world, thrown away with it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.rehearsal.repository import Identity, git_environment

_LONGEST_FOLDER: Final = 80
"""A socket's whole path must stay under 108 bytes (https://man7.org/linux/man-pages/man7/unix.7.html), and the agent adds up to 25."""

_RSA_BITS: Final = 2048
"""What GitHub itself makes for Apps."""

_TIME_OUT: Final = 60.0


class KeyNotMade(Exception):
    """GnuPG could not make or show a key; the text is what it said."""


class OpenPgpKey:
    """An ed25519 signing key in a GnuPG home of its own."""

    def __init__(self, home: Path, identity: Identity, *, expires: str = "1y") -> None:
        """Make the key; ``expires`` is GnuPG's notation, such as ``1y``, ``seconds=1`` or ``never``."""
        self.home = home
        self.identity = identity
        home.chmod(0o700)
        user = f"{identity.name} <{identity.email}>"
        status = self._gpg(
            "--status-fd=1", "--pinentry-mode=loopback", "--passphrase-fd=0", "--quick-generate-key", user, "ed25519", "sign", expires
        )
        created = [line.split() for line in status.splitlines() if " KEY_CREATED " in line]
        if not created:
            message = f"GnuPG made no key: {status}"
            raise KeyNotMade(message)
        self.fingerprint = created[0][3]

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables with which git signs by this key."""
        return {"GNUPGHOME": str(self.home)}

    @property
    def git_options(self) -> tuple[str, ...]:
        """Give git's options for signing by this key (https://git-scm.com/docs/git-config#Documentation/git-config.txt-gpgformat)."""
        return ("-c", "gpg.format=openpgp", "-c", f"user.signingKey={self.fingerprint}")

    def public(self) -> str:
        """Give the public key, armored."""
        return self._gpg("--armor", "--export", self.fingerprint)

    def sign(self, content: bytes) -> bytes:
        """Give a detached signature of bytes, armored."""
        return self._gpg("--armor", "--detach-sign", "--local-user", self.fingerprint, "--output", "-", feed=content).encode()

    def _gpg(self, *arguments: str, feed: bytes = b"\n") -> str:
        done = subprocess.run(  # noqa: S603 - the program is fixed and no shell is involved
            ["gpg", "--batch", "--quiet", *arguments],  # noqa: S607 - whichever GnuPG the person has
            env=git_environment(self.home) | self.environment,
            input=feed,
            capture_output=True,
            timeout=_TIME_OUT,
            check=False,
        )
        if done.returncode:
            message = f"GnuPG ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
            raise KeyNotMade(message)
        return done.stdout.decode()


@contextmanager
def openpgp_key(identity: Identity, *, expires: str = "1y") -> Iterator[OpenPgpKey]:
    """Make a key in a folder with a short path, and remove both and the agent at the end."""
    home = Path(tempfile.mkdtemp(prefix="key-"))
    if len(str(home)) > _LONGEST_FOLDER:
        home.rmdir()
        home = Path(tempfile.mkdtemp(prefix="key-", dir="/tmp"))
    try:
        yield OpenPgpKey(home, identity, expires=expires)
    finally:
        _end_agent(home)
        shutil.rmtree(home, ignore_errors=True)


def _end_agent(home: Path) -> None:
    """End the agent that GnuPG started for this home and would leave running."""
    subprocess.run(
        ["gpgconf", "--kill", "gpg-agent"],  # noqa: S607 - whichever GnuPG the person has
        env=git_environment(home) | {"GNUPGHOME": str(home)},
        capture_output=True,
        timeout=_TIME_OUT,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class SshKey:
    """An ed25519 key that signs tags by SSH; ``path`` is the private half."""

    path: Path
    identity: Identity
    public: str

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables with which git signs by this key: none."""
        return {}

    @property
    def git_options(self) -> tuple[str, ...]:
        """Give git's options for signing by this key (https://git-scm.com/docs/git-config#Documentation/git-config.txt-gpgformat)."""
        return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.path}")

    def allowed_signer(self) -> str:
        """Give the line of an allowed signers file (https://man.openbsd.org/ssh-keygen.1#ALLOWED_SIGNERS)."""
        return f'{self.identity.email} namespaces="git" {self.public}'


def ssh_key(folder: Path, identity: Identity) -> SshKey:
    """Make an SSH key in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    private = Ed25519PrivateKey.generate()
    path = folder / "id_ed25519"
    path.touch(mode=0o600)
    path.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    path.with_suffix(".pub").write_text(f"{public} {identity.email}\n", encoding="utf-8")
    return SshKey(path=path, identity=identity, public=public)


def app_key() -> tuple[str, str]:
    """Make the key pair of a GitHub App: the private and the public half, in PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode(),
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
    )
