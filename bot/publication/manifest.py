"""Say which packages the manifest of a release for the install manager of Windows names, with which hashes."""

from bot.release.facts import BuiltFile
from bot.verify.install_manager import read_entries
from bot.verify.result import NotProven


def packages(text: bytes) -> tuple[BuiltFile, ...] | None:
    """Return the packages a manifest names, each with its SHA-256 in small letters, empty without one; None where it is no manifest.

    Entries that share a package name it once.
    """
    try:
        entries = read_entries(text, name="the manifest")
    except NotProven:
        return None
    return tuple(dict.fromkeys(BuiltFile(name=entry.file_name, sha256=entry.sha256) for entry in entries))
