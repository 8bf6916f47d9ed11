# SPDX-License-Identifier: GPL-3.0-or-later
"""Result files by the contract of docs/output.md whose answers are known: for tests only."""
import h5py
import numpy as np

UNITS = {
    "time_s": "s",
    "temperature_K": "K",
    "stress_axial_GPa": "GPa",
    "stress_GPa": "GPa",
    "plastic_rate_per_s": "1/s",
    "total_rate_per_s": "1/s",
}
PULLED = 'protocol: (\n  { # segment 0\n    type = "strain-rate"; # input\n  }\n);\n'  # in what a manifest says of its first run
YOUNG, VOLUME, SPACING = 72.0, 1.7, 0.58


def write(path, segments=(), levels=(), fields=None, complete=1, columns=None, tables=None):
    """Writes a file. `tables`: datasets and attributes (a dict) by path, of any other group. `segments`: dicts with type, temperature_K, clock_zero_s and the arrays time_s, strain, stress,
    rate (axial); `levels`: dicts with strain, bragg, mask and expected; `fields`: arrays by name."""
    with h5py.File(path, "w") as file:
        root = {
            "format": "stzkmc-result",
            "format_version": 1,
            "program_version": "0.0.0",
            "git": "synthetic",
            "command_line": "none",
            "created_utc": "2000-01-01T00:00:00Z",
            "ranks": 1,
            "seed": np.uint64(1),
            "state_hash": "0123456789abcdef",
            "complete": complete,
        }
        file.attrs.update(root)
        _config(file)
        _history(file, segments, columns or {})
        for i, segment in enumerate(segments):
            group = file.create_group(f"protocol/segment_{i:02d}")
            time = segment["time_s"]
            group.attrs.update(
                {
                    "type": segment["type"],
                    "temperature_K": segment.get("temperature_K", 295.0),
                    "begin_s": time[0],
                    "clock_zero_s": segment.get("clock_zero_s", time[0]),
                    "end_s": time[-1],
                    "events": 100,
                }
            )
        for i, level in enumerate(levels):
            _level(file, i, **level)
        for name, values in (tables or {}).items():
            if isinstance(values, dict):
                file.require_group(name).attrs.update(values)
            else:
                dataset(file, name, values, name.rsplit("_", 1)[-1] if name[-2:] in ("nm", "eV", "Pa") else "1")
        for name, values in (fields or {}).items():
            dataset(file, f"microstructure/{name}", values, "eV" if name.endswith("eV") else "1")
        if fields:
            file["microstructure"].attrs.update(
                {
                    "nickel_fraction": 0.35,
                    "length_spectrum_nm": 2.5,
                    "length_correlation_nm": 2.6,
                    "interface_area_per_nm": 0.7,
                    "percolates_rich": 1,
                    "percolates_poor": 1,
                }
            )
    return path


def make_film(path):
    """Gives the sample of a file free surfaces."""
    with h5py.File(path, "r+") as file:
        text = file["config/resolved"][()].decode()
        del file["config/resolved"]
        file["config/resolved"] = text + 'lattice: {\n  boundary = "film";\n};\n'
    return path


def relaxation(sigma0=3.3, s=0.1, t0=84.0, end=4.4064e6, noise=0.0, zero=7.0e4, rng=None, type="relaxation", law=None):
    """A segment that relaxes exactly logarithmically from `zero` on (or by law(t)), 20 rows a decade. Noise is an
    Ornstein-Uhlenbeck process in ln(t + t0) of unit correlation length: what a restored jump process leaves."""
    t = np.concatenate([[0.0], np.geomspace(0.1, end, 1 + round(20 * np.log10(end / 0.1)))])
    stress = sigma0 - s * np.log1p(t / t0) if law is None else law(t)
    rate = np.exp((stress - sigma0) / s) * s / (YOUNG * t0)
    if noise:
        stress = stress + noise * ornstein_uhlenbeck(np.log(t + t0), rng)
    strain = np.full_like(t, 0.07)
    return {"type": type, "time_s": zero + t, "clock_zero_s": zero, "strain": strain, "stress": stress, "rate": rate}


