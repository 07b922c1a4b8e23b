"""Alembic's entry: runs migrations in the transaction of a given connection."""

from alembic import context

from loantap.serving.audit.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
