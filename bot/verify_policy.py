"""Turn what a profile says into what one of its releases has to satisfy: the proofs themselves know nothing of profiles."""

from hashlib import sha256
from pathlib import Path

from bot.errors import UserError
from bot.profile import Profile, Series
from bot.publication import SeriesFiles, expected_files
from bot.release.version import Kind, SeriesStatus, Version, kinds_of
from bot.verify.authenticode import Authenticode, AuthenticodePolicy, Roots
from bot.verify.openpgp import Keyring, OpenPGP
from bot.verify.release_policy import ReleasePolicy, Signers
from bot.verify.sigstore_bundle import SigstoreBundle
from bot.verify.sigstore_root import SigstoreRoot


class NoSuchKind(UserError):
    """A version cannot be a release of the kind that was named."""


def release_policy(profile: Profile, version: Version, kind: Kind | None = None, keyring: Keyring | None = None) -> ReleasePolicy:
    """Return what a release has to satisfy; raise UnknownSeries, NoSuchKind, and UserError where what is trusted cannot be used.

    Without a kind it is the one that the version or the series tells. ``keyring`` holds the OpenPGP keys that may be asked.
    """
    series = profile.series_of(version)
    what = kind_of(version, series, kind)
    policy = series.files.policy if series.files else SeriesFiles(groups=frozenset())
    return ReleasePolicy(
        version=version,
        kind=what,
        expected=expected_files(version, what, policy),
        sigstore=_sigstore(profile, series),
        openpgp=OpenPGP(keyring) if keyring else None,
        signers=_signers(series),
        tag_signature_required=series.signature == "required",
        authenticode=_authenticode(profile, series, version),
        nuget=() if what is Kind.SECURITY else series.nuget,
    )


def kind_of(version: Version, series: Series, named: Kind | None) -> Kind:
    """Return the named kind, if the version can be of it; without one, security only where the profile says so of the series."""
    kinds = kinds_of(version)
    if named is not None and named not in kinds:
        known = " or ".join(kind.slug for kind in kinds) or "nothing that is ever released"
        raise NoSuchKind(f"{version} is no {named.slug} release: by its number it can be {known}.")
    if not kinds:
        raise NoSuchKind(f"{version} has no kind: alphas and betas are made for {version.series}.0 only, so please check the version.")
    since = series.security_from
    security = series.status is SeriesStatus.SECURITY or (since is not None and version >= Version.parse(since))
    if named is None and security and Kind.SECURITY in kinds:
        return Kind.SECURITY
    return named or kinds[0]


def keyring_of(profile: Profile, folder: Path | None) -> Keyring | None:
    """Return the OpenPGP keys of a folder, without one those of the profile that are there; None where there are none."""
    if folder is not None:
        return Keyring.from_folder(folder)
    files = [path for path in profile.trust.openpgp if path.is_file()]
    return Keyring.from_files(files) if files else None


def roots_of(profile: Profile) -> tuple[tuple[str, str], ...]:
    """Return the roots that are believed, each by its name and the SHA-256 of its bytes; raise UserError where one cannot be used."""
    trust = profile.trust
    found = []
    if trust.sigstore_root is not None:
        own = trust.sigstore_root if isinstance(trust.sigstore_root, Path) else None
        found.append(("Sigstore", SigstoreRoot.of(own).sha256))
    if trust.authenticode_roots is not None:
        roots = _roots(trust.authenticode_roots)
        found.append((f"Authenticode ({roots.name})", roots.sha256))
    found += [(f"OpenPGP ({path.name})", sha256(path.read_bytes()).hexdigest()) for path in trust.openpgp if path.is_file()]
    return tuple(found)


def _roots(told: Path | str) -> Roots:
    return Roots.from_file(told) if isinstance(told, Path) else Roots.microsoft()


def _sigstore(profile: Profile, series: Series) -> SigstoreBundle | None:
    root = profile.trust.sigstore_root
    if series.sigstore is None or root is None:
        return None
    own = root if isinstance(root, Path) else None
    return SigstoreBundle(own, identity=series.sigstore.identity, issuer=series.sigstore.issuer)


def _signers(series: Series) -> Signers:
    told = series.openpgp
    return Signers(source=frozenset(told.source), windows=frozenset(told.windows), macos=frozenset(told.macos))


def _authenticode(profile: Profile, series: Series, version: Version) -> Authenticode | None:
    told, roots = profile.authenticode, profile.trust.authenticode_roots
    if told is None or roots is None:
        return None
    trusted = _roots(roots)
    demanded = series.usage_from is not None and version >= Version.parse(series.usage_from)
    policy = AuthenticodePolicy(
        common_name=told.common_name,
        usage=told.usage if demanded else None,
        usage_of=told.usage_of,
        others=told.others,
    )
    return Authenticode(trusted, policy)
