"""How Alembic meets our tables. `flask db upgrade` hands over the connection; nothing is read from a file."""

import alembic.context as context

from portal.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
