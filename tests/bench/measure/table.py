"""table.py: results as Markdown."""
import statistics

from measure.results import DIRECT


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def markdown(head, rows):
    """A table; every cell is a text."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def cell(section, metric, case, subject):
    about = section.data["metrics"][metric]
    text = number(section.value(metric, case, subject), about["digits"])
    ratio = section.ratio(metric, case, subject, DIRECT)
    if about["ratio"] and ratio is not None and subject != DIRECT:
        text += f" ({ratio:.2f})"
    return text


def medians(section, metric):
    """A row for each subject, a column for each case; in brackets the ratio
    to direct."""
    cases = section.cases_of(metric)
    return markdown(["", *cases], [
        [name, *(cell(section, metric, case, name) for case in cases)]
        for name in section.subjects(metric)])


def beside_peers(section, metric):
    """Ours divided by each peer, a row for each pair; "" without peers."""
    names, ours = section.subjects(metric), section.data["ours"]
    cases, rows = section.cases_of(metric), []
    for mine in (name for name in names if name in ours):
        for peer in (name for name in names if name not in ours):
            ratios = [section.ratio(metric, case, mine, peer)
                      for case in cases]
            if peer != DIRECT and any(ratios):
                rows.append([f"{mine} / {peer}",
                             *(number(ratio, 2) for ratio in ratios)])
    return markdown(["", *cases], rows) if rows else ""


def spread_text(section, metric):
    """How far the runs of a figure are apart; "" where each was run once."""
    spreads = sorted(
        section.spread(metric, case, name)
        for case in section.cases_of(metric)
        for name in section.subjects(metric)
        if len(section.runs(metric, case, name)) > 1)
    if not spreads:
        return ""
    return (f"The runs of one figure are apart by"
            f" {100 * statistics.median(spreads):.0f} % of it in half of the"
            f" cases, and by {100 * spreads[-1]:.0f} % at most.")


def all_zero(section, metric):
    return all(section.value(metric, case, name) == 0
               for case in section.cases for name in section.subjects(metric)
               if section.runs(metric, case, name))


def section_text(name, section, plots=(), brief=False):
    """Everything about a section; if brief, without what is minor and without
    the ratios to each peer, which follow from the rest."""
    parts = [f"### {section.data['title']}"]
    for metric, about in section.data["metrics"].items():
        if not section.data["values"][metric] or (brief and about.get("minor")):
            continue
        title = about["title"] or metric
        unit = f", {about['unit']}" if about["unit"] else ""
        if about["total"] and all_zero(section, metric):
            parts.append(f"{title}: none.")
            continue
        parts.append(f"{title}{unit}:")
        parts.append(medians(section, metric))
        if spread_text(section, metric) and not about["total"]:
            parts.append(spread_text(section, metric))
        if about["ratio"] and not brief and beside_peers(section, metric):
            parts.append(f"{title}, libepi divided by each peer:")
            parts.append(beside_peers(section, metric))
    parts += [f"![{name}]({plot})" for plot in plots]
    if section.data["notes"]:
        parts.append("\n".join(f"- {note}" for note in
                               section.data["notes"]))
    return "\n\n".join(parts)
