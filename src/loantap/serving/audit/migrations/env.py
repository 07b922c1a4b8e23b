"""Alembic's entry: runs migrations on the connection it is given, in its transaction."""

from alembic import context

from loantap.serving.audit.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
