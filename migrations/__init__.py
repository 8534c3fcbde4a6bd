"""The schema, as a linear list of alembic revisions."""
