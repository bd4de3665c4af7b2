"""The two curves that matter, as SVG: the medians of a section's columns over its axis, both axes logarithmic.

The picture stands alone: no script, no font of its own, and colours for a light and a dark page."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 920, 480
LEFT, RIGHT, TOP, BOTTOM = 72, 304, 76, 60
SUBTITLE = "Median time from the call to the end of a child that does nothing. Lower is better."
LABEL_DISTANCE = 16  # pixels between two labels at the right

# For each column: its colour on a light page, its colour on a dark one, and whether it is drawn in bold.
STYLES = {
    "airlock": ("#0b7a4b", "#3ddc97", True),
    "preload": ("#0b5fd0", "#6cb2ff", True),
    "vfork": ("#6b7280", "#9ca3af", False),
    "glibc": ("#b45309", "#f2a93b", False),
    "hardened": ("#c81e1e", "#ff7b72", False),
    "fork": ("#7c4a21", "#c99a6b", False),
    "rust": ("#9d3aa8", "#df8be8", False),
    "cpython": ("#5b4bc4", "#a99bff", False),
    "libuv": ("#0f7f8c", "#4fd0dd", False),
    "glib": ("#b0256b", "#ff8fc0", False),
}
DASHED = {"vfork"}


@dataclass
class Axis:
    """A logarithmic scale between two values, and the pixels that they lie at."""

    low: float
    high: float
    low_pixel: float
    high_pixel: float

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.low_pixel + share * (self.high_pixel - self.low_pixel)


@dataclass
class Series:
    name: str
    title: str
    points: list  # (x, microseconds)


def series_of(section):
    result = []
    for name, title in section.columns:
        points = [(row.value, row.cells[name]["median"] / 1000) for row in section.rows if name in row.cells]
        if points and name in STYLES:
            result.append(Series(name, title, points))
    return result


def style_sheet():
    lines = [
        "text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #374151; }",
        ".page { fill: #ffffff; stroke: #d8dee6; }",
        ".grid { stroke: #e5e9ef; stroke-width: 1; }",
        "text.title { font-size: 17px; font-weight: 600; fill: #111827; }",
        "text.bold { font-weight: 600; }",
        ".line { fill: none; stroke-linejoin: round; stroke-linecap: round; }",
    ]
    dark = [
        "text { fill: #b6bfca; }",
        ".page { fill: #0d1117; stroke: #30363d; }",
        ".grid { stroke: #232a33; }",
        "text.title { fill: #f0f3f6; }",
    ]
    for name, (light_colour, dark_colour, _) in STYLES.items():
        for lines_of_theme, colour in ((lines, light_colour), (dark, dark_colour)):
            lines_of_theme.append(f".{name} {{ stroke: {colour}; }}")
            lines_of_theme.append(f"text.{name}, .dot.{name} {{ fill: {colour}; stroke: none; }}")
    return "\n".join(lines + ["@media (prefers-color-scheme: dark) {"] + dark + ["}"])


def decades(low, high):
    """1, 10, 100 ... between the two, and 2 and 5 times these where there are few."""
    steps = (1,) if high / low > 500 else (1, 2, 5)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [step * 10**exponent for exponent in exponents for step in steps]
    return [value for value in values if low <= value <= high]


def time_text(microseconds):
    if microseconds >= 10_000:
        return f"{microseconds / 1000:,.0f} ms"
    if microseconds >= 1000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds:.0f} µs"


def grid(x_axis, y_axis, x_ticks):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in decades(y_axis.low, y_axis.high):
        y = y_axis.at(value)
        label = f"{value / 1000:g} ms" if value >= 1000 else f"{value:g} µs"
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    for value, label in x_ticks:
        x = x_axis.at(value)
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{escape(label)}</text>'


def line(series, x_axis, y_axis):
    bold = STYLES[series.name][2]
    pixels = [(x_axis.at(x), y_axis.at(y)) for x, y in series.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in pixels)
    dash = ' stroke-dasharray="6 5"' if series.name in DASHED else ""
    yield f'<path class="line {series.name}" stroke-width="{3.5 if bold else 1.8}"{dash} d="{path}"/>'
    for x, y in pixels:
        yield f'<circle class="dot {series.name}" cx="{x:.1f}" cy="{y:.1f}" r="{4 if bold else 2.6}"/>'


def spread(wanted, top, bottom):
    """Heights that keep the order and the distance of labels, and are as near to the wanted ones as that allows:
    labels that touch are moved together, around the mean of what they want."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups = []  # (sum of the heights that their first label should have, number of labels)
    for rank, i in enumerate(order):
        group = (wanted[i] - rank * LABEL_DISTANCE, 1)
        while groups and groups[-1][0] / groups[-1][1] >= group[0] / group[1]:
            before = groups.pop()
            group = (before[0] + group[0], before[1] + group[1])
        groups.append(group)
    firsts = [total / count for total, count in groups for _ in range(count)]
    last_first = bottom - (len(wanted) - 1) * LABEL_DISTANCE
    placed = {i: min(max(firsts[rank], top), last_first) + rank * LABEL_DISTANCE for rank, i in enumerate(order)}
    return [placed[i] for i in range(len(wanted))]


