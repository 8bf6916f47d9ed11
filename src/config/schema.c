// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/edit.h"
#include "base/utf8.h"
#include "config/config.h"

_Static_assert(sizeof(stz_segment_type) == sizeof(int) && sizeof(stz_segment_mode) == sizeof(int),
               "an enum is stored as an int");

#define NO_MIN .min = (-INFINITY)
#define NO_MAX .max = INFINITY
#define AT(field) .offset = offsetof(stz_config, field)
#define IN_SEGMENT(field) .offset = offsetof(stz_segment, field)

enum {
  RATE = 1u << STZ_SEGMENT_STRAIN_RATE,
  HOLD = 1u << STZ_SEGMENT_RELAXATION,
  CREEP = 1u << STZ_SEGMENT_CREEP,
  ACTUATOR = 1u << STZ_SEGMENT_ACTUATOR,
  JUMP = 1u << STZ_SEGMENT_RATE_JUMP,
  UNLOAD = 1u << STZ_SEGMENT_UNLOAD,
  CYCLIC = 1u << STZ_SEGMENT_CYCLIC,
  MIXED = 1u << STZ_SEGMENT_MIXED,
  AGE = 1u << STZ_SEGMENT_AGE,
  DRIVEN = RATE | HOLD | CREEP | ACTUATOR | JUMP | UNLOAD | CYCLIC,
  EVERY = DRIVEN | MIXED | AGE,
};

const stz_key_group stz_key_groups[] = {
    {"", false, "Outside groups"},
    {"lattice", false, "The box: a lattice of cubic voxels, periodic or a film, each the centre of one potential STZ"},
    {"elasticity", true, "Isotropic elasticity: uniform, or with shear moduli that follow the structure"},
    {"stz", true, "Shear transformation zones and their rates"},
    {"barriers", true, "Energy barriers, and their change by events"},
    {"microstructure", true, "The composition field"},
    {"order", true, "Ordered clusters, which scatter into Bragg reflections until they are sheared"},
    {"protocol[]", false, "A segment of the protocol, the list of loading steps"},
    {"kmc", false, "The kinetic Monte Carlo engine"},
    {"output", false, "Recorded data and their times"},
    {"nbed", false, "Geometry of the virtual nanobeam diffraction scans"},
    {"avalanches", false, "The events that belong to one avalanche"},
    {"run", false, "The run"},
};
const int stz_key_group_count = sizeof stz_key_groups / sizeof *stz_key_groups;

