"""Write a release as JSON and read it back, strictly."""

from functools import cache

from pydantic import TypeAdapter

from bot.release.model import Release


def dump(release: Release) -> str:
    """Return a release as JSON text."""
    return _adapter().dump_json(release).decode()


def load(text: str) -> Release:
    """Read a release from JSON text; raise pydantic's ValidationError when it is not one."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[Release]:
    return TypeAdapter(Release)
