"""docs/img/kernels.svg, made of tests/kernel/measured.json: kernels in the order of their versions, a row for each filesystem and
profile. Colour and mark say the same, for who cannot tell colours apart. Readable in light and in dark. Pure."""

from typing import Any

from kernel_archive import versions

from . import summary
from .cell import Cell
from .order import Row, rows

SIZE, LEFT, TOP, RIGHT = 9, 178, 92, 14  # pixels: a cell, and what is around them
BETWEEN_SERIES, BETWEEN_FILESYSTEMS = 5, 10
STYLE = """
    text { font: 11px ui-sans-serif, system-ui, 'Helvetica Neue', Arial, sans-serif; fill: #1b2733; }
    .quiet { fill: #5b6b7a; } .head { font-size: 15px; font-weight: 600; } .ground { fill: #ffffff; }
    .corrupt { fill: #b3261e; } .violation { fill: #d9822b; } .clean { fill: #2e7d46; } .silent { fill: #c9d1d9; }
    .mark { stroke: #ffffff; stroke-width: 1.4; fill: none; } .faint { stroke: #5b6b7a; stroke-width: 1.2; fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .quiet { fill: #9aa7b4; } .ground { fill: #14191f; }
      .corrupt { fill: #e5534b; } .violation { fill: #e0973f; } .clean { fill: #3fa15f; } .silent { fill: #3a444f; }
      .faint { stroke: #b8c3ce; }
    }"""
# Class and mark of each way in which a run can end; marks are paths in a square of nine.
KINDS = {
    "corrupt": ("corrupt", "mark", "M2 2 L7 7 M7 2 L2 7", "corruption"),
    "violation": ("violation", "mark", "M2 7 L7 2", "a promise broken, as by a torn append"),
    "clean": ("clean", "mark", "M4.5 3.4 V5.6", "clean, with exposures"),
    "unexposed": ("silent", "faint", "M2.5 4.5 H6.5", "not exposed"),
    "unsupported": ("silent", "faint", "", "not supported"),
    "failed": ("silent", "faint", "M2 2 L7 7 M7 2 L2 7", "did not boot"),
}


def picture(document: dict[str, Any]) -> str:
    cells = summary.cells(document)
    columns = _columns(list(document["kernels"]))
    lines = _lines(rows(cells))
    width = max(max(columns.values()) + SIZE + RIGHT, 860)
    height = max(lines.values()) + SIZE + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t d">',
             '  <title id="t">Kernels, filesystems and profiles</title>',
             '  <desc id="d">What every kernel of Debian\'s archive did with every profile; the figures are in docs/kernels.md.</desc>',
             f"  <style>{STYLE}\n  </style>", f'  <rect class="ground" width="{width}" height="{height}" rx="10"/>',
             '  <text class="head" x="14" y="24">Where each behaviour begins and ends</text>', *_legend(), *_heads(columns)]
    before = None
    for (filesystem, profile), y in lines.items():
        if filesystem != before:
            parts.append(f'  <text x="14" y="{y + SIZE - 1}" font-weight="600">{filesystem}</text>')
        before = filesystem
        parts.append(f'  <text class="quiet" x="{LEFT - 6}" y="{y + SIZE - 1}" text-anchor="end">{profile}</text>')
        parts += [_cell(columns[name], y, name, profile, cell) for name, cell in cells[filesystem, profile].items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _columns(names: list[str]) -> dict[str, int]:
    """Where each kernel's column begins."""
    found, x, before = {}, LEFT, None
    for name in names:
        series = versions.series(name)
        x += BETWEEN_SERIES if before and series != before else 0
        found[name], x, before = x, x + SIZE, series
    return found


def _lines(shown: list[Row]) -> dict[Row, int]:
    found, y, before = {}, TOP, None
    for row in shown:
        y += BETWEEN_FILESYSTEMS if before and row[0] != before else 0
        found[row], y, before = y, y + SIZE + 3, row[0]
    return found


def _legend() -> list[str]:
    parts, x = [], 14
    for kind, (_, _, _, words) in KINDS.items():
        parts += [_square(x, 36, kind), f'  <text class="quiet" x="{x + 13}" y="{36 + SIZE - 1}">{words}</text>']
        x += 30 + round(5.6 * len(words))
    return parts


def _heads(columns: dict[str, int]) -> list[str]:
    """The series over their first columns, in turn a little higher where they are narrow."""
    first: dict[str, int] = {}
    for name, x in columns.items():
        first.setdefault(versions.series(name), x)
    return [f'  <text x="{x}" y="{TOP - 8 - 12 * (number % 2)}">{series}</text>' for number, (series, x) in enumerate(first.items())]


def _cell(x: int, y: int, name: str, profile: str, cell: Cell) -> str:
    kind = cell.verdict if cell.verdict in KINDS else "failed"
    exposures = f", {cell.exposures} exposures" if cell.exposures else ""
    counts = "".join(f", {count} {finding}" for finding, count in cell.findings)
    return _square(x, y, kind, f"<title>{name}, {profile}: {cell.verdict}{counts}{exposures}</title>")


def _square(x: int, y: int, kind: str, title: str = "") -> str:
    colour, stroke, path, _ = KINDS[kind]
    mark = f'<path class="{stroke}" d="{path}"/>' if path else ""
    return (f'  <g transform="translate({x} {y})">{title}<rect class="{colour}" width="{SIZE - 1}" height="{SIZE}" rx="1.5"/>'
            f"{mark}</g>")
