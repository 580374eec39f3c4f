"""The one door to signify, which reads Authenticode signatures (https://github.com/ralphje/signify); import its names from here only.

signify rests on oscrypto, whose last release (1.3.0, of 2022) asks the system's OpenSSL for its version and knows only versions whose
parts have one digit each: with OpenSSL 3.0.10 and later, every import ends with "Error detecting the version of libcrypto". It was repaired
in its repository, but never released: https://github.com/wbond/oscrypto/issues/75 and https://github.com/wbond/oscrypto/pull/76.

So while signify is imported here, the two modules of oscrypto that ask are compiled with the repaired pattern. Nothing that is installed is
changed. Where the pattern is not found, as in a later release, the modules are compiled as they are; once such a release is the oldest that
is supported, the guard has nothing left to do, and all above the imports of signify can go.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Final

from bot.errors import UserError

_ASKING: Final = frozenset({"oscrypto._openssl._libcrypto_cffi", "oscrypto._openssl._libcrypto_ctypes"})
_ONE_DIGIT: Final = rb"\\d\\.\\d\\.\\d[a-z]*"
_DIGITS: Final = rb"\\d+\\.\\d+\\.\\d+[a-z]*"


class OpenSSLMissing(UserError):
    """The library by which signatures are computed was not found on this machine."""


class _Repairing(SourceFileLoader):
    """Compiles a module with the pattern for versions whose parts have several digits."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile from the source, never from what was compiled before, and leave no compiled file behind."""
        path = self.get_filename(fullname)
        return compile(self.get_data(path).replace(_ONE_DIGIT, _DIGITS), path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the modules that ask for the version, and nothing else."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how to load one of the modules; None for all others, and where it has no plain source."""
        if fullname not in _ASKING:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Repairing(spec.loader.name, spec.loader.path)
        return spec


@contextmanager
def _openssl_versions_understood() -> Iterator[None]:
    """Let oscrypto be imported with any version of OpenSSL; raise OpenSSLMissing where there is none."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        if type(error).__name__ != "LibraryNotFoundError":
            raise
        raise OpenSSLMissing("Windows signatures cannot be verified without OpenSSL's library; install it (Debian: libssl3).") from error
    finally:
        sys.meta_path.remove(finder)


with _openssl_versions_understood():
    from asn1crypto import parser, pem
    from signify.authenticode import AuthenticodeSignature, CertificateTrustList, CertificateTrustSubject
    from signify.authenticode.cert_store import LEGACY_CERTIFICATES, LEGACY_CERTIFICATES_LOCATION
    from signify.authenticode.signed_file import SignedPEFile
    from signify.authenticode.signer_info import AuthenticodeSignerInfo
    from signify.authenticode.tsp import RFC3161SignedData
    from signify.exceptions import (
        CertificateVerificationError,
        CounterSignerError,
        InvalidDigestError,
        SignerInfoVerificationError,
    )
    from signify.x509 import Certificate, CertificateStore, VerificationContext


def certificates_in_pem(text: bytes) -> list[bytes]:
    """Return the certificates of a PEM text in DER, each once; also of roots so old that a strict reader warns of them."""
    return list(dict.fromkeys(der for _, _, der in pem.unarmor(text, multiple=True)))


def length_of_der(content: bytes) -> int:
    """Return how many of the bytes the first value in DER takes; raise ValueError where there is none, or it is not whole."""
    return int(parser.peek(content))


__all__ = [
    "LEGACY_CERTIFICATES",
    "LEGACY_CERTIFICATES_LOCATION",
    "AuthenticodeSignature",
    "AuthenticodeSignerInfo",
    "Certificate",
    "CertificateStore",
    "CertificateTrustList",
    "CertificateTrustSubject",
    "CertificateVerificationError",
    "CounterSignerError",
    "InvalidDigestError",
    "OpenSSLMissing",
    "RFC3161SignedData",
    "SignedPEFile",
    "SignerInfoVerificationError",
    "VerificationContext",
    "certificates_in_pem",
    "length_of_der",
]
