#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs that must be refused: the message to the letter, the exit code, and an existing result left alone."""
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

from harness import expect, expect_failure, finish, read, run, write

GOOD = """model = "glass";
lattice: { cells = [32, 32, 32]; spacing_nm = 0.58; };
stz: { volume_nm3 = 1.7; };
barriers: { width_eV = 0.1; };
microstructure: { wavelength_nm = 2.5; };
protocol = (
  { type = "strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07; },
  { type = "relaxation"; duration_s = 1.0e5; }
);
output: { nbed_strains = [0.0, 0.05]; };
run: { seed = 7; };
"""
MODEL = "elasticity: { young_GPa = 72.0; };\n"
RATE, HOLD = GOOD.splitlines()[6:8]



def said(group, key):
    """The row of a key in the program's own reference."""
    part = run(["check", "--reference"]).stdout.partition(f"\n## `{group}`\n")[2].partition("\n## ")[0]
    return re.search(rf"^\| `{key}` \|.*$", part, re.M)[0]


def names(group, key):
    """The values that a key of names allows, as messages list them."""
    *most, last = re.findall(r'`("[^"]*")`', said(group, key).split(" | ")[1])
    return f"{', '.join(most)} or {last}"


# Lists that grow when somebody adds a law, a type of segment or an engine.
LAWS, TYPES, ENGINES = names("stz", "barrier_law"), names("protocol", "type"), names("kmc", "engine")
WITH_TAU_C = re.search(r"Only with `stz.barrier_law` = (.*), and then", said("stz", "tau_c_GPa"))[1]

