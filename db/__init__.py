"""How the house remembers: the base of all tables, their column types, the engine and the wake-up call."""