const stz_key stz_schema[] = {
    {"model", STZ_KEY_TEXT, "", "\"\"", AT(model),
     .description = "Material model: a path relative to the input, or the name of a file in a `models/` (above). "
                    "Read before the input, which overrides it. Empty: none"},

    {"lattice.cells", STZ_KEY_CELLS, "1", NULL, .min = 8, .max = 1024, AT(lattice.cells),
     .description = "Voxels along x, y and z, each a multiple of 8; from 16 on, but for the thickness z of a film; at "
                    "most 512³ in all. Tension is along x"},
    {"lattice.boundary", STZ_KEY_NAME, "", "\"periodic\"", .names = "periodic|film", AT(lattice.boundary),
     .description = "`periodic`: along all axes. `film`: traction-free surfaces normal to z, periodic along x and y"},
    {"lattice.spacing_nm", STZ_KEY_FLOAT, "nm", "0.58", .min = 0.1, .max = 2.0, AT(lattice.spacing_nm),
     .description = "Edge *a* of a voxel"},

    {"elasticity.young_GPa", STZ_KEY_FLOAT, "GPa", "72.0", .min = 0, .min_open = true, .max = 1000,
     AT(elastic.young_GPa), .description = "Young's modulus; of the whole box where moduli vary"},
    {"elasticity.poisson", STZ_KEY_FLOAT, "1", "0.40", .min = -1, .min_open = true, .max = 0.5, .max_open = true,
     AT(elastic.poisson), .description = "Poisson's ratio; where moduli vary, of the mean moduli"},
    {"elasticity.contrast", STZ_KEY_FLOAT, "1", "0.0", .min = 0, .max = 0.6, AT(elastic.contrast),
     .description = "Shear moduli are μ (1 + ½ contrast g), g the structure: from g = −1 to 1 they differ by this. 0: "
                    "uniform. Not in a film"},
    {"elasticity.contrast_holds", STZ_KEY_NAME, "", "\"bulk\"", .names = "bulk|poisson", AT(elastic.contrast_holds),
     .description = "What is uniform where shear moduli vary: the bulk modulus, or Poisson's ratio"},
    {"elasticity.contrast_model", STZ_KEY_NAME, "", "\"dressed\"", .names = "none|dressed|exact",
     AT(elastic.contrast_model),
     .description =
         "What moduli that vary do to stress. `dressed`: exact stress concentrations under load; the stress "
         "of an event times a factor at its site and one where it is felt, some 2/3 of its change in energy "
         "terms (docs/theory.md). `exact`: by the multilevel and points engines, exact whenever the stress of all "
         "sites is "
         "computed again, dressed in between; by the direct engine always, at 100 times its cost; one rank. `none`: "
         "nothing, for `barriers.modulus_scaling` alone"},

    {"elasticity.finite_strain", STZ_KEY_NAME, "", "\"load\"", .names = "load|box", AT(elastic.finite_strain),
     .description =
         "What follows large strains. `load`: the balance with an actuator alone (`protocol[].geometry`). `box`: the "
         "stress of an event as well, by a kernel that is made again as the plastic strain along x, y and z takes the "
         "sites elsewhere: neighbours otherwise err by twice the plastic strain, 20 % at 10 %. Not in a film, with "
         "`contrast` or in mode `shear`"},
    {"elasticity.rebuild_strain", STZ_KEY_FLOAT, "1", "0.005", .min = 0.0005, .max = 0.1, AT(elastic.rebuild_strain),
     .used_with = "elasticity.finite_strain=box",
     .description = "With `finite_strain = \"box\"`: plastic strain along an axis after which the kernel is made "
                    "again; seconds each in a large box"},

    {"stz.volume_nm3", STZ_KEY_FLOAT, "nm^3", "1.7", .min = 0, .min_open = true, NO_MAX, AT(stz.volume_nm3),
     .description = "Volume Ω of an STZ; larger than a voxel"},
    {"stz.gamma0", STZ_KEY_FLOAT, "1", "0.115", .min = 0, .min_open = true, .max = 1, AT(stz.gamma0),
     .description = "Engineering shear γ0 of one event"},
    {"stz.activation_fraction", STZ_KEY_FLOAT, "1", "0.5", .min = 0, .min_open = true, .max = 1,
     AT(stz.activation_fraction),
     .description = "χ: fraction of the work γ0 Ω τ that is done at the saddle point. 0.5 obeys detailed balance"},
    {"stz.barrier_law", STZ_KEY_NAME, "", "\"linear\"", .names = STZ_LAW_NAMES, AT(stz.barrier_law),
     .description = "How stress lowers a barrier: `linear` is B = Q − χ γ0 Ω τ, `cooperative` is "
                    "B = Q max(0, 1 − τ/τ_c)^1.5 (no χ; never in detailed balance)"},
    {"stz.tau_c_GPa", STZ_KEY_FLOAT, "GPa", "0.0", .min = 0, .max = 1000, AT(stz.tau_c_GPa),
     .only_with = "stz.barrier_law=cooperative", .description = "τ_c: the resolved stress at which no barrier is left"},
    {"stz.normal_stress_coefficient", STZ_KEY_FLOAT, "1", "0.0", .min = -0.9, .max = 0.9, AT(stz.normal_coefficient),
     .description =
         "α: a barrier falls by τ + α σ_n in place of the resolved stress τ, σ_n > 0 in tension; 0: τ alone. "
         "Positive, the glass is stronger in compression: modes at 45° bear (1 − α)/(1 + α) of it in tension"},
    {"stz.normal_stress", STZ_KEY_NAME, "", "\"plane\"", .names = "plane|pressure", AT(stz.normal_stress),
     .description = "σ_n. `plane`: the stress normal to the plane of the mode, from the local deviator and the mean "
                    "pressure. `pressure`: a third of the trace of the mean stress"},
    {"stz.modes", STZ_KEY_TEXT, "", "\"icosahedral\"", AT(modes),
     .description =
         "Shear modes: `icosahedral` (15, no direction of shear preferred), `axes` (those of `mode_axes`), or "
         "a file that sets `stz.mode_axes`: a name in `models/modes/`, or a path relative to the input"},
    {"stz.mode_axes", STZ_KEY_AXES, "1", "[ ]", AT(stz.catalogue),
     .description =
         "With `modes = \"axes\"`: of each mode the direction of shear and the normal of its plane, which are "
         "perpendicular, of any length: `[sx, sy, sz, nx, ny, nz, ...]`. Each mode has two signs"},
    {"stz.orientation", STZ_KEY_NAME, "", "\"random\"", .names = "random|aligned", AT(stz.orientation),
     .description = "Axes of the shear modes: random in each STZ-sized grain, or the lattice's"},
    {"stz.quenched_strain", STZ_KEY_FLOAT, "1", "0.0", .min = 0, .max = 0.5, AT(stz.quenched_strain),
     .description =
         "Random eigenstrain in the glass at the start: rms of its norm averaged over an STZ; 0: stress-free. "
         "An event of γ0 has γ0/√2"},
    {"stz.attempt_frequency_per_s", STZ_KEY_FLOAT, "1/s", "1.0e13", .min = 1, .max = 1e18,
     AT(stz.attempt_frequency_per_s), .description = "Attempt frequency ν0"},
    {"stz.attempt_density", STZ_KEY_NAME, "", "\"volume\"", .names = "volume|voxel", AT(stz.attempt_density),
     .description = "ν0 per volume Ω (independent of *a*), or ν0 per voxel (to compare with models that count so)"},

    {"barriers.mean_eV", STZ_KEY_FLOAT, "eV", "2.352", .min = 0, .min_open = true, .max = 20, AT(barriers.mean_eV),
     .description = "Barrier of a site with g = 0, far from interfaces"},
    {"barriers.width_eV", STZ_KEY_FLOAT, "eV", "0.10", .min = 0, .max = 5, AT(barriers.width_eV),
     .description = "Standard deviation of the barrier noise before its cut"},
    {"barriers.cutoff_sigma", STZ_KEY_FLOAT, "1", "2.5", .min = 0, .min_open = true, .max = 8,
     AT(barriers.cutoff_sigma), .description = "The noise is cut at ± this many standard deviations"},
    {"barriers.distribution", STZ_KEY_NAME, "", "\"gaussian\"", .names = "gaussian|weibull|uniform",
     AT(barriers.distribution),
     .description = "Distribution of the noise, of mean 0 and standard deviation `width_eV` before the cut"},
    {"barriers.weibull_shape", STZ_KEY_FLOAT, "1", "2.0", .min = 0.5, .max = 20, AT(barriers.weibull_shape),
     .used_with = "barriers.distribution=weibull",
     .description = "Shape k of the Weibull distribution, 1 − exp(−w^k); other distributions do not use it"},
    {"barriers.composition_eV", STZ_KEY_FLOAT, "eV", "0.25", .min = -5, .max = 5, AT(barriers.composition_eV),
     .description = "Rise of the barrier per unit of the structure g, which is positive in Ni-rich domains"},
    {"barriers.modulus_scaling", STZ_KEY_FLOAT, "1", "0.0", .min = 0, .max = 2, AT(barriers.modulus_scaling),
     .description =
         "Share of `mean_eV` that is proportional to the local shear modulus (shoving model: 1): the barrier "
         "rises by this times mean_eV ½ contrast per unit of g"},
    {"barriers.interface_eV", STZ_KEY_FLOAT, "eV", "0.10", .min = -5, .max = 5, AT(barriers.interface_eV),
     .description = "Fall of the barrier on interfaces, per unit of \\|∇g\\| λ/(2π sharpness)"},
    {"barriers.surface_eV", STZ_KEY_FLOAT, "eV", "0.0", .min = -5, .max = 5, AT(barriers.surface_eV),
     .description = "Rise of the barrier at the surfaces of a film; negative: softer surfaces. Only with "
                    "`lattice.boundary` = `film`"},
    {"barriers.surface_depth_nm", STZ_KEY_FLOAT, "nm", "1.2", .min = 0, .max = 1000, AT(barriers.surface_depth_nm),
     .description = "Depth down to which `surface_eV` holds; voxels on the border by their share"},
    {"barriers.rise_file", STZ_KEY_TEXT, "", "\"\"", AT(given[STZ_GIVEN_RISE].file),
     .description =
         "HDF5 file with a rise of the barrier of each voxel, eV, from -5 to 5, on top of everything else and "
         "for good; a path relative to the input. Empty: none"},
    {"barriers.rise_dataset", STZ_KEY_TEXT, "", "\"/rise_eV\"", AT(given[STZ_GIVEN_RISE].dataset),
     .used_with = "barriers.rise_file",
     .description = "Dataset in that file, nx × ny × nz values, or in the order of axes that it declares"},
    {"barriers.floor_eV", STZ_KEY_FLOAT, "eV", "0.2", .min = 0, .max = 20, AT(barriers.floor_eV),
     .description = "Lower limit of all barriers; at most `mean_eV`"},
    {"barriers.softening_eV", STZ_KEY_FLOAT, "eV", "0.0", .min = 0, .max = 20, AT(barriers.softening_eV),
     .description = "Fall of a barrier per unit of damage; an event damages its footprint"},
    {"barriers.saturation", STZ_KEY_FLOAT, "1", "1.0", .min = 0, .min_open = true, .max = 1e6, AT(barriers.saturation),
     .used_with = "barriers.softening_eV",
     .description =
         "Largest damage D_s: an event adds 1 − D/D_s at its centre. With 1 the first event softens a zone once "
         "and for all; larger, softening goes on with further events"},
    {"barriers.damage_shape", STZ_KEY_NAME, "", "\"none\"", .names = "none|slab|sphere|random|file",
     AT(barriers.damage.shape),
     .description =
         "Where the glass is damaged at the start: nowhere, in a slab or a sphere about the middle of the box, "
         "in single voxels at random, or as `damage_file` says"},
    {"barriers.damage_start", STZ_KEY_FLOAT, "1", "1.0", .min = 0, .min_open = true, .max = 1e6,
     AT(barriers.damage.amount), .used_with = "barriers.damage_shape=slab|sphere|random",
     .description = "Damage within `damage_shape`; at most `saturation`"},
    {"barriers.damage_normal", STZ_KEY_NAME, "", "\"xz\"", .names = "x|y|z|xy|xz|yz", AT(barriers.damage.normal),
     .used_with = "barriers.damage_shape=slab",
     .description = "Normal of the slab: an axis, or the diagonal of two, along which the box must be equally long"},
    {"barriers.damage_width_nm", STZ_KEY_FLOAT, "nm", "5.0", .min = 0, .min_open = true, NO_MAX,
     AT(barriers.damage.width_nm), .used_with = "barriers.damage_shape=slab|sphere",
     .description = "Thickness of the slab, diameter of the sphere"},
    {"barriers.damage_share", STZ_KEY_FLOAT, "1", "0.01", .min = 0, .max = 1, AT(barriers.damage.share),
     .used_with = "barriers.damage_shape=random", .description = "Random damage: probability that a voxel has it"},
    {"barriers.damage_file", STZ_KEY_TEXT, "", "\"\"", AT(given[STZ_GIVEN_DAMAGE].file),
     .used_with = "barriers.damage_shape=file",
     .description = "With `damage_shape = \"file\"`: HDF5 file with the damage of each voxel, from 0 to `saturation`; "
                    "a path relative to the input"},
    {"barriers.damage_dataset", STZ_KEY_TEXT, "", "\"/damage\"", AT(given[STZ_GIVEN_DAMAGE].dataset),
     .used_with = "barriers.damage_shape=file",
     .description = "Dataset in that file, nx × ny × nz values, or in the order of axes that it declares"},
    {"barriers.recovery_rate_per_s", STZ_KEY_FLOAT, "1/s", "0.0", .min = 0, .max = 1e18,
     AT(barriers.recovery_rate_per_s), .description = "Attempt rate of the recovery of damage; 0: damage stays"},
    {"barriers.recovery_eV", STZ_KEY_FLOAT, "eV", "0.0", .min = 0, .max = 20, AT(barriers.recovery_eV),
     .used_with = "barriers.recovery_rate_per_s", .description = "Barrier of the recovery of damage"},
    {"barriers.redraw", STZ_KEY_NAME, "", "\"stz\"", .names = "stz|centre|none", AT(barriers.redraw),
     .description = "What an event draws again: the noise over the STZ's footprint, that of its centre voxel alone, or "
                    "nothing (barrier and orientation kept)"},

    {"microstructure.type", STZ_KEY_NAME, "", "\"random-waves\"",
     .names = "random-waves|cahn-hilliard|layers|file|uniform", AT(micro.type),
     .description = "`random-waves`: a Gaussian random field (spinodal-like). `cahn-hilliard`: a quench by "
                    "Cahn–Hilliard dynamics. `layers`: alternating flat layers. `file`: a field from a file. "
                    "`uniform`: uniform composition (g = 0)"},
    {"microstructure.profile", STZ_KEY_NAME, "", "\"smooth\"", .names = "smooth|cut", AT(micro.profile),
     .description = "g = tanh(sharpness f), or g = ±1 by the sign of f, f the structure field. Not for a `file`"},
    {"microstructure.wavelength_nm", STZ_KEY_FLOAT, "nm", "2.5", .min = 0, .min_open = true, NO_MAX,
     AT(micro.wavelength_nm), .used_with = "microstructure.type=random-waves|cahn-hilliard",
     .description = "Wavelength λ of the random waves; length from the radial spectrum at which Cahn–Hilliard stops"},
    {"microstructure.bandwidth", STZ_KEY_FLOAT, "1", "0.12", .min = 0, .min_open = true, .max = 0.5,
     AT(micro.bandwidth), .used_with = "microstructure.type=random-waves",
     .description = "Half width of the random waves' shell of wave numbers about 2π/λ, relative"},
    {"microstructure.layer_axis", STZ_KEY_NAME, "", "\"z\"", .names = "x|y|z", AT(micro.layer_axis),
     .used_with = "microstructure.type=layers", .description = "Axis along which layers alternate"},
    {"microstructure.layer_period_nm", STZ_KEY_FLOAT, "nm", "5.0", .min = 0, .min_open = true, NO_MAX,
     AT(micro.layer_period_nm), .used_with = "microstructure.type=layers",
     .description = "Thickness of a Ni-rich and a Zr-rich layer together; the box must hold a whole number of them, "
                    "but for the thickness z of a film"},
    {"microstructure.layer_rich_share", STZ_KEY_FLOAT, "1", "0.5", .min = 0, .min_open = true, .max = 1,
     .max_open = true, AT(micro.layer_rich_share), .used_with = "microstructure.type=layers",
     .description = "Fraction of the period that is Ni-rich"},
    {"microstructure.file", STZ_KEY_TEXT, "", "\"\"", AT(given[STZ_GIVEN_MICRO].file),
     .used_with = "microstructure.type=file",
     .description = "HDF5 file with the atomic fraction of Ni, or the phase, of each voxel, a path relative to the "
                    "input; such as a result, or what `stz-post field` makes of other formats"},
    {"microstructure.dataset", STZ_KEY_TEXT, "", "\"/microstructure/composition\"", AT(given[STZ_GIVEN_MICRO].dataset),
     .used_with = "microstructure.type=file",
     .description = "Dataset in that file, nx × ny × nz values from 0 to 1 (in that order or as `axes` has it)"},
    {"microstructure.axes", STZ_KEY_NAME, "", "\"declared\"", .names = "declared|xyz|xzy|yxz|yzx|zxy|zyx",
     AT(micro.axes), .used_with = "microstructure.type=file",
     .description = "Order of the axes of a `file`'s dataset, the slowest index first. The default takes what its "
                    "labels or scales declare, z y x in images of VTK, else x y z"},
    {"microstructure.values", STZ_KEY_NAME, "", "\"auto\"", .names = "auto|nickel|phases", AT(micro.values),
     .used_with = "microstructure.type=file",
     .description =
         "What the values of a `file` are: `nickel`, atomic fractions of Ni; `phases`, 0 for the Zr-rich and "
         "1 for the Ni-rich phase, so that g = ±1. `auto`: `phases` where 0 and 1 are the only values, else "
         "`nickel`"},
    {"microstructure.nickel_fraction", STZ_KEY_FLOAT, "1", "0.35", .min = 0, .max = 1, AT(micro.nickel_fraction),
     .description = "Mean atomic fraction of Ni; of `cut` random waves and of Cahn–Hilliard also the volume fraction "
                    "of Ni-rich domains; of a `file` the fraction where g = 0"},
    {"microstructure.nickel_amplitude", STZ_KEY_FLOAT, "1", "0.15", .min = 0, .max = 1, AT(micro.nickel_amplitude),
     .description =
         "Composition is nickel_fraction + nickel_amplitude g, kept in [0, 1]; the mean of g is subtracted first, "
         "except for smooth random waves; of a `file`, g follows from the composition by this relation"},
    {"microstructure.sharpness", STZ_KEY_FLOAT, "1", "1.5", .min = 0, .min_open = true, .max = 100, AT(micro.sharpness),
     .description = "Steepness of the smooth profile"},
    {"microstructure.control", STZ_KEY_NAME, "", "\"none\"",
     .names = "none|shuffled|equal-histogram|frozen|random-phases", AT(micro.control),
     .description = "`shuffled`: the same values, permuted voxel by voxel, so that no domains are left. "
                    "`equal-histogram`: a uniform glass whose barriers are distributed as those of the structured one. "
                    "`frozen`: the same for the barriers without noise, correlated over an STZ and never drawn again. "
                    "`random-phases`: a Gaussian field with the spectrum of g, without interfaces"},

    {"order.bragg_fraction", STZ_KEY_FLOAT, "1", "0.6", .min = 0, .max = 1, .max_open = true, AT(order.bragg_fraction),
     .description = "Fraction of NBED patterns with Bragg reflections as deposited; it fixes the density of clusters, "
                    "together with `acceptance` and the geometry in `nbed`"},
    {"order.acceptance", STZ_KEY_FLOAT, "1", "0.1", .min = 0, .min_open = true, .max = 1, AT(order.acceptance),
     .description = "Fraction of clusters that are oriented for Bragg reflection"},
    {"order.cluster_radius_nm", STZ_KEY_FLOAT, "nm", "0.5", .min = 0, .min_open = true, .max = 5,
     AT(order.cluster_radius_nm), .description = "Radius R of a cluster"},
    {"order.loss", STZ_KEY_FLOAT, "1", "0.6", .min = 0, .max = 1, AT(order.loss),
     .description = "Probability d that an event takes the order of a cluster whose centre lies within the sphere Ω"},

    {"protocol[].type", STZ_KEY_NAME, "", NULL, .names = STZ_SEGMENT_NAMES, IN_SEGMENT(type), .used_by = EVERY,
     .needed_by = EVERY,
     .description =
         "`strain-rate`: the strain grows steadily. `relaxation`: strain held. `creep`: stress held. `actuator`: a "
         "spring in series that contracts (the on-chip test). `rate-jump`: the strain grows at several rates by turns. "
         "`unload`: the strain moves until a stress is reached. `cyclic`: to and fro. `mixed`: each component by its "
         "strain or by its stress. `age`: no stress"},
    {"protocol[].mode", STZ_KEY_NAME, "", "\"uniaxial\"", .names = "uniaxial|shear", IN_SEGMENT(mode),
     .used_by = DRIVEN,
     .description = "The component that the segment's strain and stress mean. `uniaxial`: xx, all other stresses zero. "
                    "`shear`: simple "
                    "shear, the tensor component xy (half the engineering shear), all other strains held"},
    {"protocol[].temperature_K", STZ_KEY_FLOAT, "K", "295.0", .min = 1, .max = 2000, IN_SEGMENT(temperature_K),
     .used_by = EVERY, .description = "Temperature, at the start if it changes"},
    {"protocol[].temperature_end_K", STZ_KEY_FLOAT, "K", NULL, .min = 1, .max = 2000, IN_SEGMENT(temperature_end_K),
     .used_by = EVERY,
     .description = "Temperature after `duration_s`, reached linearly (actuator: from the end of release on); without "
                    "it, the temperature is constant"},
    {"protocol[].rate_per_s", STZ_KEY_FLOAT, "1/s", NULL, .min = 1e-20, .max = 1e12, IN_SEGMENT(rate_per_s),
     .used_by = RATE | UNLOAD | CYCLIC, .needed_by = RATE | UNLOAD | CYCLIC,
     .description = "Rate of the strain; the sign follows from the segment for unload and cyclic"},
    {"protocol[].rates_per_s", STZ_KEY_LIST, "1/s", NULL, .min = 1e-20, .max = 1e12, IN_SEGMENT(rates_per_s),
     .used_by = JUMP, .needed_by = JUMP,
     .description = "Rates of the strain, one after the other and from the first again"},
    {"protocol[].strain_each", STZ_KEY_FLOAT, "1", NULL, .min = 1e-6, .max = 1, IN_SEGMENT(strain_each),
     .used_by = JUMP, .needed_by = JUMP, .description = "Strain between one jump of the rate and the next"},
    {"protocol[].turn_strains", STZ_KEY_LIST, "1", NULL, .min = -1, .max = 1, .count = 2, IN_SEGMENT(turn_strains),
     .used_by = CYCLIC,
     .description = "A cycle goes to the first of these strains and then to the second; either these or "
                    "`turn_stresses_GPa`"},
    {"protocol[].turn_stresses_GPa", STZ_KEY_LIST, "GPa", NULL, .min = -100, .max = 100, .count = 2,
     IN_SEGMENT(turn_stresses_GPa), .used_by = CYCLIC,
     .description = "The same by stresses; they must lie within the flow stress, or the cycle never turns"},
    {"protocol[].cycles", STZ_KEY_INT, "1", NULL, .min = 1, .max = 1000000, IN_SEGMENT(cycles), .used_by = CYCLIC,
     .needed_by = CYCLIC, .description = "End: number of cycles"},
    {"protocol[].control", STZ_KEY_LIST, "", NULL, .names = "strain|stress", .count = 6, IN_SEGMENT(control),
     .used_by = MIXED, .needed_by = MIXED,
     .description = "Whether the strain or the stress of each component xx, yy, zz, yz, xz, xy is imposed, starting "
                    "from its value at the start of the segment"},
    {"protocol[].strain_rates_per_s", STZ_KEY_LIST, "1/s", "[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]", .min = -1e12, .max = 1e12,
     .count = 6, IN_SEGMENT(strain_rates_per_s), .used_by = MIXED,
     .description = "Rates of the strains that are imposed (tensor components); 0 for the others"},
    {"protocol[].stress_rates_GPa_per_s", STZ_KEY_LIST, "GPa/s", "[0.0, 0.0, 0.0, 0.0, 0.0, 0.0]", .min = -1e15,
     .max = 1e15, .count = 6, IN_SEGMENT(stress_rates_GPa_per_s), .used_by = MIXED,
     .description = "Rates of the stresses that are imposed; 0 for the others"},
    {"protocol[].stress_GPa", STZ_KEY_FLOAT, "GPa", NULL, .min = -100, .max = 100, IN_SEGMENT(stress_GPa),
     .used_by = CREEP,
     .description = "Stress, set at once; without it, the stress at the start of the segment is held"},
    {"protocol[].stiffness_GPa", STZ_KEY_FLOAT, "GPa", NULL, .min = 1e-9, .max = 1e9, IN_SEGMENT(stiffness_GPa),
     .used_by = ACTUATOR, .needed_by = ACTUATOR,
     .description = "Stiffness S_a = E_a A_a L_s/(A_s L_a) of the actuator (a) on the scale of the specimen (s)"},
    {"protocol[].geometry", STZ_KEY_NAME, "", "\"finite\"", .names = "small|finite", IN_SEGMENT(geometry),
     .used_by = ACTUATOR,
     .description =
         "Length and area of the specimen in its balance with the actuator. `finite`: as they are, so that the "
         "actuator is stiffer to true stress and logarithmic strain the longer and thinner the specimen is (by 27 % at "
         "14.5 %). `small`: as they were at the start, for comparison with theories of small strains. No difference "
         "in mode `shear`, which changes neither"},
    {"protocol[].mismatch_strain", STZ_KEY_FLOAT, "1", NULL, .min = 0, .min_open = true, .max = 1e6,
     IN_SEGMENT(mismatch_strain), .used_by = ACTUATOR, .needed_by = ACTUATOR,
     .description = "Free contraction of the actuator over the specimen's length"},
    {"protocol[].release_s", STZ_KEY_FLOAT, "s", "60.0", .min = 1e-15, .max = 1e18, IN_SEGMENT(release_s),
     .used_by = ACTUATOR, .description = "Duration of the release, a linear ramp of the contraction"},
    {"protocol[].duration_s", STZ_KEY_FLOAT, "s", NULL, .min = 1e-15, .max = 1e18, IN_SEGMENT(duration_s),
     .used_by = EVERY, .needed_by = MIXED,
     .description = "End: time since the segment's begin (actuator: since the end of release)"},
    {"protocol[].until_strain", STZ_KEY_FLOAT, "1", NULL, .min = -1, .max = 1, IN_SEGMENT(until_strain),
     .used_by = RATE | CREEP | ACTUATOR | JUMP, .description = "End: total strain"},
    {"protocol[].until_stress_GPa", STZ_KEY_FLOAT, "GPa", NULL, .min = -100, .max = 100, IN_SEGMENT(until_stress_GPa),
     .used_by = RATE | HOLD | ACTUATOR | JUMP | UNLOAD, .description = "End: stress; unload: 0 without it"},

    {"kmc.engine", STZ_KEY_NAME, "", "\"auto\"", .names = STZ_ENGINE_NAMES, AT(kmc.engine),
     .description =
         "`direct`: residence-time (BKL) algorithm, every rate is computed again after each event. `multilevel`: "
         "rejection kinetic Monte Carlo, at a cost per event that hardly grows with the box (one rank, boxes of at "
         "least 32 cells per axis, films along x and y). `points`: as `multilevel`, with events at keyed random "
         "points, so that no order of work changes them (in development). `auto`: `multilevel` where it can be, else "
         "`direct`"},
    {"kmc.tolerance", STZ_KEY_FLOAT, "MPa", "1.2", .min = 0.05, .max = 10, AT(kmc.tolerance_MPa),
     .description =
         "multilevel and points: rms error of the local stress (norm of the deviator) at which the stress "
         "of all sites is computed again. At 1.0 the distribution of the next event is within about 0.005 of "
         "the exact one (total variation); the error is proportional to this key"},

    {"output.history_points_per_decade", STZ_KEY_INT, "1", "20", .min = 1, .max = 10000, AT(history.points_per_decade),
     .description = "Rows of the history per decade of a segment's time"},
    {"output.history_strain_step", STZ_KEY_FLOAT, "1", "0.0005", .min = 1e-6, .max = 1, AT(history.strain_step),
     .description = "Largest change of the driven strain between two rows of the history"},
    {"output.nbed_strains", STZ_KEY_LEVELS, "1", "[ ]", .min = 0, .max = 1, AT(nbed_strains),
     .description = "Axial strains at which NBED scans are taken when first reached, ascending; 0.0 is as deposited"},
    {"output.snapshots", STZ_KEY_BOOL, "", "false", AT(snapshots),
     .description = "Whether fields of the sample are written to VTKHDF files beside the result, for ParaView and VTK"},
    {"output.snapshot_strains", STZ_KEY_LEVELS, "1", "[ ]", .min = 0, .max = 1, AT(snapshot_strains),
     .description = "Axial strains at which snapshots are taken when first reached, ascending. Empty: those of "
                    "`nbed_strains`"},
    {"output.events", STZ_KEY_BOOL, "", "false", AT(events),
     .description = "Whether every event is written into the table `/events` of the result, 36 bytes each"},
    {"output.statistics_strains", STZ_KEY_LEVELS, "1", "[ ]", .min = 0, .max = 1, AT(statistics_strains),
     .description =
         "Axial strains at which the autocorrelation of plastic strain and the distributions of barriers and "
         "stresses are taken when first reached, ascending. Empty: those of `nbed_strains`"},
    {"output.avalanches", STZ_KEY_BOOL, "", "false", AT(avalanches),
     .description = "Whether events are clustered into avalanches, in the table `/avalanches` of the result"},

    {"nbed.foil_nm", STZ_KEY_FLOAT, "nm", "15.0", .min = 0, .min_open = true, NO_MAX, AT(nbed.foil_nm),
     .description = "Thickness of the foil; at most the box along the beam, which a thinner box has by default"},
    {"nbed.probe_nm", STZ_KEY_FLOAT, "nm", "0.4", .min = 0, .min_open = true, .max = 10, AT(nbed.probe_nm),
     .description = "Diameter of the probe, and step of its 10 × 10 grid"},
    {"nbed.scans", STZ_KEY_INT, "1", "8", .min = 1, .max = 1000, AT(nbed.scans),
     .description = "Scans per strain level"},
    {"nbed.beam", STZ_KEY_NAME, "", "\"z\"", .names = "x|y|z", AT(nbed.beam), .description = "Axis of the beam"},

    {"avalanches.window", STZ_KEY_FLOAT, "1", "0.1", .min = 0, .min_open = true, .max = 100, AT(avalanche.window),
     .used_with = "output.avalanches",
     .description = "Time after an event within which another belongs to its avalanche, as a fraction of the mean time "
                    "between events within `reach_nm` of it: the number of events that follow it by chance"},
    {"avalanches.reach_nm", STZ_KEY_FLOAT, "nm", "2.5", .min = 0, .min_open = true, NO_MAX, AT(avalanche.reach_nm),
     .used_with = "output.avalanches",
     .description = "Distance from an event within which another belongs to its avalanche"},

    {"run.checkpoint_every_wall_s", STZ_KEY_FLOAT, "s", "600.0", .min = 0, NO_MAX, AT(checkpoint_every_wall_s),
     .description = "Wall time between checkpoints; 0: none but when the run is stopped early"},
    {"run.seed", STZ_KEY_INT64, "1", "1", .min = 0, NO_MAX, AT(seed),
     .description = "Seed of all random streams, below 2⁶³"},
};
const int stz_schema_count = sizeof stz_schema / sizeof *stz_schema;

