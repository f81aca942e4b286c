"""picture.py: a model as a picture, for notebooks: its areas, what they
apply, and where data may move as it is."""
from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Sequence

if TYPE_CHECKING:
    from .model import Area, Model

_WIDTH, _GAP, _LINE, _LIMIT = 190, 40, 17, 6


def _levels(areas: Sequence[Area]) -> list[int]:
    """How many steps lead to each area at most; there are no cycles."""
    levels = [0] * len(areas)
    waiting = [0] * len(areas)
    for area in areas:
        for above in area.above:
            waiting[above] += 1
    ready = [i for i, count in enumerate(waiting) if count == 0]
    while ready:
        at = ready.pop()
        for above in areas[at].above:
            levels[above] = max(levels[above], levels[at] + 1)
            waiting[above] -= 1
            if waiting[above] == 0:
                ready.append(above)
    return levels


def _shortened(names: Sequence[str]) -> list[str]:
    shown = [name if len(name) <= 24 else name[:23] + "\u2026"
             for name in names[:_LIMIT]]
    more = len(names) - len(shown)
    return [*shown, f"and {more} more"] if more else shown


def _box(area: Area, x: int, y: int, height: int) -> str:
    lines = [f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{height}" rx="6"'
             ' fill="#f4f7fa" stroke="#5b7083"/>']
    words = ", ".join(area.attributes) or "no attributes"
    bold = _shortened([words])
    for i, text in enumerate([*bold, *_shortened(area.nodes)]):
        weight = ' font-weight="bold"' if i < len(bold) else ""
        lines.append(f'<text x="{x + 10}" y="{y + 20 + i * _LINE}"{weight}>'
                     f"{escape(text)}</text>")
    return "".join(lines)


def svg(model: Model) -> str:
    """The areas of a model, those with more attributes higher up; an arrow is
    a movement that is safe as it is, and so are its continuations."""
    areas = model.areas
    levels = _levels(areas)
    height = 30 + _LINE * (1 + max(
        (min(len(area.nodes), _LIMIT + 1) for area in areas), default=0))
    top, places = max(levels, default=0), {}
    columns: dict[int, int] = {}
    for i, level in enumerate(levels):
        column = columns.get(level, 0)
        columns[level] = column + 1
        places[i] = (_GAP // 2 + column * (_WIDTH + _GAP),
                     _GAP // 2 + (top - level) * (height + _GAP))
    wide = _GAP // 2 + max(columns.values(), default=0) * (_WIDTH + _GAP)
    high = _GAP // 2 + (top + 1) * (height + _GAP)
    arrows = "".join(
        f'<line x1="{places[i][0] + _WIDTH // 2}" y1="{places[i][1]}"'
        f' x2="{places[above][0] + _WIDTH // 2}"'
        f' y2="{places[above][1] + height + 3}" stroke="#5b7083"'
        ' marker-end="url(#epi-arrow)"/>'
        for i, area in enumerate(areas) for above in area.above)
    boxes = "".join(_box(area, *places[i], height)
                    for i, area in enumerate(areas))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}"'
            f' height="{high}" font-family="sans-serif" font-size="12">'
            '<defs><marker id="epi-arrow" viewBox="0 0 8 8" refX="7" refY="4"'
            ' markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0 8 4 0 8z" fill="#5b7083"/></marker></defs>'
            f"{arrows}{boxes}</svg>")


def html(model: Model) -> str:
    """The picture, and the numbers that epi-check prints."""
    from .model import Pairs
    rows = [("nodes", str(len(model.nodes))),
            *((kind.name.lower(), str(model.pairs(kind))) for kind in Pairs),
            ("unfeasibility ratio", f"{model.unfeasibility_ratio():.3g}"),
            ("model", model.hash[:12])]
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
                    for name, value in rows)
    return f"<div>{svg(model)}<table>{cells}</table></div>"
