# SPDX-License-Identifier: GPL-3.0-or-later
"""What `stz-post bands` writes: bands.json with every number, the tables of docs/bands.md made of it alone, the figures."""
import json
import math
import os

from ..analysis.quantity import minus
from ..errors import StzPostError
from ..io import writing
from ..io.files import open_text
from ..plots import bands as plots
from ..plots import style
from ..studies import bands, growth
from ..studies.bands import DOMAINS, STRUCTURE, UNIFORM

RECORD = "bands.json"
DIGITS = 4  # significant, of the numbers that are kept
REFERENCES = {UNIFORM: bands.ALL, DOMAINS: growth.LIKE_DOMAINS, bands.STRONG: (DOMAINS, bands.FROZEN, bands.EQUAL)}
MINUS_INFINITY, INFINITY = "-inf", "inf"  # JSON has none


def write(cases, maps, directory):
    """bands.json, bands.md and the figures; returns the finding."""
    if not any(len(case.gains) > 1 for case in cases):
        raise StzPostError(f"{directory}: no structure has two pairs of runs: nothing to say")
    kept = record(cases)
    with writing.text(os.path.join(directory, RECORD)) as file:
        file.write("{\n" + ",\n".join(f'"{key}": {_lines(value)}' for key, value in kept.items()) + "\n}\n")
    with writing.text(os.path.join(directory, "bands.md")) as file:
        file.write(markdown(kept))
    style.save(plots.growth(kept), os.path.join(directory, "bands.png"))
    style.save(plots.critical(kept), os.path.join(directory, "bands-critical.png"))
    if maps:
        style.save(plots.maps(maps), os.path.join(directory, "bands-maps.png"))
    return kept["finding"]


def _lines(value):
    """JSON, of a list a line each."""
    one = [json.dumps(entry, ensure_ascii=False) for entry in (value if isinstance(value, list) else [value])]
    return "[\n" + ",\n".join(one) + "\n]" if isinstance(value, list) else one[0]


def read(directory):
    """The record of a study that has been carried out."""
    path = os.path.join(directory, RECORD)
    try:
        with open_text(path) as file:
            return json.load(file)
    except OSError as error:
        raise StzPostError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise StzPostError(f"{path}: not JSON: {error}") from error


def record(cases):
    """Every number of the study, for JSON."""
    found = {measure: growth.lines(cases, measure=measure) for measure in growth.MEASURES}
    pooled = growth.together(cases)
    said = {
        "lines": [_line(line) for own in found.values() for line in own],
        "cases": [{"group": c.group, "name": c.name, "box": c.box, "softening_eV": c.softening_eV, "pairs": len(c.gains),
                   "localisation": c.localisation, "overshoot": c.overshoot, "flow_GPa": c.flow_GPa} for c in cases],
        "comparisons": _compared(found),
        "all_seeds": _compared({m: growth.lines(pooled, measure=m) for m in growth.MEASURES}) if pooled else [],
        "other_seeds": [one for measure, own in found.items() for one in growth.repeated(own)],
        "boxes": growth.boxes(cases),
        "finding": growth.finding(found),
    }
    return _plain(said)


def _line(line):
    kept = {key: value for key, value in vars(line).items() if key != "drawn"}
    return kept | {"interval_95_eV": line.interval()}


def _compared(found):
    return [{"measure": measure, "reference": reference} | one for measure, own in found.items()
            for reference, others in REFERENCES.items() for one in growth.comparisons(own, reference, others)]


def _plain(value):
    """For JSON, numbers with few digits; what is infinite is a text that float() reads."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else (INFINITY if value > 0 else MINUS_INFINITY)
    return value


def markdown(kept):
    """The tables of docs/bands.md, and the finding."""
    tables = (_missing, _structures, _differences, _boxes, _variations, _seeds, _overshoot)
    return minus("\n".join(text for table in tables if (text := table(kept))) + "\n" + "\n".join(
        f"> {line}  " for line in kept["finding"].splitlines()) + "\n")


def _missing(kept):
    """Pairs of which a run failed, against the other softenings of their glass."""
    groups, said = {}, []
    for one in kept["cases"]:
        groups.setdefault((one["group"], one["name"], one["box"]), []).append(one)
    for own in groups.values():
        most = max(one["pairs"] for one in own)
        said += [f"{most - one['pairs']} of {most} ({one['group']}, {one['name']}, {one['softening_eV']:g} eV)"
                 for one in own if one["pairs"] < most]
    pairs = sum(one["pairs"] for one in kept["cases"])
    return f"{pairs} pairs of runs; missing, as a run failed: {', '.join(said) or 'none'}.\n"


def _table(title, header, rows):
    if not rows:
        return ""
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _find(kept, measure, group, name, box=None):
    for line in kept["lines"]:
        if (line["measure"], line["group"], line["name"]) == (measure, group, name) and box in (None, line["box"]):
            return line
    return None


def _rate(line, softening):
    """Growth with its standard error, or nothing."""
    if line is None or softening not in line["softening_eV"]:
        return ""
    i = line["softening_eV"].index(softening)
    return f"{line['growth'][i]:.0f} ± {line['error'][i]:.0f}"


def _energy(value):
    """A softening; growth may begin beyond those of the study, or be there without any."""
    value = math.nan if value is None else float(value)
    return f"{value:.3f}" if math.isfinite(value) else "" if math.isnan(value) else "∞" if value > 0 else "\N{MINUS SIGN}∞"


def _critical(line):
    if line is None or line["critical_eV"] is None:
        return ""
    low, high = map(_energy, line["interval_95_eV"])
    middle = _energy(line["critical_eV"])
    return middle if low == high == middle else f"{middle} ({low} to {high})"


def _softening(kept):
    """From none to the strongest, as the structures have it."""
    return sorted({value for line in kept["lines"] if line["group"] == STRUCTURE for value in line["softening_eV"]})


def _structures(kept):
    ends = _softening(kept)[:: max(1, len(_softening(kept)) - 1)]
    rows = []
    for line in (line for line in kept["lines"] if line["group"] == STRUCTURE and line["measure"] == "net"):
        name = line["name"]
        running = _find(kept, "running", STRUCTURE, name)
        rows.append((name, *(_rate(line, end) for end in ends), *(_rate(running, end) for end in ends), _critical(line),
                     _critical(running), *_besides(kept, name, "flow_GPa", ends[:1])))
    header = ("structure", *(f"net G, {end:g} eV" for end in ends), *(f"running G, {end:g} eV" for end in ends),
              "h_c net, eV", "h_c running, eV", "stress at 7 %, GPa")
    return _table("Growth per plastic strain without and with the strongest softening, critical softening h_c with its "
                  "95 % interval, and the stress without softening.", header, rows)


def _besides(kept, name, key, softening):
    """A number of the runs of a structure, with two digits after the point, at each softening; or nothing."""
    own = {c["softening_eV"]: f"{c[key]:.2f}" for c in kept["cases"] if (c["group"], c["name"]) == (STRUCTURE, name)}
    return [own.get(one, "") for one in softening]


def _differences(kept):
    rows = []
    for reference in REFERENCES:
        names = [one["name"] for one in kept["comparisons"] if one["reference"] == reference and one["measure"] == "net"]
        for name in names:
            row = [reference, name]
            for seeds in ("comparisons", "all_seeds"):
                for measure in growth.MEASURES:
                    row.append(_difference(kept[seeds], measure, reference, name))
            rows.append(row)
    header = ("against", "structure", "net, eV", "running, eV", "net, all seeds", "running, all seeds")
    return _table("Critical softening less that of the reference, with intervals for all comparisons together and, in "
                  "brackets, the least difference that would be seen with 80 %.", header, rows)


def _difference(compared, measure, reference, name):
    for one in compared:
        if (one["measure"], one["reference"], one["name"]) == (measure, reference, name):
            low, high = map(_energy, one["interval_eV"])
            return f"{_energy(one['difference_eV'])} ({low} to {high}) [{_energy(one['seen_from_eV'])}]"
    return ""


def _nanometres(box):
    return " × ".join(f"{int(n) * bands.SPACING_NM:.0f}" for n in box.split("x"))


def _boxes(kept):
    machines = {"strain control": (STRUCTURE, bands.SAME), "strain control, its longest wave": (bands.BOX,),
                "soft machine": (bands.SOFT_SAME,)}
    ends = _softening(kept)
    columns = [(m, s) for m in growth.MEASURES for s in sorted({ends[0], ends[-1], 0.2})]
    rows = []
    for machine, groups in machines.items():
        for line in kept["lines"]:
            if line["measure"] == "net" and line["name"] == UNIFORM and line["group"] in groups:
                rates = (_rate(_find(kept, m, line["group"], UNIFORM, line["box"]), s) for m, s in columns)
                rows.append((machine, _nanometres(line["box"]), f"{line['length_nm']:.1f}", *rates))
    header = ("machine", "box, nm", "wave, nm", *(f"{m} G, {s:g} eV" for m, s in columns))
    said = "; ".join(f"{one['machine']}, {one['softening_eV']:g} eV: p = {one['p']:.2g}" for one in kept["boxes"])
    return _table("The uniform glass in other boxes.", header, rows if kept["boxes"] else []) + (
        f"\nAre the boxes with the same waves the same (net gain, test of Alexander and Govern)? {said}.\n" if said else "")


def _variations(kept):
    others = (STRUCTURE, bands.SAME, bands.SOFT_SAME, bands.BOX, bands.OTHER_SEEDS)
    keys = [(STRUCTURE, UNIFORM), (STRUCTURE, DOMAINS), (STRUCTURE, bands.STRONG)]
    more = [(l["group"], l["name"]) for l in kept["lines"] if l["measure"] == "net" and l["group"] not in others]
    if not more:
        return ""
    softening = sorted({h for key in more for h in _find(kept, "net", *key)["softening_eV"]})
    columns = [(m, s) for m in growth.MEASURES for s in softening]
    rows = [(group, name, *(_rate(_find(kept, m, group, name), s) for m, s in columns)) for group, name in keys + more]
    header = ("what is varied", "glass", *(f"{m} G, {s:g} eV" for m, s in columns))
    return _table("What is varied one at a time.", header, rows)


def _seeds(kept):
    rows = [(one["name"], one["measure"], _energy(one["first_eV"]), _energy(one["other_eV"]),
             f"{_energy(one['difference_eV'])} ({_energy(one['interval_eV'][0])} to {_energy(one['interval_eV'][1])})",
             f"{one['p']:.2g}") for one in kept["other_seeds"]]
    header = ("structure", "growth", "h_c, eV", "h_c, other seeds", "difference (95 %)", "p of G at all softenings")
    return _table("The same with other seeds, both at the softenings of these.", header, rows)


def _overshoot(kept):
    softening, rows = _softening(kept), []
    for name in (UNIFORM, bands.STRONG, DOMAINS):
        rows.append((name, *_besides(kept, name, "overshoot", softening)))
    return _table("Upper yield over the stress at 7 % strain, at these softenings.",
                  ("glass", *(f"{s:g} eV" for s in softening)), rows)
