"""Tables for people."""

SCALES = {"ns": 1, "µs": 1e-3, "ms": 1e-6, "spawns/s": 1}


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def heading(text):
    return f"\n{text}\n{'-' * len(text)}"


def cell_line(title, cell, section, width):
    scale = SCALES[section.unit]
    numbers = "".join(f"{number(cell[part] * scale):>10}" for part in ("minimum", "median", "p99"))
    ratios = "".join(
        f"{cell['ratios'][name]:>{len(name) + 5}.2f}" if name in cell["ratios"] else f"{'-':>{len(name) + 5}}"
        for name in section.baselines
    )
    return f"  {title:<{width}}{numbers}{ratios}"


def row_lines(section, row):
    width = max(len(title) for _, title in section.columns)
    captions = "".join(f"{caption:>10}" for caption in ("minimum", "median", "p99"))
    captions += "".join(f"   ÷ {name}" for name in section.baselines)
    yield f"\n{row.title:<{width + 2}}{captions}"
    for name, title in section.columns:
        if name in row.cells:
            yield cell_line(title, row.cells[name], section, width)
        elif name in row.missing:
            yield f"  {title:<{width}}   missing: {row.missing[name]}"


def section_text(section):
    lines = [heading(f"{section.title} ({section.unit})")]
    for row in section.rows:
        lines.extend(row_lines(section, row))
    lines.extend(f"\n{note}" for note in section.notes)
    return "\n".join(lines)


def stress_lines(kind):
    width = max(len(count.title) for count in kind.counts.values())
    yield f"\n{kind.title:<{width + 2}}    spawns   ETXTBSY  other errors"
    for count in kind.counts.values():
        if count.missing:
            yield f"  {count.title:<{width}}   missing: {count.missing}"
        else:
            yield f"  {count.title:<{width}}{count.spawns:>10,}{count.text_busy:>10,}{count.otherwise:>14,}"


def stress_text(stress):
    return "\n".join([heading(stress.title), *(line for kind in stress.rows for line in stress_lines(kind))])


def machine_text(facts):
    memory = facts["memory_bytes"] / (1 << 30)
    return f"""\
{facts['processors']} × {facts['processor']}, {memory:.0f} GiB, {facts['system']}, {facts['libc']}
Times are from the call to the end of a static child that does nothing. Ratios are of medians, of columns that took
turns in the same run; only they can be compared with another run or another machine."""


def goals_text(goals):
    lines = [heading("Goals"), ""]
    width = max(len(goal.title) for goal in goals)
    lines.append(f"{'':<{width}}{'measured':>12}{'goal':>16}")
    for goal in goals:
        if goal.measured is None:
            lines.append(f"{goal.title:<{width}}{'-':>12}{goal.bound:>16}  not measured: {goal.missing}")
        else:
            verdict = {True: "met", False: "not met", None: ""}[goal.met]
            lines.append(f"{goal.title:<{width}}{goal.measured:>12.3f}{goal.bound:>16}  {verdict}".rstrip())
    return "\n".join(lines)
