"""What a profile may say about the published schedule of releases."""

from typing import Annotated, Final

from pydantic import Field

from bot.profile.table import Table

LONGEST: Final = 30 * 86400.0
"""Seconds; an issue that stands open for longer is forgotten before its day comes."""


class Calendar(Table):
    """What follows from the published schedule, https://peps.python.org/api/python-releases.json."""

    ahead: Annotated[float, Field(ge=0, le=LONGEST)] = 0.0
    """How many seconds before the day of a planned release its issue is opened, in which the release manager and the experts are told;
    0 opens none."""
