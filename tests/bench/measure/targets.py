"""targets.py: what libepi is to reach beside its peers, and whether it did:
computed from a run's numbers, ratios of medians of the same run."""
import dataclasses

from measure.results import DIRECT
from measure.table import markdown

REVERSE, SOCKS5, SOCKS6 = ("libepi reverse", "libepi SOCKS 5",
                           "libepi SOCKS 6")
REVERSE_PEERS = ("nginx stream", "nginx http", "HAProxy", "HAProxy, splice")
LARGE_PIPES = "HAProxy, splice, 1 MiB pipes"  # which by itself are 64 KiB
SPLICERS = ("HAProxy, splice", "3proxy, splice")
BOTH = "redirector and SOCKS 6"
WARM, WARM_TFO = "SOCKS 6, warm", "SOCKS 6, warm, TFO"
CLIENT_TFO = "SOCKS 6 in the client, TFO"
IN_BETWEEN = ("DOCKER 1", "DOCKER 2", "DOCKER 3")
TRIANGLES = {"DOCKER 4": (1, 1), "DOCKER 5": (5, 5), "DOCKER 6": (10, 10)}


@dataclasses.dataclass
class Target:
    what: str
    case: str
    wanted: float
    got: float          # None: not measured
    more: bool = True   # better is more
    beside: str = ""    # the peer it is measured by

    @property
    def met(self):
        """None if it was not measured."""
        if self.got is None or self.wanted is None:
            return None
        return (self.got >= self.wanted if self.more
                else self.got <= self.wanted)

    @property
    def margin(self):
        """By how many percent it is better than wanted; below 0 worse. A
        wanted 0 has none."""
        if self.met is None or not self.wanted:
            return None
        part = self.got / self.wanted - 1
        return 100 * (part if self.more else -part)


def beside_best(section, metric, mine, peers, factor, what, more=True):
    """For each case: mine is so many times the best of the peers."""
    for case in section.cases_of(metric):
        best = section.best(metric, case, peers)
        got = (section.ratio(metric, case, mine, best) if best else None)
        yield Target(what, case, factor, got, more, best or "")


def _socks_peers(section):
    ours = section.data["ours"]
    return [name for name, method in section.data["subjects"].items()
            if method == "socks5" and name not in ours]


def _all_peers(section):
    return [name for name in section.subjects("rate")
            if name not in section.data["ours"] and name != DIRECT]


def connections(section):
    yield from beside_best(section, "rate", REVERSE, REVERSE_PEERS, 1.1,
                           "new connections, reverse: of the best reverse"
                           " proxy")
    yield from beside_best(section, "rate", SOCKS5, _socks_peers(section), 1.3,
                           "new connections, SOCKS 5: of the best SOCKS 5"
                           " peer")
    yield from beside_best(section, "rate", SOCKS6, REVERSE_PEERS, 1.0,
                           "new connections, SOCKS 6: of the best reverse"
                           " proxy")
    for name in (REVERSE, SOCKS5, SOCKS6):
        for case in section.cases[-1:]:
            errors = section.value("errors", case, name)
            rate = section.median("rate", case, name)
            yield Target(f"{name}: connections a second without an error",
                         case, 2000, 0.0 if errors else rate)


def keepalive(section):
    for name in (REVERSE, SOCKS5, SOCKS6):
        yield from beside_best(section, "rate", name, _all_peers(section), 1.0,
                               f"keep-alive, {name}: of the best peer")


def bulk(section):
    for name in (REVERSE, SOCKS5, SOCKS6):
        for peers, what in ((SPLICERS, "the best that splices"),
                            ((LARGE_PIPES,), "HAProxy with large pipes")):
            yield from beside_best(section, "gbit", name, peers, 1.05,
                                   f"bulk, {name}: of {what}")
            for case in section.cases:
                best = section.best("gbit", case, peers)
                yield Target(f"bulk, {name}: processor time, of the same",
                             case, 1.0,
                             section.ratio("cpu_gib", case, name, best)
                             if best else None, False, best or "")


