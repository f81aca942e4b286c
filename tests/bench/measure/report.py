"""report.py: writes what a run found: bench.json, bench.md and plots."""
import json
import pathlib

from measure import plot, table, targets

# Which pictures a section has: file name, metric, how it is drawn.
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
    return (f"{about['date']}, {about['libepi']}, Linux {about['kernel']},"
            f" {about['processors']} processors"
            f" ({about.get('processor', about['machine'])});"
            f" medians of {about['runs']} runs.{quick}")


def pictures(results, out):
    """Write the plots; for each section their file names."""
    written = {}
    for name in results.names():
        section = results.section(name)
        for file, metric, draw in PLOTS.get(name, ()):
            subjects = section.subjects(metric)
            if not subjects:
                continue
            about = section.data["metrics"][metric]
            series = {subject: [section.median(metric, case, subject)
                                for case in section.cases_of(metric)]
                      for subject in subjects}
            (out / f"{file}.svg").write_text(draw(
                f"{section.data['title']}: {about['title'].lower()}",
                about["unit"].replace(" (ratio to direct)", ""),
                section.cases_of(metric), series))
            written.setdefault(name, []).append(f"{file}.svg")
    return written


def text(results, plots=None):
    """All tables, the targets first."""
    parts = [about_text(results.data["about"])]
    if targets.rows(results):
        parts += ["### Targets", targets.text(results)]
    parts += [table.section_text(name, results.section(name),
                                 (plots or {}).get(name, ()))
              for name in results.names()]
    return "\n\n".join(parts) + "\n"


def write(results, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    plots = pictures(results, out)
    (out / "bench.json").write_text(json.dumps(results.data, indent=1) + "\n")
    (out / "bench.md").write_text("# Side by side\n\n" + text(results, plots))