def ornstein_uhlenbeck(x, rng):
    """Unit variance, correlation exp(-|dx|)."""
    values = np.empty_like(x)
    values[0] = rng.standard_normal()
    for i in range(1, len(x)):
        r = np.exp(-(x[i] - x[i - 1]))
        values[i] = r * values[i - 1] + np.sqrt(1 - r * r) * rng.standard_normal()
    return values


def tension(flow=3.25, peak=3.4, peak_strain=0.055, end=0.125, rate=1e-6, noise=0.0, rng=None):
    """Linear to `peak`, then exponential decay to `flow` within 0.5 % strain."""
    strain = np.linspace(0, end, round(end / 0.0005) + 1)
    stress = np.where(
        strain < peak_strain,
        peak * strain / peak_strain,
        flow + (peak - flow) * np.exp(-(strain - peak_strain) / 0.005),
    )
    if noise:
        stress = stress + noise * ornstein_uhlenbeck(strain * YOUNG / 0.1, rng)
    return {
        "type": "strain-rate",
        "time_s": strain / rate,
        "strain": strain,
        "stress": stress,
        "rate": np.where(strain < peak_strain, 1e-12, rate),
    }


def energy(segment, share=0.8, stored=30.0):
    """Columns of a segment whose plastic work is heat by `share`; `stored` MJ/m^3 are there at the start."""
    strain, stress = np.asarray(segment["strain"]), np.asarray(segment["stress"])
    plastic_strain = np.maximum(0, strain - stress / YOUNG)
    of_mean = 1e3 * stress**2 / (2 * YOUNG)
    plastic_work = 3000.0 * plastic_strain
    return {
        "heat_MJ_per_m3": share * plastic_work,
        "internal_energy_MJ_per_m3": stored + (1 - share) * plastic_work,
        "elastic_energy_MJ_per_m3": stored + (1 - share) * plastic_work + of_mean,
        "work_MJ_per_m3": plastic_work + of_mean - of_mean[0],
    }


def avalanches(sizes, window=0.1, cut=0):
    """A table of them; radius sqrt(n - 1) nm, 1 MPa and 1e-5 an event; the last `cut` open at the end."""
    n = np.asarray(sizes)
    return {
        "avalanches/begin_s": np.arange(len(n), dtype=float),
        "avalanches/duration_s": n - 1.0,
        "avalanches/size": n.astype(np.int32),
        "avalanches/strain": np.full(len(n), 0.05, np.float32),
        "avalanches/plastic_strain": (1e-5 * n).astype(np.float32),
        "avalanches/stress_drop_GPa": (1e-3 * n).astype(np.float32),
        "avalanches/gyration_radius_nm": np.sqrt(n - 1.0).astype(np.float32),
        "avalanches/centre_nm": np.zeros((len(n), 3), np.float32),
        "avalanches/whole": (np.arange(len(n)) < len(n) - cut).astype(np.int8),
        "avalanches": {"window": window, "reach_nm": 2.5},
    }


DIRECTIONS = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]


def correlation(level, strain, value):
    """A level with C = value(distance, direction); its radial mean is value(distance, None)."""
    vectors = np.array(DIRECTIONS, float)
    distance = SPACING * np.outer(np.linalg.norm(vectors, axis=1), np.arange(9))
    group = f"correlation/level_{level:02d}"
    return {
        f"{group}/distance_nm": SPACING * np.arange(9),
        f"{group}/radial": value(SPACING * np.arange(9), None),
        f"{group}/direction": vectors,
        f"{group}/line_distance_nm": distance,
        f"{group}/line": np.array([value(d, v) for d, v in zip(distance, DIRECTIONS)]),
        group: {"strain": strain, "time_s": strain / 1e-6, "mean": 0.01, "variance": 4e-4},
    }


def distributions(level, strain, rich, other):
    """A level whose three histograms hold these values, by bins of 0.05."""
    group = f"distributions/level_{level:02d}"
    made = {group: {"strain": strain, "time_s": strain / 1e-6}}
    for kind in ("barrier_eV", "resolved_stress_GPa", "activation_eV"):
        edges = 0.05 * np.arange(int(max(np.max(rich, initial=0), np.max(other, initial=0)) / 0.05) + 2)
        made[f"{group}/{kind}_edges"] = edges
        made[f"{group}/{kind}"] = np.array([np.histogram(v, edges)[0] for v in (rich, other)], float)
    return made