def memory(section):
    for name in (REVERSE, SOCKS5, SOCKS6):
        for case in section.cases:
            yield Target(f"idle flow, {name}: own memory, of HAProxy's", case,
                         0.5, section.ratio("own_kib", case, name, "HAProxy"),
                         False, "HAProxy")
            yield Target(f"idle flow, {name}: with the kernel's, of HAProxy's",
                         case, 1.0,
                         section.ratio("whole_kib", case, name, "HAProxy"),
                         False, "HAProxy")
            own, kept = (section.median(metric, case, name)
                         for metric in ("own_kib", "kept_kib"))
            yield Target(f"idle flow, {name}: kept after its end, of its own",
                         case, 0.1, kept / own if own else None, False)
            # A quick run does not ask for as many.
            if case.startswith("9000 "):
                yield Target(f"{name}: flows at once", case, 9000,
                             section.median("open", case, name))


def _beyond_direct(section, case, name, estimate):
    """How far a way is from an estimate, after what direct takes beyond its
    own was taken off; ms."""
    values = [section.median("median", case, name),
              section.median("beyond", case, DIRECT)]
    return None if None in values else values[0] - estimate - values[1]


def topologies(section):
    for case in section.cases:
        yield Target("set-up, SOCKS 6 warm: of nginx", case, 1.0,
                     section.ratio("median", case, WARM, "nginx"), False,
                     "nginx")
    for case in section.cases:
        if case in IN_BETWEEN:
            yield Target("set-up, SOCKS 6 warm: of direct", case, 1.0,
                         section.ratio("median", case, WARM, DIRECT), False,
                         DIRECT)
    for case, (cp, ps) in TRIANGLES.items():
        if case in section.cases:
            for name, estimate, what in (
                    (WARM, cp + 2 * ps, "CP + 2 PS"),
                    (WARM_TFO, cp + ps, "CP + PS"),
                    (CLIENT_TFO, cp + ps, "CP + PS")):
                yield Target(f"set-up, {name}: ms beyond {what}", case,
                             max(0.1 * estimate, 0.5),
                             _beyond_direct(section, case, name, estimate),
                             False)


def redirector(section):
    redirectors = [name for name in section.subjects("rate")
                   if name.startswith("redsocks and ") and "epi" not in name]
    for target in beside_best(section, "rate", BOTH, redirectors, 1.8,
                              "redirector and SOCKS 6: of the best"
                              " redirector"):
        if "client" in target.case:
            yield target


def counts(section):
    for case, name, wanted in (("new connections", SOCKS6, 16),
                               ("keep-alive", REVERSE, 5),
                               ("keep-alive", SOCKS5, 5),
                               ("keep-alive", SOCKS6, 5)):
        yield Target(f"system calls for each request, {name}", case, wanted,
                     section.median("calls", case, name), False)


SECTIONS = {"connections": connections, "keepalive": keepalive, "bulk": bulk,
            "memory": memory, "topologies": topologies,
            "redirector": redirector, "counts": counts}


def rows(results):
    """All targets of the sections that were run."""
    found = []
    for name, targets in SECTIONS.items():
        section = results.section(name)
        if section:
            found += targets(section)
    return found


def _verdict(target):
    if target.met is None:
        return "not measured"
    word = "met" if target.met else "missed"
    margin = target.margin
    return word if margin is None else f"{word}, {margin:+.0f} %"


def text(results):
    every = rows(results)
    met = sum(target.met is True for target in every)
    missed = sum(target.met is False for target in every)
    return (f"{met} met, {missed} missed, {len(every) - met - missed} not"
            " measured. The percentage is how much better than wanted.\n\n" +
            markdown(["target", "case", "wanted", "measured", "beside", ""], [
                [target.what, target.case,
                 f"{'at least' if target.more else 'at most'}"
                 f" {target.wanted:,g}",
                 "" if target.got is None else f"{target.got:,.2f}",
                 target.beside, _verdict(target)] for target in every]))
