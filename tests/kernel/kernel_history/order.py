"""In which order filesystems and profiles are shown, and what a reader is told of each outcome. Pure data."""

from .measure import FILESYSTEMS
from .plan import PROFILES
from .summary import Cells

Row = tuple[str, str]  # filesystem, profile


def rows(cells: Cells) -> list[Row]:
    """Those that were measured."""
    return [(filesystem, profile) for filesystem in FILESYSTEMS for profile in PROFILES if (filesystem, profile) in cells]
