"""What leaves the program about itself: log lines and reports, without secrets."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from time import process_time
from typing import TYPE_CHECKING

import pytest

from bot.logs import reportable, set_up_logging
from bot.release.scrubbing import HIDDEN, scrubbed
from bot.settings import LogFormat

if TYPE_CHECKING:
    from sentry_sdk.types import Event

TOKEN = "ghs_" + "a1B2" * 10
SIGNATURE = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0MiJ9.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
SECRETS = [TOKEN, SIGNATURE, "hunter2", "MIIEow"]
TEXT = f"{TOKEN} {SIGNATURE} postgres://bot:hunter2@db.example/bot {KEY} that was all"

REPORTING = """
import asyncio, json, logging, sentry_sdk
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from bot.logs import set_up_reports

class Out(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        print([item.get_bytes().decode() for item in envelope.items])

set_up_reports("http://key@127.0.0.1:9/1")
sentry_sdk.get_client().transport = Out({})

async def fail(request):
    logging.getLogger("bot").error("it failed with %s", "ghs_" + "a1B2" * 10)
    return web.Response()

async def main():
    application = web.Application()
    application.router.add_post("/webhook/github", fail)
    async with TestServer(application) as server, ClientSession() as session:
        headers = {"X-GitHub-Encoded-Secret": "c2VjcmV0", "User-Agent": "GitHub-Hookshot/1"}
        await session.post(server.make_url("/webhook/github"), headers=headers, data=b"a private body")

asyncio.run(main())
"""


def test_what_looks_like_a_secret_is_taken_out() -> None:
    assert scrubbed(TEXT) == f"{HIDDEN} {HIDDEN} postgres://{HIDDEN}@db.example/bot {HIDDEN} that was all"


@pytest.mark.parametrize("piece", ["eyJ", "ghs_", "://", "://a:", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", f"eyJ{'a' * 10}."])
def test_no_text_takes_long(piece: str) -> None:
    began = process_time()
    scrubbed(piece * 100_000)
    assert process_time() - began < 5


@pytest.mark.parametrize("form", LogFormat)
def test_no_log_line_holds_a_secret(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        set_up_logging(form)
        logging.getLogger("bot").error("it failed with %s", TOKEN, exc_info=ValueError(TEXT))
    finally:
        root.handlers, root.level = before, level
    said = capsys.readouterr().err
    assert "that was all" in said
    assert [secret for secret in SECRETS if secret in said] == []


def test_no_report_holds_a_secret_or_a_request() -> None:
    event: Event = {
        "message": TEXT,
        "level": "error",
        "timestamp": datetime(2026, 11, 20, tzinfo=UTC),
        "request": {"headers": {"X-GitHub-Encoded-Secret": "c2VjcmV0"}},
        "exception": {"values": [{"type": "ValueError", "value": TEXT}]},
        "breadcrumbs": {"values": [{"message": TEXT}]},
    }
    reported = reportable(event, {})
    said = json.dumps(reported, default=str)
    assert said.count("that was all") == 3
    assert reported
    assert reported["level"] == "error"
    assert [secret for secret in [*SECRETS, "c2VjcmV0"] if secret in said] == []


def test_sentry_itself_sends_no_header_and_no_body() -> None:
    finished = subprocess.run([sys.executable, "-c", REPORTING], capture_output=True, text=True, check=True, timeout=60)
    assert "it failed with" in finished.stdout
    assert [one for one in (TOKEN, "c2VjcmV0", "GitHub-Hookshot", "private body") if one in finished.stdout] == []
