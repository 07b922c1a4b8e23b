"""Alembic's entry: runs migrations in a given connection's transaction."""

from alembic import context

from loantap.serving.audit.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
	context.run_migrations()
