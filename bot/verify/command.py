"""``python -m bot verify-tag``: say whether a raw tag object is authentic."""

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from bot.errors import Unavailable, UserError
from bot.verify.authenticity import Signers, TagVerdict, TagVerifier
from bot.verify.gitsign import Gitsign
from bot.verify.openpgp import Keyring, OpenPGP
from bot.verify.sigstore_bundle import OidcIdentity
from bot.verify.ssh_signature import SSH
from bot.verify.tag import LARGEST

_WIDTH = 80
_LABEL = 10


class _Misuse(UserError):
    """The command was used wrongly."""


def run(argv: Sequence[str]) -> int:
    """Run the command with the arguments after its name; return 0 for a good tag, 1 for one that is not, 2 for wrong use."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    try:
        verdict = _verdict(arguments)
    except (UserError, Unavailable) as error:
        sys.stderr.write(textwrap.fill(str(error), _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n")
        return 2
    sys.stdout.write(_json(arguments, verdict) if arguments.json else _words(arguments, verdict))
    return 0 if verdict.good else 1


def _parser() -> argparse.ArgumentParser:
    """Return the command's grammar."""
    parser = argparse.ArgumentParser(
        prog="python -m bot verify-tag",
        description="Say whether a raw tag object (git cat-file tag NAME) is the tag NAME and carries a signature that counts.",
        epilog="Exit code: 0 it is good, 1 it is not, 2 wrong use.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the raw tag object")
    parser.add_argument("--name", required=True, metavar="TAG", help="the tag's name, for example v3.9.2")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="a folder of OpenPGP public keys; all of them count")
    parser.add_argument("--allowed-signers", type=Path, metavar="FILE", help="SSH keys that count, in the format of ssh-keygen")
    parser.add_argument("--identity", metavar="WHO", help="who may sign by gitsign, mostly a mail address; needs --issuer")
    parser.add_argument("--issuer", metavar="URL", help="where WHO logs in to sign, for example https://accounts.google.com")
    parser.add_argument("--sigstore-root", type=Path, metavar="FILE", help="a trusted_root.json instead of Sigstore's public one")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    return parser


def _verdict(arguments: argparse.Namespace) -> TagVerdict:
    """Read what was given and verify."""
    if bool(arguments.identity) != bool(arguments.issuer) or (arguments.sigstore_root and not arguments.identity):
        raise _Misuse("gitsign is verified by a login, which has two halves; give both --identity WHO and --issuer URL.")
    if not (arguments.keys or arguments.allowed_signers or arguments.identity):
        raise _Misuse("Nothing to verify with was given; give --keys DIR, --allowed-signers FILE, --identity WHO, or several of them.")
    try:
        with arguments.file.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise _Misuse(f"{arguments.file} cannot be read ({error.strerror}); give the file that holds the raw tag object.") from None
    openpgp = OpenPGP(Keyring.from_folder(arguments.keys)) if arguments.keys else None
    ssh = SSH.from_file(arguments.allowed_signers) if arguments.allowed_signers else None
    gitsign = Gitsign(arguments.sigstore_root) if arguments.identity else None
    oidc = (OidcIdentity(identity=arguments.identity, issuer=arguments.issuer),) if arguments.identity else ()
    return TagVerifier(openpgp=openpgp, ssh=ssh, gitsign=gitsign).verify(raw, name=arguments.name, signers=Signers(oidc=oidc))


def _rows(verdict: TagVerdict) -> dict[str, str]:
    """Return what is known of the tag itself, by label."""
    tag = verdict.tag
    if not tag:
        return {}
    return {"object": tag.object_id, "commit": tag.target, "tagger": tag.tagger, "dated": tag.dated.isoformat(" ")}


def _json(arguments: argparse.Namespace, verdict: TagVerdict) -> str:
    """Return the verdict as one line of JSON, all in ASCII, so that a terminal has nothing to obey."""
    row = {
        "name": arguments.name,
        "good": verdict.good,
        "verdict": verdict.verdict,
        "why": verdict.why,
        "signed": verdict.signed,
        "signer": verdict.signer,
        **dict.fromkeys(("object", "commit", "tagger", "dated")),
        **_rows(verdict),
        "diagnostics": list(verdict.diagnostics),
        "file": str(arguments.file),
    }
    return json.dumps(row) + "\n"


def _words(arguments: argparse.Namespace, verdict: TagVerdict) -> str:
    """Return the verdict for people, at most 80 columns wide."""
    rows = {"why": verdict.why, **_rows(verdict)}
    if verdict.signed:
        rows["signature"] = verdict.signed
    if verdict.signer:
        rows["signer"] = verdict.signer
    title = f"{arguments.name}: {'good' if verdict.good else 'NOT good'}"
    return "\n".join([_fill(title), *(_fill(f"  {label:<{_LABEL}} {value}", _LABEL + 3) for label, value in rows.items())]) + "\n"


def _fill(text: str, indent: int = 0) -> str:
    """Return text of anyone as lines of at most 80 columns, without control characters."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return textwrap.fill(clean, _WIDTH, subsequent_indent=" " * indent)
