"""Create the four tables, and the triggers that keep the journal append-only."""

import sqlalchemy as sa
from alembic import op

from bot.store.tables import BigNumber, Json, Time

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE_TRIGGERS = [
    f"""
    CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """
    for verb in ("UPDATE", "DELETE")
]
"""See https://www.sqlite.org/lang_createtrigger.html#raise."""

POSTGRESQL_TRIGGERS = [
    """
    CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$
    """,
    "CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
    "CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()",
]
"""See https://www.postgresql.org/docs/current/plpgsql-trigger.html."""


def upgrade() -> None:
    """Create everything."""
    _inbox()
    _work()
    _effects_and_journal()
    for statement in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Drop everything; a journal is dropped only on purpose, so there is no trigger against that."""
    for table in ("journal", "effect", "release", "delivery"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION journal_is_append_only()")


def _inbox() -> None:
    op.create_table(
        "delivery",
        sa.Column("arrival", BigNumber, primary_key=True),
        sa.Column("guid", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("received", Time, nullable=False),
        sa.Column("handled", Time),
        sa.UniqueConstraint("guid"),
    )
    unread = sa.column("handled").is_(None)
    op.create_index("delivery_unread", "delivery", ["key"], sqlite_where=unread, postgresql_where=unread)
    op.create_index("delivery_handled", "delivery", ["handled"])


def _work() -> None:
    op.create_table(
        "release",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("branch", sa.Text),
        sa.Column("state", sa.Text),
        sa.Column("live", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("opened", Time, nullable=False),
        sa.Column("due", Time),
        sa.Column("generation", BigNumber, nullable=False, server_default="0"),
        sa.Column("failures", BigNumber, nullable=False, server_default="0"),
        sa.Column("error", sa.Text, nullable=False, server_default=""),
        sa.Column("owner", sa.Text),
        sa.Column("until", Time),
        sa.Column("revision", BigNumber, nullable=False, server_default="0"),
        sa.Column("entries", BigNumber, nullable=False, server_default="0"),
        sa.Column("head", sa.Text, nullable=False, server_default="0" * 64),
    )
    op.create_index("release_due", "release", ["due"])
    live = sa.column("live", sa.Boolean).is_(sa.true())
    for what in ("version", "branch"):
        op.create_index(f"release_live_{what}", "release", ["project", what], unique=True, sqlite_where=live, postgresql_where=live)


def _effects_and_journal() -> None:
    op.create_table(
        "effect",
        sa.Column("release", sa.Text, primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("work", sa.Text, nullable=False, index=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("intended", Time, nullable=False),
        sa.Column("result", Json),
        sa.Column("finished", Time),
    )
    op.create_table(
        "journal",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("sequence", BigNumber, primary_key=True, autoincrement=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
