"""report.py: writes what a run found: bench.json, bench.md and plots."""
import json
import pathlib

from measure import plot, table, targets

# Which pictures a section has: file name, metric, how it is drawn; and whom not
# to draw, since nothing else would be seen beside him.
TOO_LARGE = {"memory": ("dante",)}
PLOTS = {
    "connections": [("connections", "rate", plot.lines),
                    ("connections-reduction", "reduction", plot.lines)],
    "keepalive": [("keepalive", "rate", plot.bars)],
    "bulk": [("bulk", "gbit", plot.bars)],
    "memory": [("memory", "own_kib", plot.bars)],
    "latency": [("latency", "p99", plot.bars)],
    "topologies": [("topologies", "mean", plot.bars),
                   ("topologies-overhead", "overhead", plot.bars)],
    "chains": [("chains", "ms", plot.lines)],
    "redirector": [("redirector", "rate", plot.bars)],
}


def about_text(about):
    quick = (" A quick run: it shows that the benchmark works, and says nothing"
             " about speed." if about.get("quick") else "")
    peers = (f" Peers: {', '.join(about['peers'])}." if about.get("peers")
             else "")
    return (f"{about['date']}, {about['libepi']}, Linux {about['kernel']},"
            f" {about['processors']} processors"
            f" ({about.get('processor', about['machine'])});"
            f" medians of {about['runs']} runs.{peers}{quick}")


def said(about, left_out):
    """What a picture shows, in a line."""
    unit = about["unit"].replace(" (ratio to direct)", "")
    return (about["title"] + (f", {unit}" if unit else "") +
            "".join(f", without {name}" for name in left_out))


def pictures(results, out):
    """Write the plots; for each section their file names."""
    written = {}
    for name in results.names():
        section = results.section(name)
        for file, metric, draw in PLOTS.get(name, ()):
            left_out = TOO_LARGE.get(name, ())
            subjects = [subject for subject in section.subjects(metric)
                        if subject not in left_out]
            if not subjects:
                continue
            about = section.data["metrics"][metric]
            series = {subject: [section.median(metric, case, subject)
                                for case in section.cases_of(metric)]
                      for subject in subjects}
            (out / f"{file}.svg").write_text(draw(
                section.data["title"], said(about, left_out),
                section.cases_of(metric), series))
            written.setdefault(name, []).append(f"{file}.svg")
    return written


def text(results, plots=None, brief=False):
    """All tables, the targets first; brief as section_text() has it."""
    parts = [about_text(results.data["about"])]
    if targets.rows(results):
        parts += ["### Targets", targets.text(results)]
    parts += [table.section_text(name, results.section(name),
                                 (plots or {}).get(name, ()), brief)
              for name in results.names()]
    return "\n\n".join(parts) + "\n"


def write(results, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    plots = pictures(results, out)
    (out / "bench.json").write_text(json.dumps(results.data, indent=1) + "\n")
    (out / "bench.md").write_text("# Side by side\n\n" + text(results, plots))