def labels(all_series, x_axis, y_axis):
    ends = [(x_axis.at(s.points[-1][0]), y_axis.at(s.points[-1][1])) for s in all_series]
    heights = spread([y for _, y in ends], TOP, HEIGHT - BOTTOM)
    x_label = WIDTH - RIGHT + 26
    for series, (x, y), height in zip(all_series, ends, heights):
        bold = " bold" if STYLES[series.name][2] else ""
        leader = f"M{x + 6:.1f} {y:.1f}L{x_label - 4} {height:.1f}"
        yield f'<path class="line {series.name}" stroke-width="1" opacity="0.55" d="{leader}"/>'
        yield f'<text class="{series.name}{bold}" x="{x_label}" y="{height + 4:.1f}">{escape(series.title)}</text>'
        time = time_text(series.points[-1][1])
        yield f'<text class="{series.name}{bold}" x="{WIDTH - 20}" y="{height + 4:.1f}" text-anchor="end">{time}</text>'


def draw(section, title, x_title, x_ticks):
    """The picture, or None when there is nothing to draw."""
    all_series = series_of(section)
    if len(section.rows) < 2 or not all_series:
        return None
    xs = [row.value for row in section.rows]
    ys = [y for series in all_series for _, y in series.points]
    x_axis = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y_axis = Axis(min(ys) * 0.8, max(ys) * 1.15, HEIGHT - BOTTOM, TOP)
    ticks = [(value, label) for value, label in x_ticks if x_axis.low <= value <= x_axis.high]
    # The boldest lines last, so that they lie on top.
    by_weight = sorted(all_series, key=lambda series: STYLES[series.name][2])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{style_sheet()}\n</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        f'<text class="title" x="20" y="32">{escape(title)}</text>',
        f'<text x="20" y="54">{SUBTITLE}</text>',
        *grid(x_axis, y_axis, ticks),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">{escape(x_title)}</text>',
        *(part for series in by_weight for part in line(series, x_axis, y_axis)),
        *labels(all_series, x_axis, y_axis),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def draw_descriptors(section):
    ticks = [(10**exponent, f"{10**exponent:,}") for exponent in range(7)]
    return draw(section, "Starting a child while many files are open", "open descriptors in the parent", ticks)


def draw_memory(section):
    ticks = [(1 << exponent, f"{1 << exponent - 20} MiB") for exponent in range(20, 30)]
    ticks += [(1 << exponent, f"{1 << exponent - 30} GiB") for exponent in range(30, 40)]
    ticks = [(value, label) for value, label in ticks if label.split()[0] in ("1", "2", "4", "8", "16", "64", "256")]
    return draw(section, "Starting a child from a large process", "resident memory of the parent", ticks)
