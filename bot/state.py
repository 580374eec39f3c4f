"""Write a release as JSON and read it back, strictly."""

from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter, ValidationError

from bot.release.model import Release, ReleaseState


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """The few parts of a release that every program can read, however the others were written."""

    state: ReleaseState
    go: object = None


def dump(release: Release) -> str:
    """Return a release as JSON text."""
    return _adapter().dump_json(release).decode()


def load(text: str) -> Release:
    """Read a release from JSON text; raise pydantic's ValidationError when it is not one."""
    return _adapter().validate_json(text)


def is_done(text: str) -> bool:
    """Tell whether a release went well to its end; one that another version of this program wrote can be asked too."""
    try:
        return _outcome().validate_json(text).state is ReleaseState.DONE
    except ValidationError:
        return False


def is_spent(text: str) -> bool:
    """Tell whether a release has used up its number: it is done, or was given up after bytes of it may have become public."""
    try:
        outcome = _outcome().validate_json(text)
    except ValidationError:
        return False
    return outcome.state is ReleaseState.DONE or (outcome.state is ReleaseState.ABORTED and outcome.go is not None)


@cache
def _outcome() -> TypeAdapter[_Outcome]:
    return TypeAdapter(_Outcome)


@cache
def _adapter() -> TypeAdapter[Release]:
    return TypeAdapter(Release)
