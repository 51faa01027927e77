"""The positive controls: what is damaged on purpose, and what must be found. One place for the tests and for their
table in docs/detectors.md."""

import dataclasses

FILE_PREFIX = "file-"  # of the files that a run judges; its helper files are called otherwise

# What damagefs does to a write -> what it must be called.
KINDS = {
    "duplicate": "duplicate",
    "drop": "missing",
    "flip": "bitflip",
    "zero": "zeroed",
    "reorder": "misplaced",
    "stale": "stale",
    "foreign": "foreign",
    "truncate": "missing",
    "extend": "size_mismatch",
}


def foreign_text(offset, length):
    """What damagefs writes for "foreign" at an offset of a file."""
    text = b"these bytes belong to somebody else. "
    begin = offset % len(text)
    return (text * (length // len(text) + 2))[begin : begin + length]


# The profiles beside those of appends through io_uring.
NEIGHBOURS = ("tail-reader", "shared-blocks", "large-folio", "collapse", "direct-append", "copy-after-write", "mixed-model",
              "ring-io", "far-offset", "archive", "forgotten-inode", "side-by-side")

# What must be found whoever appends.
APPENDERS = ("append", "append-sync")


@dataclasses.dataclass
class Control:
    """What damagefs does, and what must be found. Places and lengths are whole words, where the profile writes whole
    words: a byte that happens to be right although its neighbours are damaged would shorten the finding."""

    profile: str
    rule: dict
    kind: str
    options: tuple = ()
    detail: str = ""
    views: dict | None = None


def seen(hot, cold, direct):
    return {"hot": hot, "cold": cold, "direct": direct}


LASTING = seen("wrong", "wrong", None)
PROFILE_CONTROLS = (
    Control("tail-reader", {"kind": "zero", "at": 14, "offset": 808, "length": 400}, "zeroed", ("files=1",)),
    Control("tail-reader", {"kind": "zero", "on": "read", "at": 3, "offset": 64, "length": 256}, "zeroed",
            ("files=1", "readers=1"), "transient"),
    Control("tail-reader", {"kind": "foreign", "on": "read", "at": 3, "offset": 64, "length": 256}, "foreign",
            ("files=1", "readers=1"), "transient"),
    Control("large-folio", {"kind": "zero", "at": 2, "offset": 8200, "length": 5000}, "zeroed",
            ("files=1", "changes=1"), views=LASTING),
    Control("large-folio", {"kind": "foreign", "on": "read", "at": 1, "place": 65536, "length": 400}, "foreign",
            ("files=1", "readers=1", "file_bytes=1048576", "changes=200"), "transient"),
    Control("collapse", {"kind": "zero", "at": 1, "offset": 8200, "length": 5000}, "zeroed", ("files=1",), views=LASTING),
    # Only the second file is written with O_APPEND, without which damagefs drops nothing.
    Control("direct-append", {"kind": "drop", "at": 3, "offset": 4096, "length": 4096}, "missing", ("files=2",)),
    Control("direct-append", {"kind": "zero", "at": 3, "offset": 4104, "length": 800}, "zeroed", ("files=2",)),
    Control("copy-after-write", {"kind": "zero", "file": "file-1-copy", "at": 2, "offset": 8200, "length": 800}, "zeroed",
            ("copies=2",), views=LASTING),
    Control("copy-after-write", {"kind": "flip", "file": "file-2-copy", "at": 2, "offset": 8200, "bit": 1}, "bitflip",
            ("copies=2",), views=LASTING),
    Control("ring-io", {"kind": "zero", "at": 3, "offset": 808, "length": 400}, "zeroed", ("files=1", "part=1"), views=LASTING),
    Control("ring-io", {"kind": "zero", "on": "read", "at": 3, "offset": 64, "length": 256}, "zeroed", ("files=1", "part=2"),
            "returned by READ"),
    Control("forgotten-inode", {"kind": "zero", "at": 1, "offset": 808, "length": 400}, "zeroed", ("files=1",), views=LASTING),
    Control("side-by-side", {"kind": "zero", "at": 1, "offset": 8200, "length": 800}, "zeroed", ("race=5", "rounds=1"),
            "SEEK_HOLE beside write-back", LASTING),
)

# Damage that only one way of reading sees. The hot look reads the file first, then the one with O_DIRECT, then, with
# the page cache empty, the cold one; a rule for the n-th read damages what that look gets and leaves the rest right.
HOT_ONLY = (1, seen("wrong", "right", "right"))
DIRECT_ONLY = (2, seen("right", "right", "wrong"))
COLD_ONLY = (3, seen("right", "wrong", "right"))
VIEW_CONTROLS = tuple(
    Control("append-sync", {"kind": damage, "on": "read", "at": read, "place": 65536, "length": 5000}, KINDS[damage], views=views)
    for damage in ("zero", "flip", "foreign", "stale")
    for read, views in (HOT_ONLY, DIRECT_ONLY, COLD_ONLY)
) + tuple(
    Control("append-sync", {"kind": damage, "at": 2, "offset": 8200, "length": 5000}, KINDS[damage],
            views=seen("wrong", "wrong", "wrong"))
    for damage in ("zero", "flip", "foreign")
)

# Kernels damage these themselves: what a run in a guest must find. tests/kernel/expectations.py has the shares.
KERNEL_CONTROLS = (
    ("append", "6.1.170 on XFS", "duplicate"),
    ("append-concurrent", "6.1.170 on XFS", "duplicate and torn, apart"),
    ("append-concurrent", "every kernel on XFS", "torn"),
    ("append-interposed", "every kernel on XFS", "torn"),
    ("nowait-contract", "6.1.170 on XFS", "nowait_contract"),
)
