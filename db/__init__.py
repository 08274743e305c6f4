"""Database: the base of all tables, their column types, the engine, and the notification of a commit."""
