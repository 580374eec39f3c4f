"""Who must have signed which Windows file: plain data, and the question whether a verified signature is the one that was expected.

Measured on the releases 3.8.10 to 3.13.2 and on the install manager's catalogue of 2026: the common name never changed, while towns,
issuers and certificates did. Since Azure Trusted Signing (3.12.9 and 3.13.2 have it, 3.11.9 has not) certificates live three days, and a
usage of their own says whose they are (https://learn.microsoft.com/en-us/azure/trusted-signing/concept-trusted-signing-cert-management).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from bot.verify.result import NotProven, Proven

TRUSTED_SIGNING: Final = "1.3.6.1.4.1.311.97.608394634.79987812.305991749.578777327"
"""The usage in every certificate that Azure Trusted Signing makes for the Python Software Foundation, and in nobody else's."""

OWN_FILES: Final = ("python*.exe", "pyw*.exe", "py.exe", "python3*.dll", "*.pyd", "*.cat")
"""What each release builds and signs anew: installers and programs, libraries, extension modules, catalogues.

Not libcrypto, libssl and libffi, which are built and signed once for many releases:
https://github.com/python/release-tools/blob/main/windows-release/sign-files.yml
"""

MICROSOFT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"vcruntime140*.dll": ("Microsoft Corporation", "Microsoft Windows Software Compatibility Publisher")}
)
"""What Microsoft has signed, twice each, and under which common names."""

_OF_RUN: Final = re.compile(r"Built: Release_(v[0-9][0-9a-z.]*)_[0-9.]+")
"""How the pipeline describes what it builds: by the name of its run, the tag and the date with a number
(https://github.com/python/release-tools/blob/main/windows-release/azure-pipelines.yml)."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature that was verified.

    ``file`` is the name of what it signs; ``usages`` are the extended key usages of the certificate as dotted numbers; ``signed_at`` is the
    countersigned time; ``description`` is what the signer says that this is, such as ``Built: Release_v3.13.2_20250204.01``.
    """

    file: str
    common_name: str
    usages: tuple[str, ...]
    signed_at: datetime
    description: str
    issuer: str
    serial: int

    @property
    def in_words(self) -> str:
        """Return one line for a person."""
        said = f", as “{self.description}”" if self.description else ""
        usages = ", ".join(self.usages)
        return f"{self.file}: {self.common_name}, {self.signed_at:%Y-%m-%d %H:%M:%S} UTC{said}; issuer {self.issuer}; usages {usages}"


@dataclass(frozen=True, kw_only=True)
class AuthenticodeProven(Proven):
    """What was proved, with each signature; ``descriptions`` are those of the files that the release itself built."""

    signatures: tuple[Signature, ...]
    descriptions: frozenset[str]

    def of_tag(self, name: str, tag: str) -> "AuthenticodeProven":
        """Return it again for a file called ``name``; raise NotProven where its signer says that it was built from another tag.

        Only descriptions that the pipeline makes of its run count; installers, for one, are described in other words.
        """
        for description in sorted(self.descriptions):
            built = _OF_RUN.fullmatch(description)
            if built and built[1] != tag:
                why = f"{name} is signed as built from {built[1]}, but this release is {tag}; publish the file that was built from {tag}."
                raise NotProven(why, *(one.in_words for one in self.signatures if one.description == description))
        return self


@dataclass(frozen=True, kw_only=True)
class AuthenticodePolicy:
    """Whose signatures count.

    ``usage`` is the extended key usage that certificates must have for files named like ``usage_of``; None is the era before there was one.
    ``others`` are files that others sign, and under which common names. Patterns are those of https://docs.python.org/3/library/fnmatch.html,
    for file names without their folders; small and capital letters are the same, as on Windows.
    """

    common_name: str = "Python Software Foundation"
    usage: str | None = TRUSTED_SIGNING
    usage_of: tuple[str, ...] = OWN_FILES
    others: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(MICROSOFT))
    unsigned: tuple[str, ...] = ()
    """Programs within zip files that bear no signature by nature."""

    def check(self, signature: Signature) -> None:
        """Raise NotProven when this is not the signature that the file must have."""
        names = self._names(signature.file)
        if signature.common_name not in names:
            wanted = " or ".join(names)
            why = f"{signature.file} is signed by {signature.common_name or 'nobody with a name'}, not by {wanted}; do not use it."
            raise NotProven(why, signature.in_words)
        if self.usage is not None and self.is_own(signature.file) and self.usage not in signature.usages:
            why = (
                f"{signature.file} is signed by {signature.common_name}, but its certificate lacks the usage of the Trusted Signing account"
                " that signs this release; ask the Windows expert which certificate signed it."
            )
            raise NotProven(why, f"the usage that is missing is {self.usage}", signature.in_words)

    def is_own(self, file: str) -> bool:
        """Tell whether the release itself builds and signs a file of this name."""
        return not self._other(file) and named_like(file, self.usage_of)

    def _names(self, file: str) -> tuple[str, ...]:
        return self._other(file) or (self.common_name,)

    def _other(self, file: str) -> tuple[str, ...]:
        return next((names for pattern, names in self.others.items() if named_like(file, (pattern,))), ())


def named_like(file: str, patterns: Iterable[str]) -> bool:
    """Tell whether a file's name without its folders is like one of the patterns."""
    name = file.rpartition("/")[2].casefold()
    return any(fnmatchcase(name, pattern.casefold()) for pattern in patterns)
