# SPDX-License-Identifier: GPL-3.0-or-later
"""`stz-post measured`, and the options with which a measured file is read."""

from .. import SUFFIXES, later
from ..errors import StzPostError
from ..text import json_lines

cells, measure, reader, analysis, plots, style, quantity, units = map(
    later.Module,
    ("io.cells", "io.measure", "io.measured", "analysis.measured", "plots.measured", "plots.style", "analysis.quantity", "units"),
)
KINDS = "relaxation, displacement, creep, tension, rate-jump, repeated, flow, indentation, nbed"


def add(commands):
    """Adds the command to the parser's."""
    text = "activation volume and rate sensitivity of measured files"
    one = commands.add_parser("measured", help=text, description=text + " (docs/measured.md)")
    one.add_argument("files", nargs="+", metavar="FILE", help="CSV, TXT, TSV, XLSX, or curves.h5 of synth")
    one.add_argument("-o", dest="output", metavar="FIGURE", help=f"write the figure ({', '.join(SUFFIXES)})")
    one.add_argument("--json", action="store_true", help="print JSON instead of a table")
    one.add_argument("--kind", metavar="KIND", help=f"the kind of test, told from the columns by default: {KINDS}")
    numbers = (
        ("temperature", "K", "temperature (default: the file's, else 295)"),
        ("stiffness", "GPA", "of the spring that pulls, of a displacement: stress = stiffness x (mismatch - u/length)"),
        ("mismatch", "STRAIN", "free contraction of that spring over the specimen's first length: true stress from u"),
        ("length", "UM", "of the specimen, undeformed"),
        ("error", "X", "standard error of a reading: GPa, or µm of a displacement"),
        ("stress", "GPA", "held stress of a creep test"),
        ("rate", "PER_S", "strain rate of a tension test without time"),
        ("from", "S", "start of the relaxation: rows before are left out, times count from it"),
        ("to", "S", "end of what counts, on the file's clock"),
        ("constraint", "C", "hardness over stress (default 3)"),
        ("m-stress", "GPA", "stress at which m is given (default: the mean)"),
    )
    for name, unit, meaning in numbers:
        one.add_argument(f"--{name}", type=float, metavar=unit, help=meaning)
    one.add_argument(
        "--flow", metavar="A,B", help="strains between which the flow stress is the mean (default 0.08,0.12)"
    )
    add_reading(one)
    one.set_defaults(run=_measured)


def add_reading(parser):
    """Options of how a measured file is read; what they leave open is told from the file."""
    group = parser.add_argument_group("reading of measured files")
    group.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="which column, by name or number, is time, stress, strain, rate, displacement, ...",
    )
    group.add_argument(
        "--unit", action="append", default=[], metavar="ROLE=UNIT", help="as stress=MPa, time=min, bragg=fraction"
    )
    group.add_argument("--separator", metavar="SIGN", help="tab, semicolon, comma, bar, space or a character")
    group.add_argument("--decimal", metavar="SIGN", help="decimal sign: , or .")
    group.add_argument("--encoding", metavar="NAME", help="as utf-8, latin-1")
    group.add_argument("--skip", type=int, default=0, metavar="N", help="lines at the start to leave out")
    group.add_argument("--sheet", metavar="NAME", help="of a workbook; group of curves.h5")
    group.add_argument("--area", type=float, metavar="MM2", help="cross-section that turns a force into a stress")
    group.add_argument("--young", type=float, metavar="GPA", help="Young's modulus: what cannot be a stress, and the area under load (default 72)")
    group.add_argument("--poisson", type=float, metavar="NU", help="Poisson's number: the area under load (default 0.4)")
    group.add_argument(
        "--measure",
        choices=("true", "engineering"),
        help="of stress and strain: true stress and logarithmic strain (default), or force over the first area and "
        "elongation over the first length (default for a force, and for columns named engineering or nominal)",
    )