// Turns "protocol[12].x" into "protocol[].x" and reports the 12 (-1 if there is no index).
static void pattern_of(const char *path, char *pattern, size_t size, int *segment) {
  static const char list[] = "protocol[";
  *segment = -1;
  snprintf(pattern, size, "%s", path);
  if (strncmp(path, list, sizeof list - 1) != 0) return;
  const char *digits = path + sizeof list - 1;
  size_t count = strspn(digits, "0123456789");
  if (count == 0 || count > 6 || digits[count] != ']') return;
  *segment = atoi(digits);
  snprintf(pattern, size, "%s%s", list, digits + count);
}

const stz_key *stz_schema_find(const char *path, int *segment) {
  char pattern[STZ_TEXT_SIZE];
  pattern_of(path, pattern, sizeof pattern, segment);
  if (*segment < 0 && strchr(pattern, '[')) return NULL;
  for (int i = 0; i < stz_schema_count; i++) {
    if (strcmp(stz_schema[i].path, pattern) == 0) return &stz_schema[i];
  }
  return NULL;
}

bool stz_schema_is_group(const char *path) {
  char pattern[STZ_TEXT_SIZE];
  int segment;
  pattern_of(path, pattern, sizeof pattern, &segment);
  if (segment < 0 && strchr(pattern, '[')) return false;
  for (int i = 0; i < stz_key_group_count; i++) {
    if (pattern[0] && strcmp(stz_key_groups[i].name, pattern) == 0) return true;
  }
  return false;
}

