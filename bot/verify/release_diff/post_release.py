"""The commit after a release: the same version with the mark of development, and nothing else.

Sources: ``release.py --done`` in https://github.com/python/release-tools, and for the README
https://github.com/python/release-tools/pull/422.
"""

from typing import Final

from bot.errors import UserError
from bot.release.version import Version
from bot.verify.release_diff import patchlevel, readme

POST_SUBJECT: Final = "Post {version}"
"""The subject of the commit; fill in the version with ``str.format``."""


class UnexpectedContent(UserError):
    """A file in the tag is not that of the release, so the next commit cannot be made from it."""


def post_release(version: Version, readme_content: bytes, patchlevel_content: bytes, /) -> dict[str, bytes]:
    """Return the new contents of README.rst and Include/patchlevel.h, by path, from those in the tag's tree.

    Only the version sentence, its underline and the version string change; the numbers stay. Raises UnexpectedContent when the tag's files
    are not exactly those of the version.
    """
    suffix = version.development_suffix
    return {
        readme.PATH: _readme(version, readme_content, suffix),
        patchlevel.PATH: _patchlevel(version, patchlevel_content, suffix),
    }


def _readme(version: Version, content: bytes, suffix: str) -> bytes:
    try:
        as_released = readme.with_sentence(content, version)
    except readme.NoSentence as error:
        raise _unexpected(readme.PATH, version, str(error)) from error
    if content != as_released:
        raise _unexpected(readme.PATH, version, "names another version or has an underline of another length")
    return readme.with_sentence(content, version, suffix)


def _patchlevel(version: Version, content: bytes, suffix: str) -> bytes:
    try:
        as_released = patchlevel.with_constants(content, version)
    except patchlevel.NoConstants as error:
        raise _unexpected(patchlevel.PATH, version, f"cannot be read: {error}") from error
    if content != as_released:
        raise _unexpected(patchlevel.PATH, version, "holds other constants")
    return patchlevel.with_constants(content, version, suffix)


def _unexpected(path: str, version: Version, why: str) -> UnexpectedContent:
    return UnexpectedContent(
        f"The commit after {version} cannot be made, because {path} in the tag {why}: "
        f"correct the release commit and tag it again, or push a commit of your own for after the release."
    )
