"""What all tables of a profile have in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A TOML table: nothing can be changed after loading, nothing unknown may be in it, nothing is guessed from another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
