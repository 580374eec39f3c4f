"""Answers in GitHub's shapes, with made-up values."""

REPO = "/repos/python/cpython"
OBJECT_ID = "5d2a1c8f0e9b7a6d4c3b2a190817263544536271"


def comment(number: int = 1, body: str = "/release 3.15.0a3") -> dict[str, object]:
    return {
        "id": number,
        "issue_url": f"https://api.github.com{REPO}/issues/42",
        "html_url": f"https://github.com/python/cpython/issues/42#issuecomment-{number}",
        "user": {"id": 9, "login": "manager", "type": "User"},
        "body": body,
        "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z",
        "performed_via_github_app": None,
    }


def ref(name: str = "refs/heads/main", kind: str = "commit") -> dict[str, object]:
    return {"ref": name, "object": {"type": kind, "sha": OBJECT_ID, "url": "https://api.github.com/x"}}
