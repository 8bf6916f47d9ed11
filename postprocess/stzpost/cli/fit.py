# SPDX-License-Identifier: GPL-3.0-or-later
"""`stz-post fit`: the model's parameters from measured files and a sweep."""

from .. import SUFFIXES, later
from ..errors import StzPostError
from ..text import json_lines
from . import measured as measured_cli

study, plots, style, quantity = map(later.Module, ("studies.fit", "plots.fit", "plots.style", "analysis.quantity"))
DESCRIPTION = """What do measured curves leave of the model's parameters? Give the files and a sweep that varies the
parameters, as barriers.mean_eV, stz.volume_nm3 and barriers.width_eV, with the protocol of the test. Each parameter
gets its best value, an interval of 95 % (profile likelihood) and a posterior; what stays undetermined is said, and which
measurement or run would tighten most. docs/fit.md has an example from the sweep to the figure."""
EXAMPLES = """examples:
  stz-post fit --measured a.csv b.csv c.csv sweep -o corner.png
  stz-post fit --measured a.csv --offset free sweep            the level of the stress is not trusted, only its fall
  stz-post fit --measured a.csv --machine 40,0.2 sweep         grips on a machine of 40 GPa, known to 20 %
  stz-post fit --measured u.csv --length 25 --scale 0.02 sweep displacement of an on-chip specimen of 25 um
"""


def add(commands, formatter):
    """Adds the command to the parser's."""
    text = "the model's parameters from measured files and a sweep"
    one = commands.add_parser(
        "fit", help=text, description=DESCRIPTION, epilog=EXAMPLES, formatter_class=formatter,
        usage="stz-post fit --measured FILE [FILE ...] [options] SWEEP",
    )
    one.add_argument("--measured", nargs="+", action="extend", required=True, metavar="FILE",
                     help="stress relaxation, displacement on chip, or tension (docs/measured.md)")
    one.add_argument("sweep", nargs="?", metavar="SWEEP", help="the folder of a sweep (docs/sweeps.md)")
    one.add_argument("-o", dest="output", metavar="FIGURE", help=f"write the corner plot ({', '.join(SUFFIXES)})")
    one.add_argument("--json", action="store_true", help="print JSON instead of tables (docs/fit.md)")
    one.add_argument("--kind", metavar="KIND", help="relaxation, displacement or tension (default: told from the columns)")
    one.add_argument("--at", action="append", default=[], metavar="AXIS=VALUE",
                     help="hold a parameter of the sweep, or say a condition of the test, as rate_per_s=1e-6")
    one.add_argument("--offset", metavar="GPA", help="each file's stress may be off by a constant: its standard "
                     "deviation, or `free` (default: none)")
    one.add_argument("--machine", metavar="GPA[,SHARE]", help="stiffness of the machine behind the grips, per area and "
                     "length of the specimen, and its relative error (default: rigid)")
    numbers = (
        ("scale", "SHARE", "standard deviation of a factor of each file's displacement (default: none)"),
        ("temperature", "K", "of the tests (default: the file's, else 295)"),
        ("error", "X", "standard error of a reading: GPa, or µm of a displacement"),
        ("length", "UM", "of the specimen"),
        ("from", "S", "start of the relaxation: rows before are left out, times count from it"),
        ("to", "S", "end of what counts, on the file's clock"),
    )
    for name, unit, meaning in numbers:
        one.add_argument(f"--{name}", type=float, metavar=unit, help=meaning)
    measured_cli.add_reading(one)
    one.set_defaults(run=_fit)


def _fit(options):
    files, sweep = options.measured, options.sweep
    if sweep is None:
        files, sweep = files[:-1], files[-1]
    if not files:
        raise StzPostError(f"fit: got {sweep} alone, needs --measured FILE and the folder of a sweep")
    if options.output:
        style.check(options.output)
    found = study.fit(files, sweep, _settings(options), measured_cli.choice(options))
    if options.output:
        style.save(plots.corner(found.inference), options.output)
    if options.json:
        print(json_lines(quantity.finite(record(found, sweep)), 1))
        return
    for line in lines(found):
        print(quantity.minus(line))


def _settings(options):
    told = {}
    fields = {"temperature": "temperature_K", "error": "error", "length": "length_um", "scale": "scale", "to": "stop_s"}
    for name, field in fields.items():
        value = measured_cli.positive(f"--{name}", getattr(options, name))
        told |= {field: value} if value is not None else {}
    told |= {"start_s": getattr(options, "from") or 0.0, "kind": options.kind, "at": _at(options.at)}
    if options.offset is not None:
        free = options.offset == "free"
        told["offset_GPa"] = study.FREE_GPA if free else _numbers("--offset", options.offset, 1, "GPA or free")[0]
    if options.machine is not None:
        numbers = (*_numbers("--machine", options.machine, 2, "GPA[,SHARE]"), 0.0)
        told["machine_GPa"], told["machine_share"] = numbers[:2]
    return study.Settings(**told)


