"""Releases of packages: what their source has to say, the tag that the bot makes, the stages that wait, and what PyPI shows."""
