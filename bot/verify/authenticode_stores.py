"""Trusted roots in the form in which signify takes them, found by name so that each file asks only the few that can matter."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from asn1crypto import x509

from bot.verify.authenticode_roots import Roots
from bot.verify.authenticode_signify import (
    Certificate,
    CertificateStore,
    CertificateTrustList,
    CertificateTrustSubject,
    CertificateVerificationError,
    VerificationContext,
)


class ListedRoot(CertificateStore):
    """One root, with what Microsoft's trust list says of it."""

    def __init__(self, root: Certificate, listed: CertificateTrustSubject | None) -> None:
        """Trust the root as the list allows; None is a root that is not in the list, which is never trusted."""
        super().__init__([root], trusted=True)
        self._listed = listed

    def verify_trust(self, chain: list[Certificate], context: VerificationContext | None = None) -> bool:
        """Ask the trust list as well; raise CertificateVerificationError where it does not allow this use at this time."""
        super().verify_trust(chain, context)
        if self._listed is None or context is None:
            raise CertificateVerificationError("The root is not in Microsoft's trust list.")
        return self._listed.verify_trust(chain, context)


class RootStores:
    """The roots by their names."""

    def __init__(self, roots: Roots) -> None:
        """Read the roots and their trust list once."""
        self._by_name: dict[bytes, list[CertificateStore]] = defaultdict(list)
        self.fingerprints: set[bytes] = set()
        listed = _listed(roots.trust_list) if roots.trust_list else None
        for der in roots.certificates:
            root = Certificate.from_der(der)
            plain = CertificateStore([root], trusted=True)
            self._add(root, plain if listed is None else ListedRoot(root, listed.get(hashlib.sha1(der, usedforsecurity=False).digest())))
        for der, uses in roots.former:
            root = Certificate.from_der(der)
            limits = {root.sha1_fingerprint: None if uses is None else sorted(uses)}
            self._add(root, CertificateStore([root], trusted=True, ctl=limits))

    def named(self, certificates: Iterable[Certificate]) -> tuple[CertificateStore, ...]:
        """Return the roots that these certificates name as their issuers, or are by name themselves.

        A name proves nothing: the certificates have yet to be verified up to the root. What is returned may be empty. Give it to signify
        within a context, never as its trusted store: an empty store counts as none there, and then all that Windows trusts is trusted.
        """
        names = dict.fromkeys(name for one in certificates for name in (_name(one.asn1.issuer), _name(one.asn1.subject)))
        return tuple(store for name in names for store in self._by_name.get(name, ()))

    def hold(self, certificate: Certificate) -> bool:
        """Tell whether a certificate is one of the roots, byte for byte."""
        return hashlib.sha256(certificate.to_der).digest() in self.fingerprints

    def _add(self, root: Certificate, store: CertificateStore) -> None:
        self._by_name[_name(root.asn1.subject)].append(store)
        self.fingerprints.add(hashlib.sha256(root.to_der).digest())


def _listed(trust_list: bytes) -> dict[bytes, CertificateTrustSubject]:
    """Return what Microsoft's trust list says of each root, by the SHA-1 of the root."""
    return {subject.identifier: subject for subject in CertificateTrustList.from_envelope(trust_list).subjects}


def _name(name: x509.Name) -> bytes:
    """Return a name in DER; a root and what it issued spell it alike."""
    return bytes(name.dump())


@lru_cache(maxsize=4)
def stores_of(roots: Roots) -> RootStores:
    """Return the roots ready for use; the work is done once for each set of roots."""
    return RootStores(roots)