# name, text of GOOD, what stands there instead, message
EDITS = [
    ("negative rate", "rate_per_s = 1.0e-6", "rate_per_s = -1.0",
     "in.cfg:7: protocol[0].rate_per_s: got -1, needs >= 1e-20 and <= 1e+12"),
    ("zero rate", "rate_per_s = 1.0e-6", "rate_per_s = 0",
     "in.cfg:7: protocol[0].rate_per_s: got 0, needs >= 1e-20 and <= 1e+12"),
    ("rate of nothing in physics", "rate_per_s = 1.0e-6", "rate_per_s = 1e300",
     "in.cfg:7: protocol[0].rate_per_s: got 1e+300, needs >= 1e-20 and <= 1e+12"),
    ("attempts once in the age of the universe", "volume_nm3 = 1.7;",
     "volume_nm3 = 1.7; attempt_frequency_per_s = 1e-300;",
     "in.cfg:3: stz.attempt_frequency_per_s: got 1e-300, needs >= 1 and <= 1e+18"),
    ("creep away from its target", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"creep"; stress_GPa = 3.0; until_strain = -0.05',
     "in.cfg:7: protocol[0].until_strain: got -0.05, needs > 0.04167, the strain at once under 3 GPa, from which creep "
     "goes on"),
    ("creep that is at its target at once", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"creep"; stress_GPa = -3.0; until_strain = -0.04',
     "in.cfg:7: protocol[0].until_strain: got -0.04, needs < -0.04167, the strain at once under -3 GPa, from which "
     "creep goes on"),
    ("creep away from its target after a pull", '"relaxation"; duration_s = 1.0e5',
     '"creep"; stress_GPa = 3.0; until_strain = -0.05; duration_s = 1.0',
     "in.cfg:8: protocol[1].until_strain: got -0.05, needs > 0, as creep goes the way of its stress"),
    ("creep under nothing", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07', '"creep"; until_strain = 0.05',
     "in.cfg:7: protocol[0].until_strain: got 0.05, needs a stress other than 0, as nothing drives this creep towards "
     "it"),
    ("relaxation of nothing", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"relaxation"; until_stress_GPa = 1.0',
     "in.cfg:7: protocol[0].until_stress_GPa: got 1, needs a segment before it: there is no stress to relax"),
    ("relaxation beyond zero", '"relaxation"; duration_s = 1.0e5', '"relaxation"; until_stress_GPa = -1.0',
     "in.cfg:8: protocol[1].until_stress_GPa: got -1, needs >= 0, towards which the stress relaxes"),
    ("pull to a pressure", "until_strain = 0.07", "until_stress_GPa = -1.0",
     "in.cfg:7: protocol[0].until_stress_GPa: got -1, needs > 0, the stress at the start"),
    ("release to a strain that is passed", '"relaxation"; duration_s = 1.0e5',
     '"actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_strain = 0.05',
     "in.cfg:8: protocol[1].until_strain: got 0.05, needs > 0.07, the strain at which the segment begins"),
    ("unknown key", "width_eV = 0.1", "widht_eV = 0.1",
     "in.cfg:4: barriers.widht_eV: unknown key, the nearest known one is barriers.width_eV"),
    ("unknown key of a segment", "duration_s", "durations",
     "in.cfg:8: protocol[1].durations: unknown key, the nearest known one is protocol[1].duration_s"),
    ("unknown group", "barriers:", "barrier:",
     "in.cfg:4: barrier: unknown key, the nearest known one is barriers"),
    ("feature that does not exist", "width_eV = 0.1;", "hardening_eV = 0.0;",
     "in.cfg:4: barriers.hardening_eV: unknown key, the nearest known one is barriers.softening_eV"),
    ("recovery of nothing", "width_eV = 0.1", "recovery_rate_per_s = 1.0",
     "in.cfg:4: barriers.recovery_rate_per_s: got 1, needs softening_eV > 0, or there is no damage to recover"),
    ("damage that does nothing", "width_eV = 0.1", 'damage_shape = "slab"',
     'in.cfg:4: barriers.damage_shape: got "slab", needs "none", or softening_eV > 0, without which damage does nothing'),
    ("damage beyond saturation", "width_eV = 0.1",
     'softening_eV = 0.1; damage_shape = "random"; damage_start = 2.0',
     "in.cfg:4: barriers.damage_start: got 2, needs <= 1, the saturation"),
    ("slab wider than the box", "width_eV = 0.1",
     'softening_eV = 0.1; damage_shape = "slab"; damage_normal = "x"; damage_width_nm = 100.0',
     "in.cfg:4: barriers.damage_width_nm: got 100, needs <= 18.56, what the box has room for"),
    ("law that does not exist", "volume_nm3 = 1.7", 'barrier_law = "quadratic"',
     f'in.cfg:3: stz.barrier_law: got "quadratic", needs {LAWS}'),
    ("cooperative law without its stress", "volume_nm3 = 1.7", 'barrier_law = "cooperative"',
     f'in.cfg:3: stz.tau_c_GPa: got 0 (default), needs > 0 with barrier_law = {WITH_TAU_C}'),
    ("stress of another law", "volume_nm3 = 1.7", "tau_c_GPa = 2.4",
     f'in.cfg:3: stz.tau_c_GPa: got 2.4, needs to be left out, or 0: only barrier_law = {WITH_TAU_C} has it'),
    ("modes from a file of something else", "volume_nm3 = 1.7", 'modes = "../models/glass.cfg"',
     "../models/glass.cfg:1: elasticity: got a key that a file of modes may not set, needs stz.mode_axes alone"),
    ("modes without axes", "volume_nm3 = 1.7", 'modes = "axes"',
     'in.cfg:3: stz.mode_axes: got [] (default), needs at least one mode with modes = "axes"'),
    ("axes that nobody asks for", "volume_nm3 = 1.7", "mode_axes = [1, 0, 0, 0, 1, 0]",
     'in.cfg:3: stz.modes: got "icosahedral" (default), needs "axes", as there are mode_axes'),
    ("axes that are not perpendicular", "volume_nm3 = 1.7", 'modes = "axes"; mode_axes = [1, 0, 0, 1, 1, 0]',
     "in.cfg:3: stz.mode_axes: got [1.0, 0.0, 0.0, 1.0, 1.0, 0.0], needs planes that hold their direction; that of mode "
     "0, counted from 0, is 45 degrees off"),
    ("axis without a direction", "volume_nm3 = 1.7", 'modes = "axes"; mode_axes = [1, 0, 0, 0, 0, 0]',
     "in.cfg:3: stz.mode_axes: got [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], needs directions; mode 0, counted from 0, has none"),
    ("half a mode", "volume_nm3 = 1.7", 'modes = "axes"; mode_axes = [1, 0, 0, 0]',
     "in.cfg:3: stz.mode_axes: got a list of 4, needs six numbers per mode [sx, sy, sz, nx, ny, nz, ...], 15 modes at "
     "most"),
    ("too many modes", "volume_nm3 = 1.7", f'modes = "axes"; mode_axes = [{", ".join(["1, 0, 0, 0, 1, 0"] * 16)}]',
     "in.cfg:3: stz.mode_axes: got a list of 96, needs six numbers per mode [sx, sy, sz, nx, ny, nz, ...], 15 modes at "
     "most"),
    ("number for true or false", "output: {", "output: { snapshots = 1;",
     "in.cfg:10: output.snapshots: got 1, needs true or false"),
    ("text for true or false", "output: {", 'output: { snapshots = "yes";',
     'in.cfg:10: output.snapshots: got "yes", needs true or false'),
    ("engine that does not exist", "run: {", 'kmc: { engine = "fast"; }; run: {',
     f'in.cfg:11: kmc.engine: got "fast", needs {ENGINES}'),
    ("name not among several", "width_eV = 0.1", 'redraw = "all"',
     'in.cfg:4: barriers.redraw: got "all", needs "stz", "centre" or "none"'),
    ("text for a number", "width_eV = 0.1", 'width_eV = "0.1"',
     'in.cfg:4: barriers.width_eV: got "0.1", needs a number >= 0 and <= 5'),
    ("number for a text", "run: {", "kmc: { engine = 1; }; run: {",
     f'in.cfg:11: kmc.engine: got 1, needs {ENGINES}'),
    ("float for an integer", "seed = 7", "seed = 7.0", "in.cfg:11: run.seed: got 7.0, needs an integer >= 0"),
    ("negative seed", "seed = 7", "seed = -7", "in.cfg:11: run.seed: got -7, needs >= 0"),
    ("seed beyond 64 bits", "seed = 7", "seed = 9999999999999999999",
     "in.cfg:11: run.seed: got 1e+19, needs an integer >= 0"),
    ("hexadecimal seed beyond 64 bits", "seed = 7", "seed = 0xffffffffffffffffff",
     "in.cfg:11: run.seed: got 4.722366482869645e+21, needs an integer >= 0"),
    ("integer beyond an int", "output: {", "output: { history_points_per_decade = 4294967297;",
     "in.cfg:10: output.history_points_per_decade: got 4294967297, needs >= 1 and <= 10000"),
    ("infinite number", "width_eV = 0.1", "width_eV = 1.0e999",
     "in.cfg:4: barriers.width_eV: got inf, needs a number >= 0 and <= 5"),
    ("nan", "width_eV = 0.1", "width_eV = nan", "in.cfg:4: syntax error: found `nan`, needs a value; texts stand in quotes"),
    ("poisson at its limit", "stz:", "elasticity: { poisson = 0.5; }; stz:",
     "in.cfg:3: elasticity.poisson: got 0.5, needs > -1 and < 0.5"),
    ("poisson at its lower limit", "stz:", "elasticity: { poisson = -1; }; stz:",
     "in.cfg:3: elasticity.poisson: got -1, needs > -1 and < 0.5"),
    ("cells no multiple of 8", "[32, 32, 32]", "[32, 36, 32]",
     "in.cfg:2: lattice.cells: got 36, needs three multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("cells too few", "[32, 32, 32]", "[32, 32, 8]",
     "in.cfg:2: lattice.cells: got [32, 32, 8], needs at least 16 per axis, but for the thickness z of a film"),
    ("cells too many", "[32, 32, 32]", "[4294967312, 32L, 32L]",
     "in.cfg:2: lattice.cells: got 4294967312, needs three multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("cells too many together", "[32, 32, 32]", "[512, 512, 520]",
     "in.cfg:2: lattice.cells: got [512, 512, 520], needs at most 134217728 voxels in all (512 x 512 x 512)"),
    ("two cells", "[32, 32, 32]", "[32, 32]",
     "in.cfg:2: lattice.cells: got a list of 2, needs three multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("a number for the cells", "[32, 32, 32]", "32",
     "in.cfg:2: lattice.cells: got 32, needs three multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("no cells", "cells = [32, 32, 32];", "",
     "in.cfg:2: lattice.cells: got nothing, needs three multiples of 8 [nx, ny, nz], each >= 8 and <= 1024"),
    ("number for a group", "run: { seed = 7; };", "run = 7;", "in.cfg:11: run: got 7, needs a group { ... }"),
    ("group for a number", "seed = 7", "seed: { a = 1; }", "in.cfg:11: run.seed: got a group, needs an integer >= 0"),
    ("levels not ascending", "[0.0, 0.05]", "[0.05, 0.01]",
     "in.cfg:10: output.nbed_strains: got 0.01, needs numbers [e1, e2, ...] in ascending order, each >= 0 and <= 1"),
    ("level twice", "[0.0, 0.05]", "[0.05, 0.05]",
     "in.cfg:10: output.nbed_strains: got 0.05, needs numbers [e1, e2, ...] in ascending order, each >= 0 and <= 1"),
    ("an integer that is too large behind spaces", "[0.0, 0.05]", "[0.0," + 200 * " " + "1" + 20 * "0" + "]",
     "in.cfg:10: output.nbed_strains: got 1e+20, needs numbers [e1, e2, ...] in ascending order, each >= 0 and <= 1"),
    ("values of two kinds in a list", "[0.0, 0.05]", '[0, "0.05"]',
     "in.cfg:10: mismatched element type in array: write all numbers of a list with a point, or none"),
    ("foil thicker than the box", "run:", "nbed: { foil_nm = 20.0; }; run:",
     "in.cfg:11: nbed.foil_nm: got 20, needs <= 18.56, the box along the beam"),
    ("scan wider than the box", "run:", "nbed: { probe_nm = 2.0; }; run:",
     "in.cfg:11: nbed.probe_nm: got 2, needs <= 1.856, for a scan of 10 x 10 probes to fit into the box"),
    ("more probes than can be counted", "run:", "nbed: { probe_nm = 1.4e-4; }; run:",
     "in.cfg:11: nbed.probe_nm: got 0.00014, needs >= 0.004536, for at most 16777216 probes side by side in the box"),
    ("cluster wider than the box", "[32, 32, 32]; spacing_nm = 0.58; }",
     "[16, 32, 32]; }; order: { cluster_radius_nm = 4.9; }",
     "in.cfg:2: order.cluster_radius_nm: got 4.9, needs <= 4.44, half the box less the probe's"),
    ("zone smaller than a voxel", "volume_nm3 = 1.7", "volume_nm3 = 0.19",
     "in.cfg:3: stz.volume_nm3: got 0.19, needs > 0.1951, the volume of a voxel"),
    ("zone larger than the box", "volume_nm3 = 1.7", "volume_nm3 = 500",
     "in.cfg:3: stz.volume_nm3: got 500, needs <= 409.2, for its footprint to fit into the box"),
    ("waves longer than the box", "wavelength_nm = 2.5", "wavelength_nm = 21.0",
     "in.cfg:5: microstructure.wavelength_nm: got 21, needs a wave of the periodic box within bandwidth = 0.12 of it; "
     "the nearest is 18.56"),
    ("waves between those of the box", "wavelength_nm = 2.5", "wavelength_nm = 9.7; bandwidth = 0.03",
     "in.cfg:5: microstructure.wavelength_nm: got 9.7, needs a wave of the periodic box within bandwidth = 0.03 of it; "
     "the nearest is 9.28"),
    ("waves shorter than the voxels", "wavelength_nm = 2.5", "wavelength_nm = 1.29",
     "in.cfg:5: microstructure.wavelength_nm: got 1.29, needs > 1.299, 2 spacing_nm (1 + bandwidth)"),
    ("floor above the mean", "width_eV = 0.1", "floor_eV = 3.0",
     "in.cfg:4: barriers.floor_eV: got 3, needs <= 2.352, the mean_eV"),
    ("cut of nothing", "wavelength_nm = 2.5", 'profile = "cut"; nickel_fraction = 0.0',
     'in.cfg:5: microstructure.nickel_fraction: got 0, needs > 0 and < 1 with profile = "cut"'),
    ("quench longer than the box", "wavelength_nm = 2.5", 'type = "cahn-hilliard"; wavelength_nm = 6.2',
     "in.cfg:5: microstructure.wavelength_nm: got 6.2, needs > 1.74, 3 spacing_nm, and <= 6.187, a third of the box, "
     'with type = "cahn-hilliard"'),
    ("quench that does not demix", "wavelength_nm = 2.5", 'type = "cahn-hilliard"; nickel_fraction = 0.25',
     'in.cfg:5: microstructure.nickel_fraction: got 0.25, needs 0.3 to 0.7 with type = "cahn-hilliard": beyond, a '
     "quench gives droplets"),
    ("layers that do not fit", "wavelength_nm = 2.5", 'type = "layers"; layer_period_nm = 4.0',
     "in.cfg:5: microstructure.layer_period_nm: got 4, needs a whole number of periods in the box's 18.56 nm, e.g. "
     "4.64"),
    ("layers thinner than a voxel", "wavelength_nm = 2.5",
     'type = "layers"; layer_period_nm = 2.32; layer_rich_share = 0.2',
     "in.cfg:5: microstructure.layer_period_nm: got 2.32, needs >= 2.9, for each layer to be a voxel thick"),
    ("layers without a poor one", "wavelength_nm = 2.5", "layer_rich_share = 1.0",
     "in.cfg:5: microstructure.layer_rich_share: got 1, needs > 0 and < 1"),
    ("file without a name", "wavelength_nm = 2.5", 'type = "file"',
     'in.cfg:5: microstructure.file: got "" (default), needs a file in HDF5 format with type = "file"'),
    ("file that is cut", "wavelength_nm = 2.5", 'type = "file"; file = "in.cfg"; profile = "cut"',
     'in.cfg:5: microstructure.profile: got "cut", needs "smooth" with type = "file", whose values are taken as they '
     "are"),
    ("file without an amplitude", "wavelength_nm = 2.5", 'type = "file"; file = "in.cfg"; nickel_amplitude = 0.0',
     'in.cfg:5: microstructure.nickel_amplitude: got 0, needs > 0 with type = "file"'),
    ("control that does not exist", "wavelength_nm = 2.5", 'control = "flat"',
     'in.cfg:5: microstructure.control: got "flat", needs "none", "shuffled", "equal-histogram", "frozen" or '
     '"random-phases"'),
    ("segment without an end", " until_strain = 0.07;", "",
     "in.cfg:7: protocol[0].duration_s: got nothing, needs an end of the segment: duration_s, until_strain, "
     "until_stress_GPa"),
    ("segment without a type", 'type = "relaxation"; ', "",
     f"in.cfg:8: protocol[1].type: got nothing, needs {TYPES}"),
    ("segment without what it needs", "rate_per_s = 1.0e-6; ", "",
     "in.cfg:7: protocol[0].rate_per_s: got nothing, needs a number >= 1e-20 and <= 1e+12"),
    ("key of another segment type", "duration_s = 1.0e5", "duration_s = 1.0e5; stress_GPa = 2.0",
     'in.cfg:8: protocol[1].stress_GPa: got 2, needs to be left out: a segment of type "relaxation" has no such key'),
    ("strain that is past already", '"relaxation"; duration_s = 1.0e5',
     '"strain-rate"; rate_per_s = 1.0; until_strain = 0.07',
     "in.cfg:8: protocol[1].until_strain: got 0.07, needs > 0.07, the strain at which the segment begins"),
    ("actuator past its mismatch", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_strain = 0.1',
     "in.cfg:7: protocol[0].until_strain: got 0.1, needs < 0.09531, the logarithmic strain of mismatch_strain, "
     "which is never passed"),
    ("actuator past its mismatch, small strains", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"actuator"; geometry = "small"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_strain = 0.1',
     "in.cfg:7: protocol[0].until_strain: got 0.1, needs < 0.1, the mismatch_strain, which is never passed"),
    ("actuator past its stress, small strains", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"actuator"; geometry = "small"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_stress_GPa = 4.0',
     "in.cfg:7: protocol[0].until_stress_GPa: got 4, needs <= 3.6, the elastic stress of this actuator"),
    ("geometry of no actuator", '"relaxation"; duration_s', '"relaxation"; geometry = "finite"; duration_s',
     'in.cfg:8: protocol[1].geometry: got "finite", needs to be left out: a segment of type "relaxation" has no such '
     "key"),
    ("actuator past its stress", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_stress_GPa = 4.0',
     "in.cfg:7: protocol[0].until_stress_GPa: got 4, needs <= 3.625, the elastic stress of this actuator"),
    ("actuator without release", '"relaxation"; duration_s = 1.0e5',
     '"actuator"; stiffness_GPa = 72.0; mismatch_strain = 0.1; release_s = 0; duration_s = 1.0',
     "in.cfg:8: protocol[1].release_s: got 0, needs >= 1e-15 and <= 1e+18"),
    ("one rate to jump to", '"relaxation"; duration_s = 1.0e5',
     '"rate-jump"; strain_each = 0.01; until_strain = 0.1; rates_per_s = [1.0e-6]',
     "in.cfg:8: protocol[1].rates_per_s: got a list of 1, needs a list of 2 to 8 numbers, each >= 1e-20 and <= 1e+12"),
    ("a rate that is none", '"relaxation"; duration_s = 1.0e5',
     '"rate-jump"; strain_each = 0.01; until_strain = 0.1; rates_per_s = [1.0e-6, 0.0]',
     "in.cfg:8: protocol[1].rates_per_s: got 0.0, needs a list of 2 to 8 numbers, each >= 1e-20 and <= 1e+12"),
    ("jumps to a past strain", '"relaxation"; duration_s = 1.0e5',
     '"rate-jump"; strain_each = 0.01; until_strain = 0.06; rates_per_s = [1.0e-6, 1.0e-5]',
     "in.cfg:8: protocol[1].until_strain: got 0.06, needs > 0.07, the strain at which the segment begins"),
    ("cycles without turns", '"relaxation"; duration_s = 1.0e5', '"cyclic"; rate_per_s = 1.0; cycles = 2',
     "in.cfg:8: protocol[1].turn_strains: got nothing, needs two turns, here or in turn_stresses_GPa"),
    ("cycles of both", '"relaxation"; duration_s = 1.0e5',
     '"cyclic"; rate_per_s = 1.0; cycles = 2; turn_strains = [0.1, 0.0]; turn_stresses_GPa = [1.0, 0.0]',
     "in.cfg:8: protocol[1].turn_stresses_GPa: got [1.0, 0.0], needs to be left out: the segment has turn_strains"),
    ("cycles between one strain", '"relaxation"; duration_s = 1.0e5',
     '"cyclic"; rate_per_s = 1.0; cycles = 2; turn_strains = [0.1, 0.1]',
     "in.cfg:8: protocol[1].turn_strains: got [0.1, 0.1], needs two turns that differ"),
    ("half a cycle", '"relaxation"; duration_s = 1.0e5',
     '"cyclic"; rate_per_s = 1.0; cycles = 0.5; turn_strains = [0.1, 0.0]',
     "in.cfg:8: protocol[1].cycles: got 0.5, needs an integer >= 1 and <= 1e+06"),
    ("mixed control of five", '"relaxation"', '"mixed"; control = ["strain", "strain", "strain", "stress", "stress"]',
     'in.cfg:8: protocol[1].control: got a list of 5, needs a list of 6 words, each "strain" or "stress"'),
    ("mixed control by numbers", '"relaxation"', '"mixed"; control = [0, 0, 0, 1, 1, 1]',
     'in.cfg:8: protocol[1].control: got 0, needs a list of 6 words, each "strain" or "stress"'),
    ("rate of a strain that is not imposed", '"relaxation"',
     '"mixed"; control = ["strain", "stress", "strain", "strain", "strain", "strain"]; '
     'strain_rates_per_s = [0.0, 1.0e-6, 0.0, 0.0, 0.0, 0.0]',
     "in.cfg:8: protocol[1].strain_rates_per_s: got [0.0, 1e-06, 0.0, 0.0, 0.0, 0.0], needs 0 for yy, whose stress is "
     "imposed"),
    ("rate of a stress that is not imposed", '"relaxation"',
     '"mixed"; control = ["strain", "stress", "strain", "strain", "strain", "strain"]; '
     'stress_rates_GPa_per_s = [0.0, 0.0, 0.0, 0.0, 0.0, 0.1]',
     "in.cfg:8: protocol[1].stress_rates_GPa_per_s: got [0.0, 0.0, 0.0, 0.0, 0.0, 0.1], needs 0 for xy, whose strain "
     "is imposed"),
    ("mixed without a duration", '"relaxation"; duration_s = 1.0e5',
     '"mixed"; control = ["strain", "stress", "strain", "strain", "strain", "strain"]',
     "in.cfg:8: protocol[1].duration_s: got nothing, needs a number >= 1e-15 and <= 1e+18"),
    ("missing keys are where their group begins", HOLD, '  {\n    type = "relaxation";\n    temperature_K = 300.0;\n  }',
     "in.cfg:8: protocol[1].duration_s: got nothing, needs an end of the segment: duration_s, until_stress_GPa"),
    ("a group whose brace is on the next line", "stz: { volume_nm3 = 1.7; };", 'stz:\n{\n  volume_nm3 = 1.7;\n  modes = "axes";\n};',
     'in.cfg:3: stz.mode_axes: got [] (default), needs at least one mode with modes = "axes"'),
    ("mode of no load", '"relaxation"', '"age"; mode = "shear"',
     'in.cfg:8: protocol[1].mode: got "shear", needs to be left out: a segment of type "age" has no such key'),
    ("temperature ramp without a duration", "until_strain = 0.07;", "until_strain = 0.07; temperature_end_K = 400.0;",
     "in.cfg:7: protocol[0].duration_s: got nothing, needs a duration, as there is a temperature_end_K"),
    ("actuator past its stress in shear", '"strain-rate"; rate_per_s = 1.0e-6; until_strain = 0.07',
     '"actuator"; mode = "shear"; stiffness_GPa = 72.0; mismatch_strain = 0.1; until_stress_GPa = 3.1',
     "in.cfg:7: protocol[0].until_stress_GPa: got 3.1, needs <= 3, the elastic stress of this actuator"),
    ("absolute zero", 'type = "relaxation";', 'type = "relaxation"; temperature_K = 0;',
     "in.cfg:8: protocol[1].temperature_K: got 0, needs >= 1 and <= 2000"),
    ("empty protocol", RATE + "\n" + HOLD, "",
     "in.cfg:6: protocol: got a list of 0, needs a list of 1 to 1000 segments ( { type = ...; }, ... )"),
    ("protocol of numbers", RATE + "\n" + HOLD, "1, 2", "in.cfg:7: protocol[0]: got 1, needs a group { ... }"),
    ("key twice", "seed = 7;", "seed = 7; seed = 8;",
     "in.cfg:11: seed: got it twice in its group, line 11 has it too"),
    ("key twice, far apart", "run: { seed = 7; };", "run: {\n  seed = 7; /* { */\n  checkpoint_every_wall_s = 60.0;\n  seed = 8;\n};",
     "in.cfg:14: seed: got it twice in its group, line 12 has it too"),
    ("group never closed", "run: { seed = 7; };", "run: { seed = 7;",
     "in.cfg:12: syntax error: found the end of the file, needs `}`, which closes the `{` of line 11"),
    ("include directive", "run:", '\n@include "more.cfg"\nrun:',
     "in.cfg:12: @include: got an include directive, needs the keys themselves, or `model`"),
]

