"""What a daemon has on its disk."""

import contextlib
import os
import sqlite3


def size_of_database(path):
    """Of what is in it: the file itself follows when the write-ahead log is written back."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute("PRAGMA page_count").fetchone()[0] * database.execute("PRAGMA page_size").fetchone()[0]


def size_below(directory):
    """Of all files; one that is removed meanwhile has none."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.path.getsize(os.path.join(parent, name))
    return total
