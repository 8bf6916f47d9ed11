# SPDX-License-Identifier: GPL-3.0-or-later
"""The simplest thing that knows the inputs and the calibrated numbers alone: what it gives is no evidence for the model.

Mechanics: one Eyring dashpot in the same springs, plastic rate = r exp((sigma - sigma*)/s), with sigma* the measured
stress at 2 h and s = m sigma*. Order: clusters and events that fall independently (Poisson), as many events as the
dashpot's plastic strain needs. No lattice, no elastic interaction, no domains, no distribution of barriers.

`experiment` puts it through the same array and the same scans and returns what `experiment.analyse` would, so that the
same tests judge it.
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

from ..analysis import nbed, order, relaxation, tension
from ..analysis.quantity import NORMAL_95
from ..io.result import Level
from ..units import ROOM_K
from . import experiment, runs as plan, targets

SEEDS = 24  # of the scans
SCANS = 8
BLOCK = 3  # probes along the edge of a domain in the mask: half a wavelength of 2.5 nm
FAMILIES, SLAB_NM = 4, 1.2  # of the localisation (docs/theory.md section 11)
RATE_PER_S = 1e-6  # of the tension
RELEASE_S = 60.0
POWER_95 = 1.645  # standard errors that give a test a power of 95 %


@dataclass(frozen=True)
class Inputs:
    """What was put in."""

    young_GPa: float = 72.0
    poisson: float = 0.4
    finite: bool = False  # the actuator's balance, with the length and area of the deformed specimen
    gamma0: float = 0.115
    schmid: float = 0.5
    volume_nm3: float = 1.7
    box_nm3: float = 18.56**3
    bragg_fraction: float = 0.6
    loss: float = 0.6
    optics: order.Optics = order.Optics()

    @property
    def density(self):
        """Clusters that show at a point of the foil as deposited, on average."""
        return -math.log1p(-self.bragg_fraction)

    def events(self, plastic):
        """Events a volume of an STZ that a plastic strain needs."""
        return max(0.0, plastic) / (self.gamma0 * self.schmid)


def inputs_of(result):
    """Of a run; what its file does not say is as in the film's model."""
    default = Inputs()

    def number(path, otherwise):
        return float(result.config.get(path.rpartition(".")[2], result.resolved(path, otherwise)))

    films = [segment.index for segment in result.segments if segment.type == "actuator"]

    cells = np.atleast_1d(result.config.get("cells", 32)) * np.ones(3)
    return Inputs(
        young_GPa=number("elasticity.young_GPa", default.young_GPa),
        poisson=number("elasticity.poisson", default.poisson),
        finite=bool(films) and result.resolved(f"protocol[{films[0]}].geometry", "small") == "finite",
        gamma0=number("stz.gamma0", default.gamma0),
        schmid=number("largest_schmid", default.schmid),
        volume_nm3=number("stz.volume_nm3", default.volume_nm3),
        box_nm3=float(np.prod(cells * number("lattice.spacing_nm", 0.58))),
        bragg_fraction=number("order.bragg_fraction", default.bragg_fraction),
        loss=number("order.loss", default.loss),
    )


@dataclass(frozen=True)
class Dashpot:
    """plastic rate = reference exp((sigma - stress)/s); the stress of specimens that flow at 2 h is `stress`."""

    s_GPa: float
    stress_GPa: float
    inputs: Inputs = Inputs()

    def spring(self, stiffness):
        """Of actuator and specimen together, GPa."""
        return self.inputs.young_GPa * stiffness / (self.inputs.young_GPa + stiffness)

    @property
    def reference(self):
        """Plastic rate at `stress`: long after its start a relaxation has the rate s/(K t), whatever came before; K of
        the specimen that the actuator of its own stiffness pulls."""
        return self.s_GPa / (self.spring(self.inputs.young_GPa) * experiment.TIMES["2 h"])

    def loaded(self, time, start, pull, spring):
        """Stress while a spring is pulled (GPa per s, 0: held), from `start`: exp(-sigma/s) obeys a linear equation."""
        time = np.asarray(time, float)
        flow = spring * self.reference * math.exp(-self.stress_GPa / self.s_GPa) / self.s_GPa
        begin = math.exp(-start / self.s_GPa)
        if pull == 0:
            return -self.s_GPa * np.log(begin + flow * time)
        decay = np.exp(-pull * time / self.s_GPa)
        return -self.s_GPa * np.log(begin * decay + flow * self.s_GPa / pull * (1 - decay))

    def on_chip(self, time, stiffness):
        """Stress and plastic strain at times after the release, from 1 s on, on an actuator of the array."""
        time, mismatch = np.asarray(time, float), plan.PULL_GPA / stiffness
        if self.inputs.finite:
            return self._deformed(time, stiffness, mismatch)
        spring = self.spring(stiffness)
        released = float(self.loaded(RELEASE_S, 0.0, spring * mismatch / RELEASE_S, spring))
        stress = self.loaded(time, released, 0.0, spring)
        return stress, mismatch - stress / stiffness - stress / self.inputs.young_GPa

    def _deformed(self, time, stiffness, mismatch):
        """The same with the length and area of the deformed specimen (docs/theory.md section 8)."""

        def balance(plastic, contracted):
            plastic = np.clip(plastic, 0.0, contracted)  # the integration may try more
            stress = (contracted - plastic) * self.spring(stiffness)
            for _ in range(8):
                area = np.exp(-plastic - 2 * self.inputs.poisson * stress / self.inputs.young_GPa)
                length = np.exp(stress / self.inputs.young_GPa + plastic)
                off = stress * area - stiffness * (contracted - length + 1)
                shrinks = 2 * self.inputs.poisson * stress / self.inputs.young_GPa
                stress = stress - off / (area * (1 - shrinks) + stiffness * length / self.inputs.young_GPa)
            return stress

        def pulled(t, plastic):
            return self.rate(balance(plastic, mismatch * t / RELEASE_S))

        def held(clock, plastic):  # over ln t
            return np.exp(clock) * self.rate(balance(plastic, mismatch))

        exact = {"method": "LSODA", "rtol": 1e-8, "atol": 1e-12}
        begin = solve_ivp(pulled, (0, RELEASE_S), [0.0], **exact).y[:, -1]
        begin = solve_ivp(lambda t, plastic: self.rate(balance(plastic, mismatch)), (0, 1.0), begin, **exact).y[:, -1]
        clock = np.log(np.atleast_1d(time))
        plastic = solve_ivp(held, (0.0, clock[-1]), begin, t_eval=clock, **exact).y[0].reshape(np.shape(time))
        return balance(plastic, mismatch), plastic

    def rate(self, stress):
        """Plastic, 1/s."""
        return self.reference * np.exp((np.asarray(stress) - self.stress_GPa) / self.s_GPa)

    def flow_stress(self, rate):
        """Steady."""
        return self.stress_GPa + self.s_GPa * math.log(rate / self.reference)