const char *stz_key_name(const stz_key *key) {
  const char *dot = strchr(key->path, '.');
  return dot ? dot + 1 : key->path;
}

bool stz_key_in_group(const stz_key *key, const stz_key_group *group) {
  const char *dot = strchr(key->path, '.');
  const size_t length = dot ? (size_t)(dot - key->path) : 0;
  return strlen(group->name) == length && strncmp(group->name, key->path, length) == 0;
}

static const char *last_part(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot + 1 : path;
}

enum { TOO_FAR = 1000 };

// How far a known key or group is from what was given: the group may be forgotten or another one, or the unit; a key is
// no group. What has less than half in common is no guess.
static int distance_of(const char *given, const char *known) {
  const char *given_end = last_part(given), *known_end = last_part(known);
  const int length = (int)strlen(given), end_length = (int)strlen(given_end), known_length = (int)strlen(known);
  const int whole = stz_edit_distance(given, known), last = stz_edit_distance(given_end, known_end) + 1;
  int distance = TOO_FAR;
  if (whole <= (length + 1) / 2) distance = whole;
  if (last <= end_length / 2 + 1 && last < distance) distance = last;
  if (end_length > 2 && distance > 2 && strncmp(given_end, known_end, (size_t)end_length) == 0) distance = 2;
  if (strchr(known, '.') && strncmp(given, known, (size_t)known_length) == 0 && given[known_length] == '.') return 0;
  return distance;
}

