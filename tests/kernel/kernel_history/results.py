"""What was measured of kernels. A line is known by the kernel's bytes, the probe's, filesystem, profile and settings."""

from pathlib import Path

from measured_lines import MeasuredLines


class Results(MeasuredLines):
    def __init__(self, file: Path) -> None:
        super().__init__(file, ("key", "probe", "fs", "profile", "settings"))