def calibrated(inputs):
    """To the measured strength and rate sensitivity, as the model is."""
    return Dashpot(targets.SENSITIVITY * targets.YIELD_GPA, targets.YIELD_GPA, inputs)


def experiment_of(e):
    """The null model through the experiment's own plan; the runs of `e` give the inputs alone, and for the role of the
    domains the localisation that all structures have together."""
    inputs = inputs_of(e.evidence.result)
    dashpot, rng = calibrated(inputs), np.random.default_rng(2019)
    null = experiment.Experiment(microscopic=e.microscopic, evidence=e.evidence)
    null.specimens = sorted(
        (_specimen(dashpot, inputs, stiffness, rng) for stiffness in plan.STIFFNESSES),
        key=lambda one: float(one.strain[0, 0]),
    )
    null.pulled = [_pulled(dashpot, inputs, rng)]
    null.levels = _levels(dashpot, inputs, rng)
    rates = (*plan.RATES, *plan.INDENTATION_RATES)
    flow = [experiment.Flow(ROOM_K, rate, [dashpot.flow_stress(rate)]) for rate in rates]
    null.flow, null.indentation = flow[: len(plan.RATES)], flow[len(plan.RATES) :]
    null.bands = _even(e.bands)
    null.estimates = experiment._estimates(null, [], [])
    null.mean_stress = experiment._mean_stress(null)
    return null


def _specimen(dashpot, inputs, stiffness, rng):
    times = np.array(list(experiment.TIMES.values()))
    stress, plastic = dashpot.on_chip(times, stiffness)
    strain = plastic + stress / inputs.young_GPa
    dense = np.geomspace(times[0], times[-1], 80)
    curve = dashpot.on_chip(dense, stiffness)[0]
    analysed = relaxation.Relaxation(
        segment=None,
        temperature_K=ROOM_K,
        time_s=dense,
        stress_GPa=curve,
        rate_per_s=dashpot.rate(curve),
        window=(dense[0], dense[-1]),
        fit=relaxation.fit_logarithm(dense, curve),
        rate_fit=relaxation.fit_rate(np.log(dense), curve, dashpot.rate(curve)),
        mean_stress_GPa=relaxation.log_mean(dense, curve),
        marks={},
    )
    uneven = localisation(inputs.events(plastic[-1]), inputs, rng)
    one = [values[None, :] for values in (stress, strain, dashpot.rate(stress))]
    return experiment.Specimen(stiffness, *one, [analysed], np.array([uneven]))


def localisation(events, inputs, rng):
    """Of so many events a volume that fall independently over the slabs; 1 where there are hardly any."""
    slabs = max(1, round(inputs.box_nm3 ** (1 / 3) / (math.sqrt(2) * SLAB_NM)))
    each = events * inputs.box_nm3 / inputs.volume_nm3 / slabs
    counts = rng.poisson(each, (FAMILIES, slabs)) if each > 1 else np.ones((FAMILIES, slabs))
    return float(np.max(counts.max(axis=1) / counts.mean(axis=1)))


