"""The store: what happened to every call, kept in SQLite (default) or PostgreSQL (by URL).

In the order a call meets it: `operations` (what the call path hands over) -> `writer` (one thread, group
commit) -> `bulk` (the statements) -> `tables` (the shape), and back through `queries` (reads for the CLI and
for recovery). `database` opens either database with the right settings, `migrations` brings it to this
version's shape.
"""
