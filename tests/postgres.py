"""A real PostgreSQL server for the tests that want one: in a folder of its own, behind a socket of its own, gone afterwards.

Tests that want a database skip where the server's programs are not installed, and fail instead where BOT_REQUIRE_POSTGRES is 1.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FAST = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=16MB"


class PostgresServer:
    """A server over a folder. PostgreSQL refuses to run as root, so as root it runs as somebody else."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._user = unprivileged()
        self._names = itertools.count(1)
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync")
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", "--silent", f"--options=-k {self._folder} {FAST}", f"--log={self._folder}/log")

    def stop(self) -> None:
        """Stop it as if the machine had died."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def create(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgres://postgres@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        self.sql(f"DROP DATABASE {database_name(url)} WITH (FORCE)")

    def hang_up(self, url: str) -> None:
        """Cut every connection to a database."""
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database_name(url)}'")  # noqa: S608 - our own name

    def sql(self, statement: str) -> None:
        where = [f"--host={self._folder}", "--username=postgres", "--no-psqlrc", "postgres"]
        subprocess.run([self._programs / "psql", *where, "--quiet", "--output=/dev/null", f"--command={statement}"], check=True)

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "PGDATA": str(self._folder / "data")}
        command = [str(self._programs / program), *arguments]
        groups: list[str] | None = [] if self._user else None
        # A server inherits what it is started with: without its own output a test run that reads ours would wait for it for ever.
        with (self._folder / "output").open("a") as output:
            subprocess.run(
                command, check=True, env=environment, cwd=self._folder, stdout=output, stderr=output, user=self._user, extra_groups=groups
            )


def database_name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def unprivileged() -> str | None:
    """Return as whom to run the server: None where we are not root anyway."""
    if os.geteuid() != 0:
        return None
    return next(user.pw_name for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)


def server_programs() -> Path | None:
    """Return the folder with initdb: what pg_config says, or the newest of Debian's, or where the path leads."""
    if asked := shutil.which("pg_config"):
        folder = Path(subprocess.run([asked, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
        if (folder / "initdb").exists():
            return folder
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    programs = server_programs()
    if programs is None:
        reason = "PostgreSQL's server programs are not installed here (initdb was not found)"
        if os.environ.get("BOT_REQUIRE_POSTGRES") == "1":
            pytest.fail(f"{reason}, and BOT_REQUIRE_POSTGRES asks for them")
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(programs, Path(folder))
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give one test an empty database of its own."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)