def patterns(fraction, rng, scans=8, spread=0.0):
    """Independent patterns whose probability varies from scan to scan by `spread`; a mask of half the patterns."""
    p = np.clip(fraction + spread * rng.standard_normal((scans, 1, 1)), 0, 1)
    mask = np.zeros((scans, 10, 10), np.uint8)
    mask[:, :5] = 1
    return (rng.random((scans, 10, 10)) < p).astype(np.uint8), mask


def _config(file):
    group = file.create_group("config")
    group["input"] = 'model = "zr65ni35";\n'
    group["resolved"] = (
        '# model: zr65ni35 (its values are written out below)\norder: {\n  cluster_radius_nm = 0.5; # nm, model\n};\n'
        'nbed: {\n  beam = "z"; # default\n};\nrun: {\n  seed = 1L; # default\n};\n'
    )
    group.attrs.update(
        {
            "spacing_nm": SPACING,
            "cells": np.array([16, 16, 16]),
            "volume_nm3": VOLUME,
            "gamma0": 0.115,
            "activation_fraction": 0.5,
            "young_GPa": YOUNG,
            "poisson": 0.40,
            "largest_schmid": 0.5,
        }
    )


def _history(file, segments, extra):
    def join(key):
        return np.concatenate([np.asarray(s[key], float) for s in segments]) if segments else np.zeros(0)

    strain, stress = join("strain"), join("stress")
    plastic = np.maximum(0, strain - stress / YOUNG)
    n = len(strain)
    columns = {
        "time_s": join("time_s"),
        "segment": np.repeat(np.arange(len(segments), dtype=float), [len(s["time_s"]) for s in segments]),
        "temperature_K": (
            np.repeat([s.get("temperature_K", 295.0) for s in segments], [len(s["time_s"]) for s in segments])
            if segments
            else np.zeros(0)
        ),
        "strain_axial": strain,
        "stress_axial_GPa": stress,
        "plastic_strain_axial": plastic,
        "strain": np.outer(strain, [1, -0.4, -0.4, 0, 0, 0]),
        "stress_GPa": np.outer(stress, [1, 0, 0, 0, 0, 0]),
        "plastic_strain": np.outer(plastic, [1, -0.5, -0.5, 0, 0, 0]),
        "plastic_rate_per_s": join("rate"),
        "total_rate_per_s": join("rate") * 1e3,
        "events": np.arange(n, dtype=float),
        "events_per_stz": plastic / 0.0575,
        "order_mean": np.exp(-0.6 * plastic / 0.0575),
        "localisation": np.where(plastic > 0, 1.2, np.nan),
        "reversal_share": np.zeros(n),
        **extra,
    }
    for name, values in columns.items():
        dataset(file, f"history/{name}", values, UNITS.get(name, "1"))


def _level(file, index, strain, bragg, mask, expected, displaced=0):
    path = f"nbed/level_{index:02d}"
    group = file.create_group(path)
    fractions = bragg.mean(axis=(1, 2))
    group.attrs.update(
        {
            "strain": strain,
            "time_s": strain / 1e-6,
            "bragg_expected": expected,
            "bragg_mean": fractions.mean(),
            "bragg_scatter": fractions.std(ddof=1),
            "foil_nm": 9.0,
            "probe_nm": 0.4,
            "displaced": displaced,
        }
    )
    inside = mask.astype(bool)
    domains = np.column_stack(
        [(bragg * inside).sum((1, 2)), inside.sum((1, 2)), (bragg * ~inside).sum((1, 2)), (~inside).sum((1, 2))]
    )
    dataset(file, f"{path}/bragg", bragg, "1")
    dataset(file, f"{path}/probability", np.full(bragg.shape, expected), "1")
    dataset(file, f"{path}/density", mask.astype(float), "1")
    dataset(file, f"{path}/mask", mask, "1")
    dataset(file, f"{path}/counts", bragg.sum((1, 2)), "1")
    dataset(file, f"{path}/counts_by_domain", domains, "1")
    dataset(file, f"{path}/origin_nm", np.zeros((len(bragg), 3)), "nm")


def dataset(file, path, values, units):
    file[path] = values
    file[path].attrs.update({"units": units, "description": path})
