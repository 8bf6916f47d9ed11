# SPDX-License-Identifier: GPL-3.0-or-later
"""The command stz-post."""
import argparse
import contextlib
import difflib
import math
import os
import re
import sys

from .. import SUFFIXES, __version__, later, text
from ..analysis import registry
from ..errors import Partly, StzPostError
from ..io import inputs
from . import exchange
from . import fit as fit_cli
from . import measured as measured_cli
from . import streams
from . import sweeps as sweep_cli

bands = later.Module("studies.bands")
bands_page = later.Module("pages.bands")
calibration = later.Module("studies.calibration")
compare = later.Module("studies.compare")
evidence = later.Module("studies.evidence")
experiment = later.Module("studies.experiment")
energy = later.Module("analysis.energy")
experiment_page = later.Module("pages.experiment")
fields = later.Module("analysis.fields")
figures = later.Module("plots.figures")
growth = later.Module("studies.growth")
heating = later.Module("analysis.heating")
launch = later.Module("studies.launch")
movie = later.Module("plots.movie")
nbed = later.Module("analysis.nbed")
page = later.Module("pages")
paper = later.Module("plots.paper")
plan = later.Module("studies.runs")
process = later.Module("studies.process")
relaxation = later.Module("analysis.relaxation")
report = later.Module("pages.report")
style = later.Module("plots.style")
synth = later.Module("synth")
targets = later.Module("studies.targets")
tension = later.Module("analysis.tension")
verdicts = later.Module("studies.verdicts")
open_result = later.function("io.result", "open_result")
open_sweep = later.function("io.sweep", "open_sweep")
table = later.function("analysis.quantity", "table")
plus_minus = later.function("analysis.quantity", "plus_minus")
minus = later.function("analysis.quantity", "minus")
finite = later.function("analysis.quantity", "finite")


class _Parser(argparse.ArgumentParser):
    """`fill`, if there, adds the arguments once they are needed: what they say may take an import."""

    fill = None

    def parse_known_args(self, args=None, namespace=None):
        fill, self.fill = self.fill, None
        if fill:
            fill(self)
        return super().parse_known_args(args, namespace)

    def error(self, message):
        raise StzPostError(f"{self._guess(message) or message} ({self.prog} --help)")

    def _guess(self, message):
        """A word that was refused, with the nearest one that is known."""
        command = re.match(r"argument (COMMAND|KIND|NAME): invalid choice: '(.*)' \(choose from (.*)\)$", message)
        if command:
            known = re.findall(r"'([^']*)'", command[3])
            return f"{command[1].lower()} {command[2]}: unknown{self._nearest(command[2], known, ', needs one of ')}"
        option = re.match(r"unrecognized arguments: (--[^\s=]*)", message)
        return option and f"{option[1]}: unknown option{self._nearest(option[1], self._options(), '')}"

    def _options(self):
        parsers, found = [self], []
        for parser in parsers:
            found += parser._option_string_actions
            for action in parser._actions:
                parsers += action.choices.values() if isinstance(action, argparse._SubParsersAction) else []
        return found

    @staticmethod
    def _nearest(word, known, otherwise):
        near = difflib.get_close_matches(word, known, 1)
        return f"; did you mean {near[0]}?" if near else otherwise and otherwise + ", ".join(known)