def _numbers(name, text, most, form):
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if not 1 <= len(values) <= most or not all(0 < value < float("inf") for value in values):
        raise StzPostError(f"{name}: got {text}, needs {form}, of positive numbers")
    return values


def _at(words):
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        if not name or not value:
            raise StzPostError(f"--at: got {word}, needs AXIS=VALUE")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def record(found, sweep):
    """The contract of `--json`."""
    inference, refused = found.inference, found.refused
    best, intervals = inference.values(inference.best), inference.intervals()
    moments, free, edge = inference.moments(), inference.undetermined(), found.at_edge()
    parameters = [
        {
            "name": one.name, "key": one.key, "unit": one.unit, "sweep": [one.low, one.high], "best": best[one.name],
            "interval": None if refused else list(intervals[one.name]),
            "open": [low <= 0, high >= 1],
            "mean": None if refused else moments[one.name][0],
            "deviation": None if refused else moments[one.name][1],
            "undetermined": one.name in free, "at_edge": one.name in edge,
        }
        for one, (low, high) in zip(inference.parameters, inference.spans)
    ]
    rows = zip(inference.names, inference.correlation())
    return {
        "command": "fit", "sweep": str(sweep), "refused": refused or None,
        "files": [{"file": one.path, "kind": one.kind, "rows": len(one.x), "left_out": one.left_out,
                   "temperature_K": one.temperature_K} for one in found.files],
        "parameters": parameters,
        "correlation": {name: dict(zip(inference.names, map(float, row))) for name, row in rows},
        "nuisances": [{"file": reading.file, "name": one.name, "unit": one.unit, "value": value, "deviation": deviation}
                      for reading, one, value, deviation in found.model.nuisances(inference.best)],
        "chi2": found.chi2, "degrees_of_freedom": found.freedom, "p": found.p,
        "surfaces": {kind: {"runs": one.runs, "order": one.order, "error": one.error}
                     for kind, one in found.surfaces.items()},
        "advice": [{"what": what, "width_factors": factors} for what, factors in found.advice()],
        "next_run": found.next_run(),
    }


def lines(found):
    """What is printed without `--json`."""
    inference, refused = found.inference, found.refused
    for one in found.files:
        yield from one.said
    yield from (f"sweep: {line}" for line in found.said)
    for kind, one in found.surfaces.items():
        order, unit = "quadratic" if one.order == 2 else "linear", "" if kind == "displacement" else " GPa"
        yield (f"{kind}: {order} response surface of {one.runs} runs, error when a point is left out "
               f"{one.error:.2g}{unit}")
    yield f"chi2 {found.chi2:.3g} of {found.freedom} degrees of freedom, p = {found.p:.2g}"
    if refused:
        yield f"refused: {refused}"
        return
    width = max(map(len, inference.names))
    best, moments, free = inference.values(inference.best), inference.moments(), inference.undetermined()
    yield f"{'parameter':<{width}}  best, interval of 95 % (profile), posterior"
    for one, (low, high) in zip(inference.parameters, inference.spans):
        unit = "" if one.unit in ("", "1") else f" {one.unit}"
        a, b = (f"{float(one.value(edge)):.4g}" for edge in (low, high))
        ends = " (to the sweep's edge)" if low <= 0 or high >= 1 else ""
        mean, deviation = moments[one.name]
        told = "undetermined, " if one.name in free else ""
        yield (f"{one.name:<{width}}  {told}{best[one.name]:.4g}, {a} to {b}{unit}{ends}, {quantity.plus_minus(mean, deviation)}")
    yield from _together(inference)
    for reading, one, value, deviation in found.model.nuisances(inference.best):
        unit = "" if one.unit == "1" else f" {one.unit}"
        yield f"{reading.file}: {one.name} {quantity.plus_minus(value, deviation)}{unit}"
    for name in found.at_edge():
        yield f"note: {name} is best at the edge of the sweep: widen it there"
    yield "what would tighten most (width of each interval, times):"
    for what, factors in found.advice()[:3]:
        yield f"  {what}: " + ", ".join(f"{name} {factor:.2f}" for name, factor in factors.items())
    next_run = ", ".join(f"{name} {value:.4g}" for name, value in found.next_run().items())
    yield f"next run, where the surface knows least: {next_run}"


def _together(inference):
    """Pairs of which a combination alone is known."""
    rows = inference.correlation()
    for i, name in enumerate(inference.names):
        for j in range(i):
            if abs(rows[i, j]) > 0.8:
                pair = f"{inference.names[j]} and {name}"
                yield f"{pair} are known together better than alone: correlation {rows[i, j]:.2f}"
