# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of stz-post for sweeps."""
import os
import sys
import warnings

from .. import SUFFIXES, later
from ..errors import StzPostError
from ..text import json_lines

style, sweep_figures, film_figure, numbers, points, quantity, results, sweep, units = map(
    later.Module,
    ("plots.style", "plots.sweeps", "plots.films", "analysis.numbers", "analysis.points", "analysis.quantity", "io.dataset",
     "io.sweep", "units"),
)
open_result = later.function("io.result", "open_result")
SWEEP = "directory of a sweep, or the file that collect made of it"


def add(commands):
    """Adds the commands to the parser's."""
    one = commands.add_parser("collect", help="one file of a whole sweep")
    one.add_argument("sweep", metavar="DIR")
    one.add_argument("-o", dest="output", metavar="FILE", help="default: DIR.h5")
    one.set_defaults(run=_collect)

    one = _figure(commands, "heatmap", _heatmap, "a number of each run over two axes of a sweep")
    one.add_argument("--value", default="flow_stress_GPa", metavar="NAME", help="default %(default)s")
    one.add_argument("--x", metavar="AXIS", help="default: the sweep's last axis")
    one.add_argument("--y", metavar="AXIS", help="default: the one before")

    one = _figure(commands, "lines", _lines, "a number of each run against one axis, a line for each value of another")
    one.add_argument("--value", default="flow_stress_GPa", metavar="NAME", help="default %(default)s")
    one.add_argument("--x", required=True, metavar="AXIS")
    one.add_argument("--by", required=True, metavar="AXIS")

    text = "curves of the histories of a sweep, coloured by an axis, or of one result"
    one = _figure(commands, "curves", _curves, text, SWEEP + ", or one result")
    one.set_defaults(run=_curves_of_any)
    one.add_argument("--by", metavar="AXIS", help="needed of a sweep")
    one.add_argument("--x", default="strain_axial", metavar="COLUMN", help="default %(default)s")
    one.add_argument("--y", default="stress_axial_GPa", metavar="COLUMN", help="default %(default)s")

    one = commands.add_parser("table", help="numbers of each point of a sweep with 95 %% intervals over its replicas")
    one.add_argument("sweep", metavar="DIR", help="directory of a sweep")
    _numbers(one)
    one.add_argument("--at", metavar="NAME=VALUE", help="every number where this one has a value: at equal strength")
    one.add_argument("--along", metavar="AXIS", help="the axis that moves it there, such as mean_eV")
    one.set_defaults(run=_table)

    one = _figure(commands, "films", _films, "strength, localisation, activity and order of films against thickness and depth")
    _numbers(one)

    one = _figure(commands, "master", _master, "flow stresses at all rates and temperatures on one curve")
    one.add_argument("--rate", default="rate_per_s", metavar="AXIS", help="default %(default)s")
    one.add_argument("--temperature", default="temperature_K", metavar="AXIS", help="default %(default)s")
    one.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _numbers(one):
    one.add_argument("--value", action="append", metavar="NAME", help="a number to print; default: all that there are")
    one.add_argument("--against", metavar="AXIS=VALUE", help="compare with the points that differ in this alone, not the first")
    one.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _figure(commands, name, run, text, what=SWEEP):
    one = commands.add_parser(name, help=text, description=text)
    one.add_argument("sweep", metavar="DIR", help=what)
    one.add_argument("-o", dest="output", required=True, metavar="FIGURE", help=", ".join(SUFFIXES))
    one.set_defaults(run=lambda options: _drawn(options, run))
    return one


def _drawn(options, run):
    style.check(options.output)
    noting(lambda: run(options, sweep.open_sweep(options.sweep)))