# name, model, message
MODELS = [
    ("value of a model", "\nbarriers: { mean_eV = -2.0; };\n",
     "../models/glass.cfg:2: barriers.mean_eV: got -2, needs > 0 and <= 20"),
    ("unknown key of a model", "stz: { gamma = 0.1; };\n",
     "../models/glass.cfg:1: stz.gamma: unknown key, the nearest known one is stz.gamma0"),
    ("key that no model may set", "run: { seed = 1; };\n",
     "../models/glass.cfg:1: run: got a key that a model may not set, needs elasticity, stz, barriers, microstructure "
     "or order"),
    ("model that is no text", "elasticity: {\0};\n",
     "in.cfg:1: model: ../models/glass.cfg: got binary data, needs a text file"),
    ("what a model lacks", '\nstz: { barrier_law = "cooperative"; };\n',
     f"in.cfg:3: stz.tau_c_GPa: got 0 (default), needs > 0 with barrier_law = {WITH_TAU_C}"),
    ("syntax of a model", "stz: { gamma0 = ; };\n",
     "../models/glass.cfg:1: syntax error: found `;`, needs a value"),
    ("check between keys, at fault in the model", "barriers: { mean_eV = 1.0; floor_eV = 1.5; };\n",
     "../models/glass.cfg:1: barriers.floor_eV: got 1.5, needs <= 1, the mean_eV"),
]

