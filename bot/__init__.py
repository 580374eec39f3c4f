"""Brother Maynard, the release bot: it carries a release from the frozen branch to the tag upstream."""

from typing import Final

__version__: Final = "0.1.0"
