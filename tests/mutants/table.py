"""Measured lines as Markdown: mutant x tool, sums for each tool, class and profile. Pure data and text."""

import dataclasses
from typing import Any, Iterable

import judgement
from catalogue import Mutant
from judgement import Discovery
from tools import TOOLS


FEW = 6  # profiles that are named when no more of them were tried


@dataclasses.dataclass
class Cell:
    """One mutant, one tool: its lines over filesystems and seeds, and what of them was found."""

    lines: list[dict[str, Any]]
    found: list[list[Discovery]]  # of each line

    def count(self) -> int:
        return sum(bool(one) for one in self.found)

    def by(self) -> set[str]:
        return {one.by for of_line in self.found for one in of_line}


Table = dict[int, dict[str, Cell]]  # mutant -> tool -> cell


def collect(lines: Iterable[dict[str, Any]], mutants: Iterable[Mutant]) -> Table:
    """`lines` are of one program and setting for each tool, those of mutant 0 among them."""
    lines = list(lines)
    zeros: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        if line["mutant"] == 0:
            zeros.setdefault((line["tool"], line["fs"]), []).append(line)
    unmutated = {place: judgement.unmutated(of) for place, of in zeros.items()}
    table: Table = {mutant.number: {} for mutant in mutants}
    for line in lines:
        if line["mutant"] not in table:
            continue
        cell = table[line["mutant"]].setdefault(line["tool"], Cell([], []))
        cell.lines.append(line)
        cell.found.append(judgement.discoveries(line, unmutated.get((line["tool"], line["fs"]), judgement.Unmutated())))
    return table


def joined(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of the canary that differ only in the profiles that ran, as one: a profile's run is a process of its own, whatever
    ran before it in the same guest. Of a profile that ran twice the later run counts."""
    whole: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in sorted(lines, key=lambda line: line["when"]):
        duration = line["settings"].rpartition(" ")[2]
        place = (line["version"], line["mutant"], line["fs"], line["tool"], line["program"], line["seed"], duration)
        so_far = whole.get(place, {"runs": []})
        runs = {run["profile"]: run for run in [*so_far["runs"], *line.get("runs", [])]}
        whole[place] = line | {"settings": duration, "runs": list(runs.values()),
                               "ended": line["ended"] if so_far.get("ended", "done") == "done" else so_far["ended"]}
    return list(whole.values())


def markdown(table: Table, mutants: list[Mutant]) -> str:
    tools = [tool for tool in TOOLS if any(tool in cells for cells in table.values())]
    measured = [mutant for mutant in mutants if table[mutant.number]]
    parts = [_sums(table, measured, tools), _classes(table, measured, tools), _profiles(table, measured),
             _mutants(table, measured, tools)]
    return "\n".join(part for part in parts if part)


def _rows(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def _share(table: Table, mutants: list[Mutant], tool: str) -> str:
    tried = [mutant for mutant in mutants if tool in table[mutant.number]]
    found = [mutant for mutant in tried if table[mutant.number][tool].count()]
    return f"{len(found)} of {len(tried)}" if tried else ""


def _sums(table: Table, mutants: list[Mutant], tools: list[str]) -> str:
    rows = []
    for tool in tools:
        alone = [mutant for mutant in mutants if _only(table[mutant.number], tool)]
        rows.append([tool, _share(table, mutants, tool), _numbers(alone)])
    return "### Tools\n\n" + _rows(["tool", "mutants found", "found by no other tool"], rows)


def _only(cells: dict[str, Cell], tool: str) -> bool:
    others = {name: cell for name, cell in cells.items() if name != "witness"}
    return len(others) > 1 and {name for name, cell in others.items() if cell.count()} == {tool}


def _classes(table: Table, mutants: list[Mutant], tools: list[str]) -> str:
    rows = [[kind, *(_share(table, [mutant for mutant in mutants if mutant.kind == kind], tool) for tool in tools)]
            for kind in sorted({mutant.kind for mutant in mutants})]
    return "### Classes\n\n" + _rows(["class", *tools], rows)


def _profiles(table: Table, mutants: list[Mutant]) -> str:
    by = {mutant.number: table[mutant.number]["canary"].by() for mutant in mutants if "canary" in table[mutant.number]}
    profiles = sorted({run["profile"] for cells in table.values() if "canary" in cells
                       for line in cells["canary"].lines for run in line.get("runs", [])})
    rows = []
    for profile in profiles:
        finds = [mutant for mutant in mutants if profile in by.get(mutant.number, ())]
        alone = [mutant for mutant in finds if by[mutant.number] == {profile}]
        claims = [mutant for mutant in mutants if profile in mutant.claimed_by and mutant.number in by]
        missed = [mutant for mutant in claims if mutant not in finds]
        rows.append([profile, str(len(finds)), _numbers(alone), f"{len(claims) - len(missed)} of {len(claims)}",
                     _numbers(missed)])
    return "### Profiles\n\n" + _rows(["profile", "finds", "alone", "of those that it claims", "claimed and not found"],
                                       rows) if rows else ""


def _mutants(table: Table, mutants: list[Mutant], tools: list[str]) -> str:
    rows = [[str(mutant.number), f"{mutant.name} ({', '.join(mutant.filesystems)})", mutant.kind, mutant.lasts,
             *(_cell(table[mutant.number].get(tool)) for tool in tools)] for mutant in mutants]
    return "### Mutants\n\n" + _rows(["", "mutant", "class", "lasts", *tools], rows)


def _cell(cell: Cell | None) -> str:
    """Of the soonest discovery: by whom, on what, after how long. Without one: why there could be none, if so."""
    if cell is None:
        return ""
    count = "" if len(cell.lines) == 1 else f"{cell.count()} of {len(cell.lines)}: "
    if cell.count():
        best, line = min(((one, line) for of_line, line in zip(cell.found, cell.lines) for one in of_line),
                         key=lambda pair: (pair[0].seconds is None, pair[0].seconds))
        parts = [f"{best.seconds:.1f} s" if best.seconds is not None else "",
                 f"{best.bytes_written / 1e6:.1f} MB" if best.bytes_written is not None else "",
                 f"{best.exposures} exposures" if best.exposures is not None else ""]
        others = sorted(cell.by() - {best.by})
        return (f"{count}**{best.by}** {', '.join(part for part in parts if part)}"
                + (f" ({', '.join(best.kinds)})" if best.exposures is not None else "")
                + (f"; {', '.join(others)}" if others else "")
                + (f", on {line['fs']}" if len({other['fs'] for other in cell.lines}) > 1 else ""))
    ended = sorted({line["ended"] for line in cell.lines if line["ended"] != "done"})
    tried = sorted({name for line in cell.lines for name in judgement.tried(line)})
    said = [f"the guest: {', '.join(ended)}"] if ended else [f"tried: {', '.join(tried)}"] if 0 < len(tried) <= FEW else []
    return f"{count}no" + "".join(f" ({one})" for one in said)


def _numbers(mutants: list[Mutant]) -> str:
    return ", ".join(str(mutant.number) for mutant in mutants)