# name, --set, message
OVERRIDES = [
    ("what a segment lacks", 'protocol=({type="creep"; stress_GPa=1.0;})',
     "--set: protocol[0].duration_s: got nothing, needs an end of the segment: duration_s, until_strain"),
    ("range", "barriers.width_eV=-0.1", "--set: barriers.width_eV: got -0.1, needs >= 0 and <= 5"),
    ("unknown path", "barriers.width=0.1",
     "--set: barriers.width: unknown key, the nearest known one is barriers.width_eV"),
    ("index beyond the list", "protocol[2].until_strain=0.1",
     "--set: protocol[2].until_strain: got an index beyond the last segment, needs one of the protocol's"),
    ("index that is none", "protocol[x].until_strain=0.1",
     "--set: protocol[x].until_strain: unknown key, the nearest known one is protocol[0].until_strain"),
    ("no value", "barriers.width_eV=", "--set: barriers.width_eV: got ``, needs a value as in an input file"),
    ("no equals sign", "barriers.width_eV", "--set: got `barriers.width_eV`, needs path=value"),
    ("two settings", "run.seed=1; b=2", "--set: run.seed: got `1; b=2`, needs a value as in an input file"),
    ("word for a number", "barriers.width_eV=wide",
     '--set: barriers.width_eV: got "wide", needs a number >= 0 and <= 5'),
    ("check between keys", "nbed.foil_nm=18.6",
     "--set: nbed.foil_nm: got 18.6, needs <= 18.56, the box along the beam"),
]


