"""Keys and signatures, made anew for each run by the real programs."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TARGET = "b494f5935c92951e75597bfe1c8b1f3112fec270"


def payload(name: str = "v3.9.2", *, target: str = TARGET, kind: str = "commit", message: str = "Python 3.9.2\n") -> bytes:
    """Return an unsigned tag object."""
    return f"object {target}\ntype {kind}\ntag {name}\ntagger Łukasz Langa <lukasz@langa.pl> 1613737929 +0100\n\n{message}".encode()


def identity(raw: bytes) -> str:
    """Return a tag object's id."""
    return hashlib.sha1(b"tag %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, kw_only=True)
class GPG:
    """A person's GnuPG, with a home of its own."""

    home: Path

    @classmethod
    @contextmanager
    def fresh(cls) -> Iterator["GPG"]:
        """Make a home; its path is short, because GnuPG's agent listens on a socket in it."""
        home = Path(tempfile.mkdtemp(prefix="g-"))
        home.chmod(0o700)
        try:
            yield cls(home=home)
        finally:
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
            shutil.rmtree(home, ignore_errors=True)

    def run(self, *arguments: str, given: bytes = b"", at: str = "") -> bytes:
        """Run gpg, if wished as if it were another time such as ``20200101T000000``."""
        clock = ("--faked-system-time", at) if at else ()
        command = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            *clock,
            *arguments,
        ]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=environment)
        if done.returncode:
            raise AssertionError(f"gpg {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout

    def key(self, user: str, *, kind: str = "ed25519", expires: str = "never", at: str = "") -> str:
        """Make a key and return its fingerprint."""
        self.run("--quick-generate-key", user, kind, "sign", expires, at=at)
        lines = self.run("--list-keys", "--with-colons", f"={user}").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def subkey(self, primary: str) -> str:
        """Add a subkey that signs and return its fingerprint."""
        self.run("--quick-add-key", primary, "ed25519", "sign", "never")
        lines = self.run("--list-keys", "--with-colons", primary).decode().splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr")][-1]

    def export(self, *keys: str) -> bytes:
        """Return public keys, armored."""
        return self.run("--armor", "--export", *keys)

    def revoke(self, key: str) -> None:
        """Revoke a key with the certificate that GnuPG made beside it."""
        certificate = (self.home / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
        self.run("--import", given=certificate.encode())

    def sign(self, content: bytes, *keys: str, at: str = "", options: Sequence[str] = ()) -> bytes:
        """Return a detached armored signature by each of the keys, in one block."""
        users = [part for key in keys for part in ("--local-user", f"{key}!")]
        return self.run("--armor", *options, *users, "--detach-sign", given=content, at=at)


@dataclass(frozen=True, kw_only=True)
class SSHKey:
    """A person's SSH key."""

    path: Path
    principal: str

    @classmethod
    def fresh(cls, folder: Path, principal: str, kind: str = "ed25519") -> "SSHKey":
        """Make a key."""
        path = folder / f"{principal.partition('@')[0]}-{kind}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", principal, "-f", str(path)], check=True, stdin=subprocess.DEVNULL)
        return cls(path=path, principal=principal)

    def line(self, *, principal: str = "", options: str = 'namespaces="git" ') -> bytes:
        """Return the key's line for a list of allowed signers."""
        return f"{principal or self.principal} {options}{self.path.with_suffix('.pub').read_text()}".encode()

    def sign(self, content: bytes, *, namespace: str = "git") -> bytes:
        """Return a detached armored signature."""
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.path)]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout
