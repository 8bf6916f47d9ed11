# SPDX-License-Identifier: GPL-3.0-or-later
"""The analyses of one result, a list; the command line, reports and pages go over it.

Adding one is a module here with `analyse(result)`, `quantities(found)` and, where it has something to say, `notes(found)`;
an entry of ANALYSES; and a function in plots/figures.py with the analysis's name that draws what was found."""
from dataclasses import dataclass, field
from typing import Any, Callable

from .. import later
from ..errors import StzPostError, Unreadable

fields, relaxation = later.Module("analysis.fields"), later.Module("analysis.relaxation")


@dataclass(frozen=True)
class Analysis:
    """One analysis: its command, when a result has data for it, and what stands below its figure."""

    name: str  # of the command and, with _ for -, of the figure
    module: str  # in this folder; imported when it is used
    help: str
    applies: Callable[[Any], bool]  # of a Result
    caption: str

    def _of(self, name: str) -> Any:
        return getattr(later.Module(f"analysis.{self.module}"), name)

    def analyse(self, result: Any) -> Any:
        return self._of("analyse")(result)

    def quantities(self, found: Any) -> list:
        return self._of("quantities")(found)

    def notes(self, found: Any) -> list:
        try:
            notes = self._of("notes")
        except AttributeError:
            return []
        return notes(found)

    def figure(self, found: Any) -> Any:
        return getattr(later.Module("plots.figures"), self.name.replace("-", "_"))(found)


ANALYSES = (
    Analysis(
        "relaxation",
        "relaxation",
        "logarithmic fit, activation volume V and rate sensitivity m",
        lambda r: any(s.type in relaxation.SEGMENT_TYPES for s in r.segments),
        "Relaxation. (a) Axial stress against time from the zero of the segment's clock (an actuator's: the end of "
        "release), with the logarithmic law; the grey lines are the times of the experiment, 2 h, 8, 35 and 51 days. "
        "(b) Axial plastic strain rate from the event rates against stress.",
    ),
    Analysis(
        "stress-strain",
        "tension",
        "yield, flow stress, stiffness",
        lambda r: any(s.type == "strain-rate" for s in r.segments),
        "Tension. (a) Axial stress against strain, upper yield, and mean flow stress. (b) Events per STZ volume, and "
        "localisation: the largest mean plastic strain of a slab at 45° over the mean of all; shown from 0.1 % "
        "plastic strain on.",
    ),
    Analysis(
        "nbed",
        "nbed",
        "fraction of patterns with Bragg reflections against strain",
        lambda r: bool(r.levels),
        "Nanobeam diffraction. Fraction of patterns with Bragg reflections: scans of 100 patterns, their mean with "
        "the standard error over scans, and the expectation over all probe positions for the same sample.",
    ),
    Analysis(
        "slices",
        "fields",
        "composition, barrier and plastic strain on a plane",
        lambda r: any(name in r.field_names for name in fields.LABELS),
        "A plane through the middle of the sample: Ni fraction, barriers before and after, and axial plastic strain, "
        "averaged over the shape of an STZ.",
    ),
    Analysis(
        "energy",
        "energy",
        "work, heat and elastic energy",
        lambda r: "work_MJ_per_m3" in r.history,
        "Balance of energy. (a) Work done on the specimen, heat, and elastic energy, a unit of volume; work is the "
        "sum of the other two. (b) Heat over plastic work so far; the rest is stored by the internal stress.",
    ),
    Analysis(
        "avalanches",
        "avalanches",
        "sizes of avalanches, against chance",
        lambda r: "size" in r.avalanches,
        "Avalanches: events within a window of time and a distance of an earlier one. (a) Share of avalanches of at "
        "least n events, and that of as many events that fall independently. (b) Their radius of gyration.",
    ),
    Analysis(
        "correlation",
        "correlation",
        "autocorrelation of plastic strain",
        lambda r: bool(r.correlation),
        "Autocorrelation of the axial plastic strain, averaged over the shape of an STZ. (a) Mean over all "
        "directions, at each level of strain. (b) Along directions that tension along x makes equivalent, at the "
        "last level.",
    ),
    Analysis(
        "distributions",
        "distributions",
        "distributions of barriers and stresses",
        lambda r: bool(r.distributions),
        "Distributions over the sites, at the first and the last level of strain, in Ni-rich domains and elsewhere. "
        "(a) Barriers at zero stress, (b) largest resolved stress of a site's modes, (c) smallest barrier of its "
        "modes under that stress.",
    ),
)


def named(name: str) -> Analysis:
    return next(one for one in ANALYSES if one.name == name)


@dataclass
class Analysed:
    """One file and all that it gave."""

    result: object
    quantities: dict = field(default_factory=dict)  # analysis -> list of Quantity
    found: dict = field(default_factory=dict)  # analysis -> its outcome
    notes: list = field(default_factory=list)
    unread: list = field(default_factory=list)  # those of the notes that say what of the file could not be read


def analyse(result):
    """Every analysis that the file's data allow. What data do not allow is noted, what was not asked for is not."""
    done = Analysed(result)
    for one in ANALYSES:
        if one.applies(result):
            _attempt(done, one)
    for one in ANALYSES:
        if one.name in done.found:
            done.notes += one.notes(done.found[one.name])
    if not result.complete:
        done.notes.append("the run did not finish: what follows holds for its part so far")
    if "reversal_share" in result.history and result.history.sizes["row"]:
        share = float(result.history["reversal_share"].values[-1])
        if share > 0.2:
            done.notes.append(
                f"{100 * share:.0f} % of the events undid the one before at their site: flicker, not flow"
            )
    if not done.found:
        raise StzPostError(f"{result.path}: nothing to report: " + ("; ".join(done.notes) or "no data"))
    return done


def _attempt(done, analysis):
    try:
        found = analysis.analyse(done.result)
        done.quantities[analysis.name] = analysis.quantities(found)
        done.found[analysis.name] = found
    except StzPostError as error:
        done.notes.append(f"{analysis.name}: {error}")
        if isinstance(error, Unreadable):
            done.unread.append(done.notes[-1])
