"""Write what PyPI knows as it writes it: https://docs.pypi.org/api/json/, https://docs.pypi.org/api/index-api/."""

import hashlib
import json
from datetime import datetime
from typing import Final

from bot.rehearsal.pypi_model import File, Project

Shape = dict[str, object]

FILES: Final = "https://files.pythonhosted.org"

_NOTHING: Final = dict.fromkeys(
    (
        *("bugtrack_url", "docs_url", "dynamic", "license_expression", "license_files", "platform", "provides_extra"),
        *("requires_dist", "requires_python", "keywords", "license", "maintainer", "maintainer_email", "home_page", "download_url"),
    )
)


def written(shape: Shape) -> str:
    """Write a shape as text."""
    return json.dumps(shape)


def url(file: File) -> str:
    """Return where a file lies: under its BLAKE2b digest, so that no other content can come to be there."""
    digest = _digests(file.content)["blake2b_256"]
    return f"{FILES}/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{file.name}"


def index(project: Project) -> Shape:
    """Write the page of a project in the index: https://peps.python.org/pep-0691/, https://peps.python.org/pep-0700/."""
    return {
        "meta": {"_last-serial": project.serial, "api-version": "1.1"},
        "name": project.name,
        "versions": project.versions,
        "files": [
            {
                "core-metadata": False,
                "data-dist-info-metadata": False,
                "filename": file.name,
                "hashes": {"sha256": _digests(file.content)["sha256"]},
                "requires-python": None,
                "size": len(file.content),
                "upload-time": _moment(file.uploaded),
                "url": url(file),
                "yanked": (file.yanked_reason or True) if file.yanked else False,
            }
            for file in project.visible
        ],
    }


def project(found: Project) -> Shape | None:
    """Write a project at its latest version; None while nothing of it is shown."""
    if not found.visible:
        return None
    shape = release(found, found.latest)
    releases = {version: [_file(file) for file in found.visible if file.version == version] for version in found.versions}
    return None if shape is None else {**shape, "releases": releases}


def release(found: Project, version: str) -> Shape | None:
    """Write one version of a project; None where nothing of it is shown."""
    files = [file for file in found.visible if file.version == version]
    if not files:
        return None
    return {
        "info": _info(found, version, files),
        "last_serial": found.serial,
        "urls": [_file(file) for file in files],
        "vulnerabilities": [],
        "ownership": {
            "roles": [{"role": role, "user": user} for user, role in sorted(found.roles.items())],
            "organization": found.organization,
        },
    }


def _info(found: Project, version: str, files: list[File]) -> Shape:
    page = f"https://pypi.org/project/{found.name}/"
    yanked = all(file.yanked for file in files)
    return {
        **_NOTHING,
        "author": "",
        "author_email": "",
        "classifiers": [],
        "description": "",
        "description_content_type": "text/markdown",
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "name": found.name,
        "package_url": page,
        "project_url": page,
        "project_urls": {},
        "release_url": f"{page}{version}/",
        "summary": "",
        "version": version,
        "yanked": yanked,
        "yanked_reason": (files[0].yanked_reason or None) if yanked else None,
    }


def _file(file: File) -> Shape:
    digests = _digests(file.content)
    return {
        "comment_text": "",
        "digests": digests,
        "downloads": -1,
        "filename": file.name,
        "has_sig": False,
        "md5_digest": digests["md5"],
        "packagetype": file.kind,
        "python_version": "source" if file.kind == "sdist" else "py3",
        "requires_python": None,
        "size": len(file.content),
        "upload_time": f"{file.uploaded:%Y-%m-%dT%H:%M:%S}",
        "upload_time_iso_8601": _moment(file.uploaded),
        "url": url(file),
        "yanked": file.yanked,
        "yanked_reason": file.yanked_reason or None,
    }


def _digests(content: bytes) -> dict[str, str]:
    return {
        "blake2b_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"
