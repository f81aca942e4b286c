"""results.py: what was measured: for each section, case and subject the values
of every run, and what follows from them.

The JSON is this, and everything that is printed is made from it:

    {"about": {...},
     "sections": {
       "connections": {
         "title": "...", "cases": ["1 client", ...],
         "subjects": {"direct": "direct", "nginx stream": "reverse", ...},
         "ours": ["epi reverse", ...],
         "metrics": {"rate": {"unit": "requests/s", "better": "more", ...}},
         "values": {"rate": {"1 client": {"direct": [9975, ...]}}},
         "notes": ["..."]}}}"""
import dataclasses
import statistics

DIRECT = "direct"


@dataclasses.dataclass
class Metric:
    unit: str
    better: str = ""       # "more" or "less"; "" is neither
    ratio: bool = False    # worth dividing by direct's and by the peers'
    digits: int = 0        # behind the point
    total: bool = False    # of all runs, instead of their median
    minor: bool = False    # not for a document
    title: str = ""


class Section:
    def __init__(self, data):
        self.data = data

    @classmethod
    def new(cls, title, metrics):
        return cls({"title": title, "cases": [], "subjects": {}, "ours": [],
                    "metrics": {name: dataclasses.asdict(metric)
                                for name, metric in metrics.items()},
                    "values": {name: {} for name in metrics}, "notes": []})

    def expect(self, subject):
        """Say that there will be a subject; tables keep this order."""
        self.data["subjects"].setdefault(subject.name, subject.method)
        if subject.ours and subject.name not in self.data["ours"]:
            self.data["ours"].append(subject.name)

    def add(self, case, subject, **values):
        """Record one run's values."""
        data = self.data
        if case not in data["cases"]:
            data["cases"].append(case)
        self.expect(subject)
        for metric, value in values.items():
            if value is not None:
                data["values"][metric].setdefault(case, {}).setdefault(
                    subject.name, []).append(value)

    def note(self, text):
        if text not in self.data["notes"]:
            self.data["notes"].append(text)

    @property
    def cases(self):
        return self.data["cases"]

    def cases_of(self, metric):
        """Those in which it was measured."""
        return [case for case in self.cases
                if self.data["values"].get(metric, {}).get(case)]

    def subjects(self, metric=None):
        """Names, direct first, then peers, then ours; those with a value."""
        ours = self.data["ours"]
        names = [name for name in self.data["subjects"] if metric is None or
                 any(name in case for case in
                     self.data["values"].get(metric, {}).values())]
        return sorted(names, key=lambda name: (
            name != DIRECT, name in ours))

    def runs(self, metric, case, subject):
        return (self.data["values"].get(metric, {}).get(case, {})
                .get(subject, []))

    def median(self, metric, case, subject):
        """None if it was not measured."""
        values = self.runs(metric, case, subject)
        return statistics.median(values) if values else None

    def value(self, metric, case, subject):
        """What stands for all runs: their median, or their sum."""
        if self.data["metrics"][metric]["total"]:
            return sum(self.runs(metric, case, subject))
        return self.median(metric, case, subject)

    def spread(self, metric, case, subject):
        """How far the runs are apart, as a part of their median."""
        values = self.runs(metric, case, subject)
        middle = statistics.median(values) if values else 0
        return (max(values) - min(values)) / middle if middle else 0.0

    def ratio(self, metric, case, subject, other):
        """The median of one subject divided by that of another; None if one
        of them was not measured or the other's is 0."""
        mine = self.median(metric, case, subject)
        theirs = self.median(metric, case, other)
        return mine / theirs if mine is not None and theirs else None

    def best(self, metric, case, subjects):
        """The subject with the best median; None if none has one."""
        known = [(self.median(metric, case, name), name) for name in subjects
                 if self.median(metric, case, name) is not None]
        if not known:
            return None
        better = self.data["metrics"][metric]["better"]
        return (min(known) if better == "less" else max(known))[1]


class Results:
    def __init__(self, data=None):
        self.data = data or {"about": {}, "sections": {}}

    def new(self, name, title, metrics):
        section = Section.new(title, metrics)
        self.data["sections"][name] = section.data
        return section

    def section(self, name):
        """None if it was not run."""
        data = self.data["sections"].get(name)
        return Section(data) if data else None

    def names(self):
        return list(self.data["sections"])