def choice(options):
    """How a file is read, from the options of `add_reading`."""
    form = cells.Format(options.separator, options.decimal, options.encoding, options.skip, options.sheet)
    columns, units_of = (_pairs(name, getattr(options, name)) for name in ("column", "unit"))
    young = positive("--young", options.young) or reader.YOUNG_GPA
    poisson = measure.POISSON if options.poisson is None else options.poisson
    if not 0 <= poisson < 0.5:
        raise StzPostError(f"--poisson: got {poisson:g}, needs a number from 0 to below 0.5")
    area = positive("--area", options.area)
    return reader.Choice(form, columns, units_of, young, area, options.measure, poisson)


def _pairs(name, words):
    pairs = dict(word.partition("=")[::2] for word in words)
    for word in words:
        if "=" not in word or not all(word.partition("=")[::2]):
            raise StzPostError(f"--{name}: got {word}, needs ROLE=VALUE, as stress=MPa")
    return pairs


def positive(name, value):
    """A number that was given, None without it."""
    if value is not None and not reader.LEAST <= value <= 1 / reader.LEAST:
        raise StzPostError(f"{name}: got {value:g}, needs a positive number that a measurement may have")
    return value


def _settings(options):
    names = {
        "temperature": "temperature_K",
        "stiffness": "stiffness_GPa",
        "mismatch": "mismatch",
        "length": "length_um",
        "error": "error",
        "stress": "stress_GPa",
        "rate": "rate_per_s",
        "young": "young_GPa",
        "poisson": "poisson",
        "to": "stop_s",
        "constraint": "constraint",
        "m_stress": "m_stress_GPa",
    }
    told = {field: positive(f"--{name.replace('_', '-')}", getattr(options, name)) for name, field in names.items()}
    told |= {"kind": options.kind, "start_s": getattr(options, "from"), "flow": _flow(options.flow)}
    return analysis.Settings(**{name: value for name, value in told.items() if value is not None})


def _flow(text):
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 <= low < high < 10:
        raise StzPostError(f"--flow: got {text}, needs two strains, as 0.03,0.05")
    return low, high


def _measured(options):
    settings = _settings(options)
    found = [analysis.analyse(reader.read(path, choice(options)), settings) for path in options.files]
    joint = analysis.together(found, settings)
    everything = found + ([joint] if joint else [])
    if options.output:
        style.check(options.output)
        style.save(plots.measured(everything), options.output)
    if options.json:
        records = [quantity.finite(one.record()) for one in everything]
        print(json_lines(records[0] if len(records) == 1 else records, 1))
        return
    for one in everything:
        _show(one)


def _show(outcome):
    if isinstance(outcome.file, list):
        print(f"all {len(outcome.file)} files together: {outcome.kind}, {outcome.rows} points")
    for line in outcome.said:
        print(line)
    for one in outcome.levels:
        interval = "no interval from one scan"
        if one["scans"] > 1:
            interval = f"{_span(one['interval'], 100, '%')}, {one['scans']} scans"
        print(f"  Bragg at {100 * one['strain']:g} % strain: {100 * one['fraction']:.1f} %, {interval}")
    for one in outcome.estimates:
        if one.refused:
            print(f"{one.method}: refused: {one.refused}")
            continue
        print(f"{one.method} (intervals of 95 %)")
        print(f"  s = {one.s:.4g} GPa, {_span(one.interval, 1, 'GPa')}")
        for label, factor in units.TAYLOR_FACTORS.items():
            volume, low, high = one.volume(factor)
            print(f"  V = {volume:.4g} Å³, {_span((low, high), 1, 'Å³')}, M = {label}")
        m = outcome.sensitivity(one)
        if m:
            scaled = _span(one.interval, 1 / outcome.stress_GPa, "")
            print(f"  m = {m:.3g}, {scaled}, at {outcome.stress_GPa:.3g} GPa")
        if "t0" in one.detail:
            print(f"  t0 = {units.time_text(one.detail['t0'])}")
        if "enthalpy_eV" in one.detail:
            print(f"  H0 = {one.detail['enthalpy_eV']:.3g} eV")


def _span(interval, scale, unit):
    return f"{scale * interval[0]:.4g} to {scale * interval[1]:.4g} {unit}".rstrip()
