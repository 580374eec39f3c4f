"""A database is opened by one who may, is migrated on the way, and guards its journal."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import UserError
from bot.journal import Note, What
from bot.store import migrations
from bot.store.model import StoreUnavailable, Timings
from bot.store.store import Store
from bot.store.tables import metadata
from tests.databases import KEY, QUICK, during_a_look, event


def plain_engine(url: str) -> AsyncEngine:
    """Open a database past the store, as somebody with a shell would."""
    if url.startswith("sqlite"):
        return create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    return create_async_engine(url.replace("postgres:", "postgresql+asyncpg:"))


async def test_an_empty_database_becomes_what_the_tables_say(database_url: str) -> None:
    await (await Store.open(database_url, timings=QUICK)).close()

    engine = plain_engine(database_url)
    async with engine.begin() as connection:
        assert await connection.run_sync(lambda plain: compare_metadata(MigrationContext.configure(plain), metadata)) == []
        migrated = await indexes(connection)
        for table in reversed(metadata.sorted_tables):
            await connection.exec_driver_sql(f"DROP TABLE {table.name}")
        await connection.run_sync(metadata.create_all)
        assert await indexes(connection) == migrated
    await engine.dispose()


async def indexes(connection: AsyncConnection) -> set[tuple[str, str]]:
    """Return every index with its definition, partial ones with their conditions, which Alembic does not compare."""
    query = {
        "sqlite": "SELECT name, coalesce(sql, '') AS sql FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public'",
    }[connection.dialect.name]
    rows = (await connection.exec_driver_sql(query)).mappings()
    return {(row["name"], " ".join(row["sql"].split())) for row in rows if "alembic" not in row["name"]}


def test_the_newest_revision_is_the_one_that_is_named() -> None:
    assert ScriptDirectory.from_config(migrations.configuration()).get_current_head() == migrations.NEWEST


async def test_what_is_there_is_there_after_opening_again(database_url: str) -> None:
    store = await Store.open(database_url, timings=QUICK)
    await store.put(event("g1"))
    await store.close()

    again = await Store.open(database_url, timings=QUICK)
    assert len(await again.deliveries(KEY)) == 1
    await again.close()


async def test_a_database_can_be_taken_down_and_up_again(database_url: str) -> None:
    from alembic import command  # noqa: PLC0415 - as the program does

    await (await Store.open(database_url, timings=QUICK)).close()
    engine = plain_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda plain: command.downgrade(migrations.configuration(plain), "base"))
        await connection.run_sync(migrations.upgrade)
        assert await connection.run_sync(lambda plain: compare_metadata(MigrationContext.configure(plain), metadata)) == []
    await engine.dispose()


async def test_tables_of_a_newer_program_are_left_alone(database_url: str) -> None:
    await (await Store.open(database_url, timings=QUICK)).close()
    engine = plain_engine(database_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await engine.dispose()

    with pytest.raises(UserError, match="migrated by a newer version"):
        await Store.open(database_url, timings=QUICK)


async def test_replicas_that_start_together_take_turns_to_migrate(postgres_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(postgres_url, timings=QUICK) for _ in range(4)))
    for store in stores:
        await store.close()


@pytest.mark.parametrize("statement", ["UPDATE journal SET actor = 'nobody'", "DELETE FROM journal", "TRUNCATE journal"])
async def test_the_journal_can_only_grow(database_url: str, statement: str) -> None:
    if statement.startswith("TRUNCATE") and database_url.startswith("sqlite"):
        return  # there is no such statement
    store = await Store.open(database_url, timings=QUICK)
    await during_a_look(store, lambda claim: claim.note([Note(actor="bot", what=What.FACT, details={})]))
    await store.close()

    engine = plain_engine(database_url)
    with pytest.raises(DBAPIError, match="the journal is append-only"):
        async with engine.begin() as connection:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


async def test_one_process_at_a_time_has_an_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    opened = await Store.open(str(path), timings=QUICK)
    another = (
        "import asyncio, sys\nfrom bot.errors import UserError\nfrom bot.store.store import Store\n"
        "try:\n    asyncio.run(Store.open(sys.argv[1]))\nexcept UserError as error:\n    print(error)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", another, str(path), stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()

    sentence = f"The database {path} is open in another process: stop that one first, or give this one its own BOT_HOME."
    assert said.decode().strip() == sentence
    with pytest.raises(UserError, match="is open in another process"):
        await Store.open(str(path))
    await opened.close()
    await (await Store.open(str(path), timings=QUICK)).close()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match="cannot be written"):
        await Store.open(str(tmp_path / "file" / "bot.sqlite3"))


async def test_other_databases_are_not_supported() -> None:
    with pytest.raises(UserError, match=r"A database of the kind mysql is not supported: give postgres://… or sqlite:///PATH"):
        await Store.open("mysql://user:secret@example.org/bot")


async def test_no_server_is_said_so_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        await Store.open(f"postgres://bot:hunter2@/bot?host={tmp_path}", timings=Timings(patience=0.1))
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in str(raised.value.__cause__)


@pytest.mark.parametrize("address", ["bot:hunter2#x@db.example", "bot:hunter2/x@db.example", "bot:p@ss:hunter2@h", "bot:x[hunter2@h"])
async def test_an_address_that_cannot_be_understood_is_not_quoted(address: str) -> None:
    with pytest.raises(UserError, match=r"^DATABASE_URL cannot be understood: .+\.$") as raised:
        await Store.open(f"postgres://{address}/bot", timings=Timings(patience=0.1))
    assert raised.value.__suppress_context__
    assert "hunter2" not in str(raised.value)


async def test_an_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = await Store.open(str(tmp_path / "bot.sqlite3"), timings=QUICK)
    await store.put(event("g1"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    await store.close()
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_both_spellings_of_postgresql_are_understood(postgres_url: str, scheme: str) -> None:
    store = await Store.open(postgres_url.replace("postgres", scheme, 1) + "&sslmode=disable", timings=QUICK)
    await store.ping()
    await store.close()


@pytest.mark.parametrize("prefix", ["sqlite:///", "sqlite+aiosqlite:///", ""])
async def test_sqlite_is_a_url_or_a_path(tmp_path: Path, prefix: str) -> None:
    store = await Store.open(f"{prefix}{tmp_path}/bot.sqlite3", timings=QUICK)
    await store.ping()
    await store.close()
    assert (tmp_path / "bot.sqlite3").exists()


async def test_a_commit_is_on_the_disk_before_it_is_answered(tmp_path: Path) -> None:
    store = await Store.open(str(tmp_path / "bot.sqlite3"), timings=QUICK)

    async def pragmas(connection: AsyncConnection) -> list[object]:
        return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "busy_timeout")]

    assert await store._database.write(pragmas) == ["wal", 2, 10_000]  # 2 is FULL
    await store.close()


async def test_a_database_that_was_closed_stays_closed(database_url: str) -> None:
    """Another process may have it by now, and nobody would close what was opened late."""
    store = await Store.open(database_url, timings=QUICK)
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.put(event("g1"))
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.work(KEY)
