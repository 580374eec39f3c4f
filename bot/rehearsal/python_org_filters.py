"""Which questions the lists of python.org's first API take, and the sentences with which they refuse others.

Sources: ``filtering`` in https://github.com/python/pythondotorg/blob/main/apps/downloads/api.py and
https://django-tastypie.readthedocs.io/en/latest/resources.html#basic-filtering.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.rehearsal.python_org_rows import Row

FIELDS = {
    "os": ("name", "slug", "resource_uri"),
    "release": (
        *("name", "slug", "version", "is_published", "is_latest", "pre_release", "show_on_download_page", "release_date"),
        *("release_notes_url", "release_page", "resource_uri"),
    ),
    "release_file": (
        *("name", "slug", "os", "release", "description", "is_source", "url", "md5_sum", "sha256_sum", "filesize", "download_button"),
        *("gpg_signature_file", "sigstore_signature_file", "sigstore_cert_file", "sigstore_bundle_file", "sbom_spdx2_file", "resource_uri"),
    ),
}
FILTERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "os": {"name": ("exact",), "slug": ("exact",)},
    "release": {
        "name": ("exact",),
        "slug": ("exact",),
        "is_published": ("exact",),
        "pre_release": ("exact",),
        "version": ("exact", "startswith"),
        "release_date": (),
    },
    "release_file": {"name": ("exact",), "slug": ("exact",), "description": ("contains",), "os": ("exact",), "release": ("exact",)},
}
RELATED = {"release_file": {"os": "os", "release": "release"}}
"""Fields that lead to another list, by which may be asked as well: ``release__slug``."""

LOOKUPS = frozenset(
    {"exact", "iexact", "contains", "icontains", "in", "gt", "gte", "lt", "lte", "startswith", "endswith", "range", "isnull"}
)
PAGING = ("limit", "offset")
NO_FILTERS = (*PAGING, "format")
NUMBERS = ("version", "os", "release")
FLAGS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Refused(ValueError):
    """The list does not take the question; the text is the site's own."""


@dataclass(frozen=True)
class Selection:
    """What is left after all filters; ``ignored`` are the parameters that had no meaning."""

    rows: list[Row]
    ignored: list[str] = field(default_factory=list)


def select(name: str, rows: Sequence[Row], query: Sequence[tuple[str, str]]) -> Selection:
    """Return the rows that fit every filter in the query; raise Refused."""
    chosen, ignored = list(rows), []
    for key, value in query:
        if key == "order_by":
            raise Refused(_order_sentence(name, value.removeprefix("-")))
        parts = key.split("__")
        if key in NO_FILTERS:
            continue
        if parts[0] not in FIELDS[name]:
            ignored.append(key)
            continue
        lookup = parts.pop() if parts[-1] in LOOKUPS else "exact"
        test = _test(list(_allowed(name, parts, lookup)), lookup, value)
        chosen = [row for row in chosen if test(row)]
    return Selection(chosen, ignored)


def _order_sentence(name: str, field_name: str) -> str:
    if field_name in FIELDS[name]:
        return f"The '{field_name}' field does not allow ordering."
    return f"No matching '{field_name}' field for ordering on."


def _allowed(name: str, parts: Sequence[str], lookup: str) -> Iterator[str]:
    """Yield the attributes that lead to what is compared; raise Refused where the way is closed."""
    here, *further = parts
    if here not in FILTERS[name]:
        raise Refused(f"The '{here}' field does not allow filtering.")
    related = RELATED.get(name, {}).get(here)
    yield here
    if not further:
        if not related and lookup not in FILTERS[name][here]:
            raise Refused(f"'{lookup}' is not an allowed filter on the '{here}' field.")
    elif related:
        yield from _allowed(related, further, lookup)
    else:
        raise Refused(f"The '{here}' field does not support relations.")


def _test(attributes: list[str], lookup: str, text: str) -> Callable[[Row], bool]:
    """Return how to tell whether a row fits."""
    last = attributes[-1]
    wanted = _value(last, text) if lookup == "exact" else text

    def fits(row: Row) -> bool:
        found: object = row
        for attribute in attributes:
            found = getattr(found, attribute)
        found = getattr(found, "id", found)
        if lookup == "startswith":
            return str(found).startswith(text)
        return text in str(found) if lookup == "contains" else found == wanted

    return fits


def _value(attribute: str, text: str) -> object:
    """Read a value as its field holds it."""
    mismatch = Refused("Invalid resource lookup data provided (mismatched type).")
    if attribute in NUMBERS:
        if not text.isdecimal():
            raise mismatch
        return int(text)
    if attribute in ("is_published", "pre_release"):
        if text not in FLAGS:
            raise mismatch
        return FLAGS[text]
    return text