def _pulled(dashpot, inputs, rng):
    strain = np.linspace(0, plan.FRACTURE, 291)
    stress = dashpot.loaded(strain / RATE_PER_S, 0.0, inputs.young_GPa * RATE_PER_S, inputs.young_GPa)
    plastic = strain - stress / inputs.young_GPa
    events = np.array([inputs.events(one) for one in plastic])
    uneven = np.array([localisation(n, inputs, rng) for n in events])
    top = int(np.argmax(stress))
    flow, error = tension.flow_stress(strain, stress)
    peak = (float(strain[top]), float(stress[top]))
    return tension.Tension(
        None, ROOM_K, RATE_PER_S, strain, stress, plastic, events, uneven, peak, flow, error, inputs.young_GPa
    )


def _levels(dashpot, inputs, rng):
    """Scans of clusters that lose their order to independent events, after 51 days on the chip."""
    events = {0.0: 0.0}
    for strain, stiffness in plan.COUNTED.items():
        events[strain] = inputs.events(float(dashpot.on_chip(experiment.TIMES["51 d"], stiffness)[1]))
    left = [math.exp(-inputs.loss * n) for n in events.values()]
    deposited = [poisson_scans(inputs, [1.0], rng)[0] for _ in range(SEEDS)]
    strained = [poisson_scans(inputs, left[1:], rng) for _ in range(SEEDS)]
    made = []
    for i, strain in enumerate(events):
        patterns = [deposited[k] if i == 0 else strained[k][i - 1] for k in range(SEEDS)]
        made.append(level(strain, patterns, -math.expm1(-inputs.density * left[i]), events[strain]))
    return made


def level(strain, patterns, expected, events):
    """An experiment.Level of patterns (seeds of scans x 10 x 10) with a mask that knows nothing of them."""
    side = np.arange(order.SIDE) // BLOCK
    mask = np.broadcast_to((side[:, None] + side) % 2, (len(patterns[0]), order.SIDE, order.SIDE)).astype(np.uint8)
    statistics = [
        nbed.level_statistics(Level({"strain": strain, "bragg_expected": expected}, {"bragg": bragg, "mask": mask}))
        for bragg in patterns
    ]
    n = len(patterns)
    fractions = np.array([one.fractions for one in statistics])
    return experiment.Level(strain, fractions, np.full(n, expected), statistics, np.full(n, events))


def poisson_scans(inputs, left, rng, scans=SCANS):
    """Patterns of the same scans (scans x 10 x 10) for each share of the clusters that is left: clusters are discs that
    fall independently over the plane and lose their order independently."""
    optics = inputs.optics
    edge = order.SIDE * optics.probe_nm + 2 * optics.reach
    probes = optics.reach + (np.arange(order.SIDE) + 0.5) * optics.probe_nm
    found = np.zeros((len(left), scans, order.SIDE, order.SIDE), np.uint8)
    for scan in range(scans):
        count = rng.poisson(inputs.density / (math.pi * optics.reach**2) * edge**2)
        x, y, drawn = rng.random((3, count))
        near = ((probes[:, None] - edge * x) ** 2)[:, None, :] + ((probes[:, None] - edge * y) ** 2)[None, :, :]
        seen = near <= optics.reach**2
        for i, share in enumerate(left):
            found[i, scan] = np.any(seen & (drawn < share), axis=-1)
    return found


def _even(bands):
    """Structures that make no difference: each has the values of all that soften."""
    pooled = [one for (_, softening), runs in bands.items() if softening > 0 for one in runs]
    return {(name, plan.SOFTENING_EV): pooled for name in plan.STRUCTURES} if pooled else {}


@dataclass(frozen=True)
class Difference:
    """Loss from 2 h to 51 d of one specimen of the array by the lattice, and by a dashpot with the lattice's own stress
    and slope; how many specimens of two readings each tell them apart."""

    stress_GPa: float  # at 2 h, of the lattice
    loss_GPa: float
    error_GPa: float
    dashpot_stress_GPa: float
    dashpot_loss_GPa: float
    specimens: int  # 0: no number would


def differences(e):
    """Where lattice and dashpot part: a row a specimen, by its stress while it rises."""
    main = e.estimates[0] if e.estimates else None
    if main is None or main.refused:
        return []
    dashpot = Dashpot(main.s, experiment.strength(e), inputs_of(e.evidence.result))
    times = [experiment.TIMES["2 h"], experiment.TIMES["51 d"]]
    found = []
    for one in e.specimens:
        first, last = dashpot.on_chip(times, one.stiffness_GPa)[0]
        loss = float(one.loss.mean())
        error = float(one.loss.std(ddof=1) / math.sqrt(len(one.loss))) if len(one.loss) > 1 else math.nan
        n = specimens_needed(loss - (first - last))
        found.append(Difference(float(one.stress[:, 0].mean()), loss, error, float(first), float(first - last), n))
    return found


def specimens_needed(difference):
    """Specimens, each with two readings of READING_GPA noise, that show a difference of losses: two-sided test at 5 %
    with a power of 95 %. 0 for differences below a tenth of a reading's noise."""
    if abs(difference) < 0.1 * experiment.READING_GPA:
        return 0
    return math.ceil(((NORMAL_95 + POWER_95) * math.sqrt(2) * experiment.READING_GPA / difference) ** 2)