def noting(act):
    """Acts, and prints as notes what it warns of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            act()
        except StzPostError as error:  # the warnings may be its cause
            raise StzPostError("; ".join([str(error), *_notes(said)])) from error
    for text in _notes(said):
        print(f"note: {text}")


def _notes(said):
    return sorted({str(warning.message) for warning in said if warning.category is UserWarning})


def _collect(options):
    output = options.output or os.path.normpath(options.sweep) + ".h5"
    done, damaged = sweep.collect(options.sweep, output, _progress)
    for fault in damaged:
        print(f"note: {fault}; taken for not done")
    print(f"{done - len(damaged)} runs in {output}")


def _progress(done, runs):
    """A line for each tenth of many runs."""
    if runs >= 100 and 10 * done // runs > 10 * (done - 1) // runs:
        print(f"collect: {done}/{runs} runs", file=sys.stderr, flush=True)


def _heatmap(options, dataset):
    axes = sweep_figures.axes_of(dataset)
    if len(axes) < 2 and not (options.x and options.y):
        raise StzPostError(f"{options.sweep}: a heat map needs two axes, the sweep has {len(axes)}")
    figure = sweep_figures.heatmap(dataset, options.value, options.x or axes[-1], options.y or axes[-2])
    style.save(figure, options.output)


def _lines(options, dataset):
    style.save(sweep_figures.lines(dataset, options.value, options.x, options.by), options.output)


def _curves_of_any(options):
    if not results.is_result(options.sweep):
        _drawn(options, _curves)
    elif options.by:
        raise StzPostError(f"--by: {options.sweep} is one result, without axes")
    else:
        style.check(options.output)
        style.save(sweep_figures.curve(open_result(options.sweep), options.x, options.y), options.output)


def _curves(options, dataset):
    if not options.by:
        axes = ", ".join(sweep_figures.axes_of(dataset))
        raise StzPostError(f"--by: missing, needs an axis of the sweep: {axes or 'none'}")
    style.save(sweep_figures.curves(dataset, options.by, options.x, options.y), options.output)


def _table(options):
    def act():
        dataset = sweep.open_sweep(options.sweep)
        _print_points("table", options, dataset, numbers.numbers(dataset))

    noting(act)


def _films(options, dataset):
    found = numbers.numbers(dataset)
    style.save(film_figure.films(dataset, found), options.output)
    _print_points("films", options, dataset, found)


def _print_points(command, options, dataset, found):
    """The table of a sweep's points, or the same as JSON."""
    own = points.points(found, sweep_figures.axes_of(dataset), dataset["seed"])
    if getattr(options, "at", None) or getattr(options, "along", None):
        own = points.at_equal(own, *_equal(options, dataset, found))
    axis, value = _pair("--against", options.against, own[0].parameters) if options.against else (None, None)
    against = points.references(own, axis, value)
    names = _chosen(options.value, own)
    if options.json:
        print(json_lines({"command": command, "points": points.records(own, names, against)}))
    else:
        which = f"the same with {axis} = {value:g}" if axis else "the first point"
        print(points.table(own, names, against, which))


def _equal(options, dataset, found):
    """(name, value, axis) of --at and --along."""
    if not (options.at and options.along):
        raise StzPostError(f"--at and --along: need each other: NAME=VALUE and an axis of the sweep "
                           f"({', '.join(sweep_figures.axes_of(dataset)) or 'none'})")
    name, value = _pair("--at", options.at, found)
    axis = sweep_figures.axis(dataset, options.along, "--along")
    if axis.dtype.kind not in "if":
        raise StzPostError(f"--along: got {options.along}, needs an axis of numbers")
    return name, value, options.along


def _pair(option, text, names):
    """(name, number) of NAME=VALUE."""
    name, _, value = (text or "").partition("=")
    try:
        number = float(value)
    except ValueError:
        number = None
    if name not in names or number is None:
        raise StzPostError(f"{option}: got {text}, needs NAME=VALUE, a number of one of {', '.join(names)}")
    return name, number


def _chosen(wanted, own):
    """The names of the numbers to print: those asked for, or all of which some run has one."""
    there = [name for name in own[0].replicas if any(points.mean(one.replicas[name]).count for one in own)]
    for name in wanted or ():
        if name not in there:
            raise StzPostError(f"--value: got {name}, needs one of {', '.join(there) or 'none: no run is done'}")
    if not there:
        raise StzPostError("no run is done that has a number")
    return wanted or there


def _master(options, dataset):
    found = sweep_figures.master(dataset, options.rate, options.temperature)
    style.save(sweep_figures.master_figure(found), options.output)
    volume = found.volume_nm3 * units.ANGSTROM3
    quantities = [
        quantity.Quantity("points", len(found.stress_GPa)),
        quantity.Quantity("rate0", found.rate0_per_s, "1/s"),
        quantity.Quantity("scatter about one curve", found.rms_GPa, "GPa"),
        quantity.Quantity("scatter of the flow stresses", found.spread_GPa, "GPa"),
        *(
            quantity.Quantity(f"apparent activation volume, M = {label}", factor * volume, "Å³")
            for label, factor in units.TAYLOR_FACTORS.items()
        ),
    ]
    if options.json:
        print(json_lines({"command": "master", "quantities": [q.record() for q in quantities]}))
    else:
        print(quantity.table(quantities))