def main(arguments=None):
    """Exit code: 0 done, 1 done in part, 2 bad usage, bad input or missing data, 75 stopped early (the same command
    goes on), 130 stopped by Ctrl-C."""
    streams.prepare()
    try:
        with contextlib.suppress(SystemExit), inputs.remembered():  # it is --help and --version that exit
            options = parser().parse_args(arguments)
            options.run(options)
        sys.stdout.flush()
    except StzPostError as error:
        print(f"stz-post: {text.plain(error)}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("stz-post: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        streams.forget_stdout()
        return 0
    except OSError as error:  # of a folder that cannot be made, or of stdout
        print(f"stz-post: {text.plain(error.filename or 'stdout')}: {text.plain(error.strerror or error)}", file=sys.stderr)
        streams.forget_stdout()
        return 2
    return 0


def parser():
    """The parser of the whole command line; what it refuses is a StzPostError."""
    whole = _Parser(prog="stz-post", description="Post-processing of stzkmc result files.")
    whole.add_argument("--version", action="version", version=f"stz-post {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for analysis in registry.ANALYSES:
        one = _command(commands, analysis.name, OWN.get(analysis.name, _analysis), analysis.help)
        one.fill = FILLED.get(analysis.name)
    _command(commands, "probes", _probes, "maps of every scan")
    _add_compare(commands)
    _add_studies(commands)
    sweep_cli.add(commands)
    measured_cli.add(commands)
    exchange.add(commands)
    fit_cli.add(commands, argparse.RawDescriptionHelpFormatter)
    _add_report(commands)
    _add_page(commands)
    one = _later(commands, "movie", _fill_movie, "a movie of strain and events")
    one.set_defaults(run=_movie)
    one = _later(commands, "figure", _fill_figure, "a figure for a paper, as PDF and PNG, with its numbers as CSV")
    one.set_defaults(run=_figure)
    _later(commands, "synth", _fill_synth, "synthetic measurements with their truth")
    return whole


def _add_compare(commands):
    one = commands.add_parser("compare", help="a measurement of your own against one or more runs")
    one.add_argument("--measured", required=True, metavar="FILE", help="the measurement (docs/measured.md)")
    one.add_argument("files", nargs="+", metavar="RESULT")
    one.add_argument("-o", dest="output", metavar="FIGURE", help=f"write the figure ({', '.join(SUFFIXES)})")
    one.add_argument("--json", action="store_true", help="print JSON instead of a table")
    what = "standard error of a reading, GPa or µm, where the file has none"
    one.add_argument("--error", type=float, metavar="X", help=what)
    one.add_argument("--length", type=float, metavar="UM", help="length of the specimen of a displacement")
    measured_cli.add_reading(one)
    one.set_defaults(run=_compare)


def _add_studies(commands):
    one = _series(
        commands, "experiment", _experiment, "carry out the experiment and judge every measured row (run/experiment)"
    )
    one.add_argument("--quick", action="store_true", help="few seeds: minutes")
    one = _series(commands, "bands", _bands, "growth of waves of slip with domains and their controls (run/bands)")
    one.add_argument("--quick", action="store_true", help="two seeds of two structures: minutes")
    one.add_argument("--middle", action="store_true", help="a small box and four seeds: an hour and a half")
    what = "stiff and soft domains, barriers tied to the modulus, normal stress, small box, four seeds: forty minutes"
    one.add_argument("--moduli", action="store_true", help=what)
    one.add_argument("--markdown", action="store_true", help="only print the tables of what DIR/bands.json holds")
    one = _series(
        commands, "calibrate", _calibrate, "what the measured values leave of the model's parameters (run/calibrate)"
    )
    one.add_argument("--quick", action="store_true", help="a small design in small boxes, to try it: minutes")


def _add_report(commands):
    one = commands.add_parser("report", help="one self-contained page for one or more files")
    one.add_argument("files", nargs="+", metavar="FILE")
    one.add_argument(
        "-o", dest="output", required=True, metavar="DIR", help="directory for report.html and the figures"
    )
    one.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    one.set_defaults(run=_report)


def _add_page(commands):
    what = "one interactive page of a run or of a sweep, for a browser without a network"
    one = commands.add_parser("page", help=what, description=what)
    one.add_argument("file", metavar="FILE", help="a result, or the directory of a sweep")
    one.add_argument("-o", dest="output", required=True, metavar="PAGE", help="the page, PAGE.html")
    one.set_defaults(run=_page)


def _later(commands, name, fill, what):
    """A command whose arguments are added once they are needed."""
    one = commands.add_parser(name, help=what, description=what)
    one.fill = fill
    return one


def _fill_relaxation(one):
    one.add_argument("--segment", type=int, metavar="I", help="index of the segment (default: the longest relaxation)")
    one.add_argument(
        "--from", dest="start", type=float, default=0.0, metavar="S", help="start of the fit, s (default 0)"
    )
    one.add_argument(
        "--to", dest="stop", type=float, default=math.inf, metavar="S", help="end of the fit, s (default: all)"
    )
    one.add_argument(
        "--min-r2",
        type=float,
        default=relaxation.MIN_R2,
        metavar="R2",
        help="refuse fits below this R² (default %(default)s)",
    )


def _fill_stress_strain(one):
    one.add_argument(
        "--segment", type=int, metavar="I", help="index of the segment (default: that of the largest strain)"
    )


def _fill_slices(one):
    one.add_argument("--axis", choices="xyz", default="z", help="normal of the plane (default z)")
    one.add_argument("--index", type=int, metavar="I", help="index of the plane (default: the middle)")


HEATING = (  # flag, name in heating.Constants, unit, meaning
    ("length", "length_um", "UM", "length between cold grips"),
    ("heat-capacity", "heat_capacity_MJ_per_m3K", "MJ_PER_M3K", "heat capacity of a volume; as in handbooks, not the film's"),
    ("conductivity", "conductivity_W_per_mK", "W_PER_MK", "of heat; as in handbooks, not the film's"),
)


def _fill_energy(one):
    for flag, name, unit, meaning in HEATING:
        default = getattr(heating.Constants, name)
        what = f"{meaning} (default {default:g})"
        one.add_argument(f"--{flag}", dest=name, type=float, default=default, metavar=unit, help=what)


FILLED = {
    "relaxation": _fill_relaxation,
    "stress-strain": _fill_stress_strain,
    "slices": _fill_slices,
    "energy": _fill_energy,
}


def _fill_movie(one):
    one.add_argument("file", metavar="FILE")
    one.add_argument("-o", dest="output", required=True, metavar="MOVIE", help="a name that ends in .mp4 or .gif")
    one.add_argument("--view", choices=movie.VIEWS, help="default: space with VTK and a display, else plane")
    one.add_argument("--frames", type=int, default=60, metavar="N", help="default %(default)s")
    one.add_argument("--rate", type=int, default=12, metavar="N", help="frames a second (default %(default)s)")


def _fill_figure(one):
    names = [*paper.FIGURES, *paper.SWEEP_FIGURES]
    one.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    one.add_argument("files", nargs="+", metavar="FILE", help="results; for " + " and ".join(paper.SWEEP_FIGURES)
                     + " a sweep: its directory, or the file that collect made of it")
    one.add_argument("--value", default="flow_stress_GPa", metavar="NAME", help="of a sweep (default %(default)s)")
    one.add_argument("--x", metavar="AXIS", help="of a sweep")
    one.add_argument("--y", metavar="AXIS", help="of a sweep")
    one.add_argument("-o", dest="output", required=True, metavar="STEM", help="writes STEM.pdf, STEM.png, STEM.csv")


def _fill_synth(parser):
    """`stz-post synth KIND`: the fields of the kind's settings are its options."""
    kinds = parser.add_subparsers(required=True, metavar="KIND", parser_class=_Parser)
    for kind in synth.KINDS:
        title = synth.TITLES[kind]
        one = kinds.add_parser(kind, help=title, description=title)
        one.add_argument("files", nargs="+", metavar="RESULT", help="results, or directories of results (a sweep's)")
        one.add_argument("-o", dest="output", required=True, metavar="DIR", help="directory of the set, new or empty")
        one.add_argument("--noise-seed", type=int, default=1, metavar="N", help="seed of the noise (default 1)")
        one.add_argument(
            "--test-share", type=float, default=0.2, metavar="X", help="share of specimens to test on (default 0.2)"
        )
        for name, each in synth.options(kind).items():
            meaning = f"{each.metadata['text']}, {each.metadata['unit']} (default %(default)s)".replace(", 1 (", " (")
            what = {"type": type(each.default), "default": each.default, "metavar": "NX"[type(each.default) is float]}
            one.add_argument("--" + name.replace("_", "-"), dest=name, **what, help=meaning)
        one.set_defaults(run=_synth, kind=kind)


def _command(commands, name, run, what):
    parser = commands.add_parser(name, help=what, description=what)
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", dest="output", metavar="FIGURE", help=f"write the figure ({', '.join(SUFFIXES)})")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run, name=name)
    return parser


def _series(commands, name, run, what):
    """A command that carries out runs itself."""
    parser = commands.add_parser(name, help=what, description=what)
    parser.add_argument("-o", dest="output", required=True, metavar="DIR", help="directory of the runs and the outcome")
    parser.add_argument("--program", default="stzkmc", metavar="STZKMC", help="the engine (default %(default)s)")
    parser.add_argument(
        "--inputs", metavar="DIR", help="directory of the inputs (default: inputs, else those of the program)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="write the sweep files, which `stzkmc sweep` takes too, and what they cost"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="runs at once (default: cores)")
    parser.set_defaults(run=run)
    return parser


def _relaxation(options):
    found = relaxation.analyse(open_result(options.file), options.segment, options.start, options.stop, options.min_r2)
    _show(options, relaxation.quantities(found), relaxation.notes(found), lambda: figures.relaxation(found))


def _stress_strain(options):
    found = tension.analyse(open_result(options.file), options.segment)
    _show(options, tension.quantities(found), tension.notes(found), lambda: figures.stress_strain(found))


def _analysis(options):
    analysis = registry.named(options.name)
    found = analysis.analyse(open_result(options.file))
    _show(options, analysis.quantities(found), analysis.notes(found), lambda: analysis.figure(found))


def _energy(options):
    names = [name for _, name, _, _ in HEATING]
    given = {name: measured_cli.positive(f"--{flag}", getattr(options, name)) for flag, name, _, _ in HEATING}
    found = energy.analyse(open_result(options.file), heating.Constants(*(given[name] for name in names)))
    _show(options, energy.quantities(found), energy.notes(found), lambda: figures.energy(found))


def _probes(options):
    levels = nbed.analyse(open_result(options.file))
    _show(options, nbed.scan_quantities(levels), nbed.notes(levels), lambda: figures.probes(levels))


def _slices(options):
    found = fields.analyse(open_result(options.file), options.axis, options.index)
    _show(options, fields.quantities(found), [], lambda: figures.slices(found))


OWN = {  # those with options
    "relaxation": _relaxation,
    "stress-strain": _stress_strain,
    "slices": _slices,
    "energy": _energy,
}


def _page(options):
    if os.path.isdir(options.file):
        sweep_cli.noting(lambda: page.write_sweep(open_sweep(options.file), options.output))
    else:
        for note in page.write_run(open_result(options.file), options.output):
            print(f"stz-post: {note}", file=sys.stderr)
    print(f"page: {options.output}")


def _movie(options):
    movie.check(options.output)
    for name, least, most in (("frames", 2, 10000), ("rate", 1, 1000)):
        if not least <= getattr(options, name) <= most:
            raise StzPostError(f"--{name}: got {getattr(options, name)}, needs {least} to {most}")
    view = options.view or movie.default_view()
    try:
        count = movie.VIEWS[view](open_result(options.file), options.output, options.frames, options.rate)
    except OSError as error:
        raise StzPostError(f"{options.output}: {error.strerror}") from error
    print(f"{options.output}: {count} frames, view {view}")


def _figure(options):
    if options.name in paper.SWEEP_FIGURES:
        if len(options.files) > 1:
            raise StzPostError(f"figure {options.name}: got {len(options.files)} files, needs one sweep")
        draw, dataset = paper.SWEEP_FIGURES[options.name], open_sweep(options.files[0])
        figure, tables = draw(dataset, options.value, options.x, options.y)
    else:
        figure, tables = paper.FIGURES[options.name]([open_result(path) for path in options.files])
    print("\n".join(paper.write(figure, tables, options.output)))


def _synth(options):
    chosen = {name: getattr(options, name) for name in synth.options(options.kind)}
    settings = synth.KINDS[options.kind].Settings(**chosen)
    made = synth.make_set(options.kind, options.files, options.output, settings, options.noise_seed, options.test_share)
    parts = [one["split"] for one in made["specimens"]]
    print(f"{options.output}: {options.kind}, {parts.count('train')} specimens to train, {parts.count('test')} to test")
    if "test" not in parts and options.test_share > 0:
        print("stz-post: note: nothing to test on: whole samples go to train or test, and there is one alone; give "
              "results of other seeds as well", file=sys.stderr)


def _compare(options):
    choice = measured_cli.choice(options)
    given = [measured_cli.positive(f"--{name}", getattr(options, name)) for name in ("error", "length")]
    measured = compare.read(options.measured, choice, *given)
    found = compare.ranked(measured, [open_result(path) for path in options.files])
    if options.output:
        style.check(options.output)
        style.save(figures.comparison(measured, found), options.output)
    if options.json:
        runs = [
            {
                "file": one.result.path,
                "chi2": one.chi2,
                "degrees_of_freedom": one.freedom,
                "p": one.p,
                "log_likelihood": one.log_likelihood,
                "simulated": list(one.simulated),
                "residuals": list(one.residuals),
            }
            for one in found
        ]
        record = finite({"command": "compare", "kind": measured.kind, "understood": measured.said, "runs": runs})
        print(text.json_lines(record, 1))
        return
    print("\n".join(measured.said))
    width = max(len(text.plain(one.result.path)) for one in found)
    print(f"{'run':<{width}}  {'chi2':>9} {'of':>4} {'p':>9} {'ln L':>9}  residuals in errors")
    for one in found:
        residuals = minus(" ".join(f"{r:+.1f}" for r in one.residuals[:8])) + (" …" if len(one.residuals) > 8 else "")
        values = f"{one.chi2:9.2f} {one.freedom:4d} {one.p:9.2g} {one.log_likelihood:9.2f}"
        print(f"{text.plain(one.result.path):<{width}}  {minus(values)}  {residuals}")


def _program(options):
    """The engine that carries out the runs, looked for before anything is begun."""
    found = process.find(options.program, "--program")
    if options.inputs is None:  # they lie beside postprocess/, in the sources and where these are installed
        own = os.path.join(os.path.dirname(os.path.abspath(__file__)), *3 * [os.pardir], "inputs")
        options.inputs = "inputs" if os.path.isdir("inputs") else os.path.normpath(own)
    if not os.path.isdir(options.inputs):
        raise StzPostError(f"--inputs: {options.inputs}: no such directory; it is inputs/ of the sources, or installed in "
                           "share/stzkmc/inputs")
    return found


def _carry_out(options, sweeps, spare=0.0):
    """The runs of the sweeps, of which the share `spare` may fail, or None when they are only to be written and estimated."""
    program = _program(options)
    if not options.dry_run:
        return launch.carry_out(sweeps, program, options.inputs, options.output, options.jobs, spare=spare)
    found = launch.prepare(sweeps, program, options.inputs, options.output)
    for name, one in found.items():
        path = os.path.join(options.output, name)
        print(f"{path}.cfg: {one.left} of {one.runs} runs left, {one.core_s / 3600:.2g} core h")
    left, runs = sum(one.left for one in found.values()), sum(one.runs for one in found.values())
    print(f"{left} of {runs} runs left, {sum(one.core_s for one in found.values()) / 3600:.2g} core h")
    return None


def _experiment(options):
    sweeps = plan.experiment(options.quick)
    runs = _carry_out(options, sweeps)
    if runs is None:
        return
    found = experiment.analyse(runs, sum(one.runs for one in sweeps))
    path = experiment_page.write(found, options.output, options.quick)
    for row in verdicts.rows(found):
        print(minus(f"{row.id:<4} {row.cls:<19} {row.verdict:<15} {row.quantity}: {row.model}"))
    print(f"page: {path}")


def _bands(options):
    if options.markdown:
        print(bands_page.markdown(bands_page.read(options.output)), end="")
        return
    _program(options)
    size = next((size for size in ("quick", "middle", "moduli") if getattr(options, size)), "full")
    study = bands.sweeps(size, options.output)
    bands.write_waves(study, options.output)
    runs = _carry_out(options, study, bands.SPARE)
    if runs is not None:
        print(bands_page.write(growth.analyse(runs), growth.maps(runs), options.output))


def _calibrate(options):
    points = calibration.QUICK_POINTS if options.quick else calibration.POINTS
    cells = calibration.QUICK_CELLS if options.quick else calibration.CELLS
    runs = _carry_out(options, calibration.sweeps(points, cells))
    if runs is None:
        return
    found = calibration.fit(calibration.observe(runs, points), calibration.design(points))
    current = plan.model_values(options.inputs, calibration.PARAMETERS)
    calibration.write(found, current, options.output)
    held = found.inference.alone()
    for name, (low, high) in found.inference.intervals().items():
        alone = held[name]
        told = f"{name:<26} {low:.4g} to {high:.4g} (95 %), ± {alone:.2g} with the others held"
        print(minus(f"{told}; model {current[name]:g}"))
    for name, (mean, deviation) in found.predicted().items():
        print(minus(f"{name:<26} {plus_minus(mean, deviation)}, error of its surface {found.surfaces[name].error:.2g}"))
    print(f"undetermined: {', '.join(found.inference.undetermined()) or 'none'}")
    print(f"log likelihood of the model: {found.likelihood_of(current):.2f} below the best")


def _show(options, quantities, notes, draw):
    """Figure first, so that a table on stdout means that all went well."""
    if options.output:
        style.check(options.output)
        style.save(draw(), options.output)
    if options.json:
        records = [q.record() for q in quantities]
        print(text.json_lines({"command": options.name, "file": options.file, "notes": notes, "quantities": records}, 1))
        return
    print(table(quantities))
    for note in notes:
        print(f"note: {note}")


def _report(options):
    files = [registry.analyse(open_result(path)) for path in options.files]
    path = report.write(files, options.output)
    if options.json:
        rows = [row.record() for row in targets.rows(evidence.evidence(files))]
        print(text.json_lines({"command": "report", "page": path, "rows": rows}, 1))
    else:
        print(report.summary(files))
        print(f"page: {path}")
    unread = [note for one in files for note in one.unread]
    if unread:
        raise Partly(f"{path} is without {'; '.join(unread)}")
