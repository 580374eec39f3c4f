"""Verify that everybody can fetch the packages of a release from NuGet.

Which packages there are, and how their versions are written:
https://github.com/python/release-tools/blob/main/windows-release/stage-pack-nuget.yml.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.release.quoting import shown
from bot.release.version import Version
from bot.verify.result import NotProven, Proven


def nuget_version(version: Version) -> str:
    """Return a version as NuGet writes it, by https://semver.org/spec/v2.0.0.html: ``3.15.0-a3`` or ``3.14.7``."""
    return f"{version.base}-{version.level.token}{version.serial}" if version.is_prerelease else version.base


@dataclass(frozen=True, kw_only=True)
class NuGetVisible:
    """Proves that each of the ``packages``, by their ids, can be fetched in this version."""

    packages: Collection[str]
    version: Version

    def verify(self, listed: Mapping[str, Collection[str]]) -> Proven:
        """Verify the versions that NuGet lists of each package, by its id; raise NotProven naming the packages that lack this one."""
        wanted = nuget_version(self.version)
        missing = sorted(package for package in self.packages if wanted not in map(_normal, listed.get(package, ())))
        if missing or not self.packages:
            names = " and ".join(missing) or "any package"
            why = f"NuGet does not have {wanted} of {names}; it may take an hour after the push, so look again before acting."
            raise NotProven(why, *(f"{package}: {_last(listed.get(package, ()))}" for package in missing))
        return Proven(why=f"NuGet has {wanted} of {' and '.join(sorted(self.packages))}.")


def _normal(version: str) -> str:
    """Return a version without what does not tell two apart: its letters' size, and a mark of the build."""
    return version.partition("+")[0].lower()


def _last(versions: Collection[str]) -> str:
    """Tell the last few versions, which are usually the newest."""
    last = [shown(version) for version in list(versions)[-3:]]
    return f"it lists {', '.join(last)}" if last else "it lists no version"