void stz_schema_nearest(const char *path, char *nearest, size_t size) {
  char pattern[STZ_TEXT_SIZE];
  int segment, best = TOO_FAR;
  const char *found = "";
  pattern_of(path, pattern, sizeof pattern, &segment);
  for (int i = -1; i < stz_schema_count + stz_key_group_count; i++) {
    const int group = i - stz_schema_count;
    const char *known = i < 0 ? "protocol" : group < 0 ? stz_schema[i].path : stz_key_groups[group].name;
    const int distance = known[0] ? distance_of(pattern, known) : best;
    if (distance >= best) continue;
    best = distance;
    found = known;
  }
  const char *bracket = strstr(found, "[]");
  if (bracket) {
    snprintf(nearest, size, "%.*s[%d]%s", (int)(bracket - found), found, segment > 0 ? segment : 0, bracket + 2);
  } else {
    snprintf(nearest, size, "%s", found);
  }
}

void stz_format_double(double value, bool point, char text[32]) {
  int length = 0;
  for (int digits = 6; digits <= 17; digits++) {
    length = snprintf(text, 32, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  if (point && !strpbrk(text, ".en")) snprintf(text + length, 32 - (size_t)length, ".0");
}

void stz_one_line(const char *text, char *line, size_t size) {
  snprintf(line, size, "%s", text);
  stz_make_line(line);
  if (strlen(text) >= size) memcpy(line + size - 4, "...", 4);
}

int stz_key_name_index(const stz_key *key, const char *name) {
  char allowed[STZ_TEXT_SIZE];
  for (int i = 0;; i++) {
    stz_key_name_at(key, i, allowed, sizeof allowed);
    if (!allowed[0]) return -1;
    if (strcmp(allowed, name) == 0) return i;
  }
}

void stz_key_name_at(const stz_key *key, int index, char *name, size_t size) {
  const char *start = key->names;
  for (; index > 0 && start; index--) {
    start = strchr(start, '|');
    if (start) start++;
  }
  snprintf(name, size, "%.*s", start ? (int)strcspn(start, "|") : 0, start ? start : "");
}

void stz_key_range(const stz_key *key, char *text, size_t size) {
  const bool low = isfinite(key->min), high = isfinite(key->max);
  char min[32], max[32];
  stz_format_double(key->min, false, min);
  stz_format_double(key->max, false, max);
  text[0] = 0;
  if (low) snprintf(text, size, "%s %s", key->min_open ? ">" : ">=", min);
  const size_t length = strlen(text);
  if (high) snprintf(text + length, size - length, "%s%s %s", low ? " and " : "", key->max_open ? "<" : "<=", max);
}

static void list_names(const stz_key *key, char *text, size_t size) {
  text[0] = 0;
  for (const char *name = key->names; *name;) {
    const int length = (int)strcspn(name, "|");
    const char *rest = name + length + (name[length] == '|');
    const char *joint = name == key->names ? "" : strchr(name, '|') ? ", " : " or ";
    snprintf(text + strlen(text), size - strlen(text), "%s\"%.*s\"", joint, length, name);
    name = rest;
  }
}

void stz_key_needs(const stz_key *key, char *text, size_t size) {
  static const char *const what[] = {
      [STZ_KEY_FLOAT] = "a number",
      [STZ_KEY_INT] = "an integer",
      [STZ_KEY_INT64] = "an integer",
      [STZ_KEY_BOOL] = "true or false",
      [STZ_KEY_TEXT] = "a text in quotes of less than 256 characters",
      [STZ_KEY_CELLS] = "three multiples of 8 [nx, ny, nz]",
      [STZ_KEY_LEVELS] = "numbers [e1, e2, ...] in ascending order",
      [STZ_KEY_AXES] = "six numbers per mode [sx, sy, sz, nx, ny, nz, ...], 15 modes at most",
      [STZ_KEY_LIST] = "",
  };
  char range[64] = "", list[64] = "";
  if (key->type == STZ_KEY_LIST) {
    char most[16];
    snprintf(most, sizeof most, key->count ? "%d" : "2 to %d", key->count ? key->count : STZ_LIST_SIZE);
    snprintf(list, sizeof list, "a list of %s %s", most, key->names ? "words" : "numbers");
  }
  if (key->type == STZ_KEY_LIST && key->names) {
    char names[128];
    list_names(key, names, sizeof names);
    snprintf(text, size, "%s, each %s", list, names);
    return;
  }
  if (key->type == STZ_KEY_NAME) {
    list_names(key, text, size);
    return;
  }
  const bool ranged = key->type != STZ_KEY_BOOL && key->type != STZ_KEY_TEXT && key->type != STZ_KEY_AXES;
  if (ranged) stz_key_range(key, range, sizeof range);
  const bool several = key->type == STZ_KEY_CELLS || key->type == STZ_KEY_LEVELS || key->type == STZ_KEY_LIST;
  snprintf(text, size, "%s%s%s%s", what[key->type], list, range[0] ? (several ? ", each " : " ") : "", range);
}
