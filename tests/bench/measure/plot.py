"""plot.py: results as pictures, in SVG: lines over cases, or bars in groups.

    plot.lines("New connections", "requests/s", cases, {"direct": [9975, ...]})

A value that is missing (None) leaves a gap. Bars may go below zero."""
import math

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 40, 44
COLOURS = ("#1b6ca8", "#c8553d", "#3b8c5a", "#8e6bb0", "#b8860b", "#4f5d75",
           "#d36ba6", "#2a9d8f", "#9a3b3b", "#6a7f2a", "#222222", "#a0a0a0")


def escape(text):
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"),
                          ('"', "&quot;")):
        text = text.replace(plain, entity)
    return text


def steps(low, high):
    """About five round numbers that the values lie between."""
    span = high - low or 1.0
    rough = span / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough)
    first = math.floor(low / step)
    last = max(first + 1, math.ceil(high / step))
    return [round(step * at, 10) for at in range(first, last + 1)]


def label(value):
    if abs(value) >= 10000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


class Picture:
    """A frame with a scale from low to high, to which shapes are added."""

    def __init__(self, title, unit, values):
        known = [value for value in values if value is not None]
        self.marks = steps(min([0, *known]), max([0, *known]))
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH}'
            f' {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
        self.text(LEFT, 20, title, weight="bold", size=14)
        self.text(LEFT, 34, unit, colour="#666666")
        for mark in self.marks:
            y = self.y(mark)
            self.parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}"'
                f' y2="{y:.1f}" stroke="{"#444444" if mark == 0 else "#dddddd"}'
                f'"/>')
            self.text(LEFT - 6, y + 4, label(mark), anchor="end")

    def y(self, value):
        low, high = self.marks[0], self.marks[-1]
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, text, anchor="start", colour="#222222",
             weight="normal", size=12):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
            f' fill="{colour}" font-weight="{weight}" font-size="{size}">'
            f'{escape(text)}</text>')

    def names(self, names):
        for number, name in enumerate(names):
            y = TOP + 10 + 18 * number
            self.parts.append(
                f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12"'
                f' height="10" fill="{colour(number)}"/>')
            self.text(WIDTH - RIGHT + 32, y, name)

    def svg(self):
        return "\n".join([*self.parts, "</svg>", ""])


def colour(number):
    return COLOURS[number % len(COLOURS)]


def _all(series):
    return [value for values in series.values() for value in values]


def _columns(cases):
    """The middle of each case's column, and its width."""
    width = (WIDTH - LEFT - RIGHT) / max(1, len(cases))
    return [LEFT + width * (at + 0.5) for at in range(len(cases))], width


def lines(title, unit, cases, series):
    picture = Picture(title, unit, _all(series))
    middles, _ = _columns(cases)
    for x, case in zip(middles, cases):
        picture.text(x, HEIGHT - BOTTOM + 18, case, anchor="middle")
    for number, values in enumerate(series.values()):
        points = [(x, picture.y(value)) for x, value in zip(middles, values)
                  if value is not None]
        picture.parts.append(
            f'<polyline fill="none" stroke="{colour(number)}"'
            f' stroke-width="2" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        picture.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"'
                          f' fill="{colour(number)}"/>' for x, y in points]
    picture.names(series)
    return picture.svg()


def bars(title, unit, cases, series):
    picture = Picture(title, unit, _all(series))
    middles, width = _columns(cases)
    each = width * 0.85 / max(1, len(series))
    for middle, case in zip(middles, cases):
        picture.text(middle, HEIGHT - BOTTOM + 18, case, anchor="middle")
    for number, values in enumerate(series.values()):
        for middle, value in zip(middles, values):
            if value is None:
                continue
            x = middle - width * 0.425 + each * number
            top, bottom = sorted((picture.y(value), picture.y(0)))
            picture.parts.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{each * 0.9:.1f}"'
                f' height="{bottom - top:.1f}" fill="{colour(number)}"/>')
    picture.names(series)
    return picture.svg()
