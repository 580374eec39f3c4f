"""Prove that a webhook comes from a subscription of ours at Azure DevOps, which signs nothing but can send a secret along. Pure.

The secret is the password of Basic sign-in, or the header X-Hook-Secret, both set in the subscription:
https://learn.microsoft.com/en-us/azure/devops/service-hooks/services/webhooks.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

HEADER: Final = "X-Hook-Secret"
CHALLENGE: Final = 'Basic realm="service hooks", charset="UTF-8"'
"""What a refusal asks for: https://www.rfc-editor.org/rfc/rfc7617."""


def claimed(authorization: Sequence[str], header: Sequence[str]) -> list[str]:
    """Return the secrets that a request claims to know, at most one by each way; a way that is used twice counts as not used."""
    password = _password(authorization[0]) if len(authorization) == 1 else None
    given = [password, header[0] if len(header) == 1 else None]
    return [one for one in given if one]


def is_ours(claims: Sequence[str], secrets: Sequence[str]) -> bool:
    """Tell whether one of the claims is one of the secrets: there are two while one replaces the other.

    Takes the same time whichever secret fits, wherever they differ, and however long they are.
    """
    verdicts = [hmac.compare_digest(_digest(claim), _digest(secret)) for claim in claims for secret in secrets if secret]
    return any(verdicts)


def _password(authorization: str) -> str | None:
    """Return the password of Basic sign-in, whoever the user is said to be."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _user, colon, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


def _digest(text: str) -> bytes:
    # Servers hand on bytes that are no UTF-8 as lone surrogates.
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