def refuse(name, text, message, code=2, ranks=1, options=(), model=MODEL):
    """Runs on `text` with --force over an existing file, which must stay as it is."""
    name = f"{name} on {ranks} rank(s)"
    with tempfile.TemporaryDirectory() as folder:
        runs = os.path.join(folder, "runs")
        write(os.path.join(runs, "in.cfg"), text)
        write(os.path.join(folder, "models", "glass.cfg"), model)
        write(os.path.join(runs, "out.h5"), "precious")
        done = run(["run", "in.cfg", "-o", "out.h5", "--force", *options], ranks, runs)
        expect_failure(name, done, code, message, ranks)
        expect(name, read(os.path.join(runs, "out.h5")) == b"precious", "the result file was touched")
        expect(name, sorted(os.listdir(runs)) == ["in.cfg", "out.h5"], "files were left behind")


def accept_unchanged():
    """The input from which the others are made is in order."""
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "runs", "in.cfg"), GOOD)
        write(os.path.join(folder, "models", "glass.cfg"), MODEL)
        good = run(["check", "in.cfg"], 1, os.path.join(folder, "runs"))
        expect("the unchanged input is accepted", good.returncode == 0, good.stderr)


def refuse_edit(edit, ranks=1):
    name, old, new, message = edit
    expect(name, GOOD.count(old) == 1, "the test's own edit is ambiguous")
    refuse(name, GOOD.replace(old, new), message, ranks=ranks)


