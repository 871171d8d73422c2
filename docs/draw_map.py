"""Draws docs/map.svg: the rooms of the suite, and which room imports which, as the code says: `python -m docs.draw_map`."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "docs" / "map.svg"
# Drawn as one room each, beside every room of fixtures/.
BESIDE_FIXTURES = ("verify", "reports", "sample")

Imports = set[tuple[str, str]]
"""Pairs of rooms: the first imports the second."""

_WIDE, _HIGH = 122, 34
_ACROSS, _DOWN = 146, 66
_MARGIN = 24
_HEAD = 66
# Fill and edge of a box: a room of a drill in plain Python, a room of pytest's, what lies outside fixtures/.
_COLOURS = {"drill": ("#e8f0fb", "#3566a8"), "pytest": ("#fdf1dd", "#b06f12"), "outside": ("#eaf5ea", "#3c7d44")}


def main() -> None:
    """Writes the picture."""
    MAP.write_text(picture())
    print(f"wrote {MAP.relative_to(ROOT)}")


def picture() -> str:
    """The whole SVG: the same text for the same imports."""
    modules = rooms()
    imports = imports_between(modules)
    drawn = without_detours(imports)
    rows, lines = arranged({room: depth(room, imports) for room in modules}, drawn)
    return "\n".join(_svg(rows, lines, {room: said_of(room) for room in modules})) + "\n"


def rooms() -> dict[str, list[Path]]:
    """Every room and its modules."""
    folders = [path for path in sorted((ROOT / "fixtures").iterdir()) if (path / "__init__.py").exists()]
    folders += [ROOT / name for name in BESIDE_FIXTURES]
    return {folder.name: sorted(path for path in folder.rglob("*.py") if _is_ours(path)) for folder in folders}


def said_of(room: str) -> str:
    """What the room does, by its own first line."""
    folder = ROOT / room if room in BESIDE_FIXTURES else ROOT / "fixtures" / room
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    return said.partition("\n")[0]


def _is_ours(path: Path) -> bool:
    return not {"node_modules", "backups", "data"} & set(path.parts)


def imports_between(modules: dict[str, list[Path]]) -> Imports:
    """What the modules of each room import of other rooms."""
    found = {
        (room, _room_of(name))
        for room, paths in modules.items()
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _named(node)
    }
    return {(room, other) for room, other in found if other in modules and other != room}


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (
            (f"{node.module}.{alias.name}" for alias in node.names) if node.module == "fixtures" else [node.module]
        )


def _room_of(module: str) -> str:
    top, *rest = module.split(".")
    return rest[0] if top == "fixtures" and rest else top


def depth(room: str, imports: Imports) -> int:
    """How many rooms stand below it, one upon the other. The rooms import each other in no circle: a test sees to it."""
    return max((depth(below, imports) + 1 for above, below in imports if above == room), default=0)


def without_detours(imports: Imports) -> Imports:
    """The imports that no way through other rooms implies: the others would hide them."""
    below = defaultdict(set)
    for above, other in imports:
        below[above].add(other)

    def reached(room: str) -> set[str]:
        return below[room].union(*(reached(other) for other in below[room]))

    return {
        (above, other) for above, other in imports if not any(other in reached(each) for each in below[above] - {other})
    }


Row = list[str]
"""The boxes of one storey from left to right. A line that passes it has a place of its own, named `above>below>row`."""


def arranged(depths: dict[str, int], imports: Imports) -> tuple[list[Row], list[list[str]]]:
    """The storeys from the top down, each ordered so that few lines cross, and every line as the places it goes through."""
    top = max(depths.values())
    rows: list[Row] = [sorted(room for room in depths if top - depths[room] == at) for at in range(top + 1)]
    lines = []
    for above, below in sorted(imports):
        begins, ends = top - depths[above], top - depths[below]
        passed = [f"{above}>{below}>{at}" for at in range(begins + 1, ends)]
        for at, place in zip(range(begins + 1, ends), passed, strict=True):
            rows[at].append(place)
        lines.append([above, *passed, below])
    beside = defaultdict(list)
    for line in lines:
        for one, other in pairwise(line):
            beside[one].append(other)
            beside[other].append(one)
    for _ in range(24):
        for row in (*rows, *rows[::-1]):
            middles = {place: _middle(at, len(each)) for each in rows for at, place in enumerate(each)}
            row.sort(key=lambda place: (_mean([middles[other] for other in beside[place]]), place))
    return rows, lines


def _middle(at: int, many: int) -> float:
    return at - (many - 1) / 2


def _mean(numbers: list[float]) -> float:
    return round(sum(numbers) / len(numbers), 6) if numbers else 0.0


def _svg(rows: list[Row], lines: list[list[str]], said: dict[str, str]) -> Iterator[str]:
    width = max(map(len, rows)) * _ACROSS + 2 * _MARGIN
    height = _HEAD + len(rows) * _DOWN + _MARGIN
    at = {
        place: (width / 2 + _middle(index, len(row)) * _ACROSS, _HEAD + _HIGH / 2 + number * _DOWN)
        for number, row in enumerate(rows)
        for index, place in enumerate(row)
    }
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    yield ' font-family="system-ui, sans-serif" role="img" aria-label="The rooms of the suite and what each imports">'
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    yield '<path d="M0 0.5 L8 4 L0 7.5 Z" fill="#7b8794"/></marker>'
    yield from _legend()
    for line in lines:
        yield _line([at[place] for place in line])
    for place, (across, down) in sorted(at.items()):
        if place in said:
            yield from _box(place, said[place], across, down)
    yield "</svg>"


def _legend() -> Iterator[str]:
    words = {"drill": "one drill, plain Python", "pytest": "pytest, command lines", "outside": "outside fixtures/"}
    for number, (kind, text) in enumerate(words.items()):
        fill, edge = _COLOURS[kind]
        across = _MARGIN + number * 196
        yield f'<rect x="{across}" y="16" width="16" height="16" rx="4" fill="{fill}" stroke="{edge}"/>'
        yield f'<text x="{across + 24}" y="28.5" font-size="13" fill="#1f2933">{text}</text>'
    told = "An arrow: imports. A room may import what it reaches by arrows; shortcuts are not drawn."
    yield f'<text x="{_MARGIN}" y="52" font-size="12" fill="#52606d">{told}</text>'


def _line(points: list[tuple[float, float]]) -> str:
    (across, down), *_, (last, end) = points
    drawn = [f"M{across:g} {down + _HIGH / 2:g}"]
    for (one, above), (other, below) in pairwise(points):
        begins, ends = above + _HIGH / 2, below - _HIGH / 2
        bend = (ends - begins) * 0.55
        drawn.append(f"C{one:g} {begins + bend:g} {other:g} {ends - bend:g} {other:g} {ends:g}")
        if (other, below) != (last, end):
            drawn.append(f"L{other:g} {below + _HIGH / 2:g}")
    return f'<path d="{" ".join(drawn)}" fill="none" stroke="#7b8794" stroke-width="1.4" marker-end="url(#tip)"/>'


def _box(room: str, said: str, across: float, down: float) -> Iterator[str]:
    kind = "outside" if room in BESIDE_FIXTURES else "pytest" if room in ("plugin", "commands") else "drill"
    fill, edge = _COLOURS[kind]
    left, top = across - _WIDE / 2, down - _HIGH / 2
    yield f"<g><title>{escape(said)}</title>"
    yield f'<rect x="{left:g}" y="{top:g}" width="{_WIDE}" height="{_HIGH}" rx="8" fill="{fill}" stroke="{edge}"/>'
    yield f'<text x="{across:g}" y="{down + 5:g}" font-size="15" font-weight="600" fill="#1f2933" text-anchor="middle">'
    yield f"{escape(room)}</text></g>"


if __name__ == "__main__":
    main()
