"""What Alembic runs: the revisions that were asked for, over the connection that it was given."""

from __future__ import annotations

from alembic import context

from engine.state.tables import SCHEMA, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
)
context.run_migrations()