def refuse_model(case, ranks=1):
    name, model, message = case
    refuse(name, GOOD, message, model=model, ranks=ranks)


def refuse_override(case, ranks=1):
    name, text, message = case
    refuse("--set: " + name, GOOD, message, options=["--set", text], ranks=ranks)


accept_unchanged()
with ThreadPoolExecutor(4) as pool:  # starting and ending MPI is mostly waiting
    jobs = [pool.submit(refuse_edit, edit) for edit in EDITS]
    jobs += [pool.submit(refuse_model, case) for case in MODELS]
    jobs += [pool.submit(refuse_override, case) for case in OVERRIDES]
    jobs += [
        pool.submit(refuse, "--seed", GOOD, "--seed: run.seed: got -1, needs >= 0", options=["--seed", "-1"]),
        pool.submit(refuse, "binary input", GOOD.encode() + b"\0\1", "in.cfg: got binary data, needs a text file"),
        pool.submit(refuse, "huge input", "# " + "x" * (1 << 20), "in.cfg: got more than 1 MiB, needs an input file"),
        pool.submit(refuse, "empty input", "",
                    "in.cfg: lattice.cells: got nothing, needs three multiples of 8 [nx, ny, nz], "
                    "each >= 8 and <= 1024"),
        pool.submit(refuse, "deep nesting", "a: {" * 20000, "in.cfg:1: got groups more than 63 deep, needs fewer"),
    ]
for job in jobs:
    job.result()
for edit in EDITS:
    if edit[0] in ("negative rate", "group never closed"):
        refuse_edit(edit, ranks=3)
refuse_model(MODELS[0], ranks=3)
refuse_override(OVERRIDES[0], ranks=3)
finish()
