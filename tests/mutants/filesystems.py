"""The filesystems that mutants are tried on: which driver, how made, how mounted, what is done before the tool runs."""

import dataclasses

MOUNTED = "/mnt/test"


@dataclasses.dataclass(frozen=True)
class Setup:
    driver: str
    mkfs: tuple[str, ...] = ()
    mount: str = "rw"
    prepare: str = ""  # shell, in the guest
    swap_bytes: int = 0


SETUPS = {
    "xfs": Setup("xfs"),
    "xfs-1k": Setup("xfs", mkfs=("-b", "size=1024")),
    "ext4": Setup("ext4"),
    "ext4-1k": Setup("ext4", mkfs=("-b", "1024")),
    "ext4-inline": Setup("ext4", mkfs=("-I", "256", "-O", "inline_data")),
    "ext4-journal": Setup("ext4", mount="rw,data=journal"),
    "ext4-nodelalloc": Setup("ext4", mount="rw,nodelalloc"),
    "btrfs": Setup("btrfs"),
    "btrfs-compress": Setup("btrfs", mount="rw,compress-force=zstd"),
    "btrfs-nocow": Setup("btrfs", prepare=f"chattr +C {MOUNTED}"),
    "tmpfs": Setup("tmpfs"),
    "tmpfs-huge": Setup("tmpfs", mount="rw,huge=always"),
    # Smaller than the memory that a tool may use in its cgroup, larger than what it leaves to the page cache.
    "tmpfs-swap": Setup("tmpfs", swap_bytes=1 << 30),
}
