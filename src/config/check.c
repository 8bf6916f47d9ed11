// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checks that one value alone cannot answer: of the sample, the material and what is measured; those of the protocol
// are in protocol.c.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/damage.h"
#include "config/film.h"
#include "config/moduli.h"
#include "config/protocol.h"
#include "config/violation.h"

static double shortest_edge(const stz_lattice_params *lattice) {
  int cells = lattice->cells[0];
  for (int axis = 1; axis < 3; axis++) cells = lattice->cells[axis] < cells ? lattice->cells[axis] : cells;
  return cells * lattice->spacing_nm;
}

// The wavelength next to `wavelength` among the waves of the periodic box.
static double nearest_wavelength(const stz_lattice_params *lattice, double wavelength) {
  double nearest = INFINITY;
  int most[3];
  for (int axis = 0; axis < 3; axis++) most[axis] = (int)(lattice->cells[axis] * lattice->spacing_nm / wavelength) + 1;
  for (int x = 0; x <= most[0]; x++) {
    for (int y = 0; y <= most[1]; y++) {
      for (int z = x + y == 0; z <= most[2]; z++) {
        const double w[3] = {(double)x / lattice->cells[0], (double)y / lattice->cells[1],
                             (double)z / lattice->cells[2]};
        const double k = sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]) / lattice->spacing_nm;
        if (fabs(k - 1.0 / wavelength) < fabs(1.0 / nearest - 1.0 / wavelength)) nearest = 1.0 / k;
      }
    }
  }
  return nearest;
}

// The lattice must resolve the waves, and the box hold some of them.
static stz_err check_waves(const stz_config_builder *builder) {
  const stz_micro_params *micro = &builder->config->micro;
  const stz_lattice_params *lattice = &builder->config->lattice;
  const double wavelength = micro->wavelength_nm;
  const double shortest = 2.0 * lattice->spacing_nm * (1.0 + micro->bandwidth);
  if (wavelength <= shortest) {
    return stz_violated(builder, -1, "microstructure.wavelength_nm", "> %.4g, 2 spacing_nm (1 + bandwidth)", shortest);
  }
  const double nearest = nearest_wavelength(lattice, wavelength);
  if (fabs(wavelength / nearest - 1.0) > micro->bandwidth) {
    return stz_violated(builder, -1, "microstructure.wavelength_nm",
                        "a wave of the periodic box within bandwidth = %g of it; the nearest is %.4g", micro->bandwidth,
                        nearest);
  }
  return STZ_OK;
}

// The quench needs room for several of its lengths, and a composition that demixes by itself.
static stz_err check_quench(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double wavelength = config->micro.wavelength_nm, nickel = config->micro.nickel_fraction;
  const stz_lattice_params box = stz_config_structure_box(config);
  const double shortest = 3.0 * box.spacing_nm, longest = shortest_edge(&box) / 3.0;
  if (wavelength <= shortest || wavelength > longest) {
    return stz_violated(builder, -1, "microstructure.wavelength_nm",
                        "> %.4g, 3 spacing_nm, and <= %.4g, a third of the box, with type = \"cahn-hilliard\"",
                        shortest, longest);
  }
  if (nickel < 0.3 || nickel > 0.7) {
    return stz_violated(builder, -1, "microstructure.nickel_fraction",
                        "0.3 to 0.7 with type = \"cahn-hilliard\": beyond, a quench gives droplets");
  }
  return STZ_OK;
}

// A whole number of periods fits the box, but for the thickness of a film, and each layer is a voxel thick.
static stz_err check_layers(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const stz_micro_params *micro = &config->micro;
  const double a = config->lattice.spacing_nm, edge = config->lattice.cells[micro->layer_axis] * a;
  const double period = micro->layer_period_nm, periods = fmax(1.0, floor(edge / period + 0.5));
  const double thinner = fmin(micro->layer_rich_share, 1.0 - micro->layer_rich_share);
  const bool open = config->lattice.boundary == STZ_BOUNDARY_FILM && micro->layer_axis == 2;
  if (!open && fabs(period * periods / edge - 1.0) > 1e-3) {
    const double fewer = fmax(1.0, floor(edge / period));
    return stz_violated(builder, -1, "microstructure.layer_period_nm",
                        "a whole number of periods in the box's %.6g nm, e.g. %.4g", edge, edge / fewer);
  }
  if (thinner * (open ? period : edge / periods) < a * (1.0 - 1e-3)) {
    return stz_violated(builder, -1, "microstructure.layer_period_nm", ">= %.4g, for each layer to be a voxel thick",
                        a / thinner);
  }
  return STZ_OK;
}

static stz_err check_file(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  if (!config->given[STZ_GIVEN_MICRO].file[0]) {
    return stz_violated(builder, -1, "microstructure.file", "a file in HDF5 format with type = \"file\"");
  }
  if (config->micro.profile != STZ_PROFILE_SMOOTH) {
    return stz_violated(builder, -1, "microstructure.profile",
                        "\"smooth\" with type = \"file\", whose values are taken as "
                        "they are");
  }
  if (config->micro.nickel_amplitude == 0.0) {
    return stz_violated(builder, -1, "microstructure.nickel_amplitude", "> 0 with type = \"file\"");
  }
  return STZ_OK;
}

static stz_err check_microstructure(const stz_config_builder *builder) {
  switch (builder->config->micro.type) {
  case STZ_MICRO_RANDOM_WAVES:
    return check_waves(builder);
  case STZ_MICRO_CAHN_HILLIARD:
    return check_quench(builder);
  case STZ_MICRO_LAYERS:
    return check_layers(builder);
  case STZ_MICRO_FILE:
    return check_file(builder);
  case STZ_MICRO_UNIFORM:
    break;
  }
  return STZ_OK;
}

// An STZ is larger than a voxel, and fits into the box.
static stz_err check_volume(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double a = config->lattice.spacing_nm, edge = shortest_edge(&config->lattice);
  const double voxel = a * a * a, largest = pow(0.4 * edge, 3.0); // the redraw's footprint has radius 1.21 Omega^(1/3)
  if (config->stz.volume_nm3 <= voxel) {
    return stz_violated(builder, -1, "stz.volume_nm3", "> %.4g, the volume of a voxel", voxel);
  }
  if (config->stz.volume_nm3 > largest) {
    return stz_violated(builder, -1, "stz.volume_nm3", "<= %.4g, for its footprint to fit into the box", largest);
  }
  return STZ_OK;
}

// Keys that belong to one choice of another key, as tau_c to the cooperative law.
static stz_err check_only_with(const stz_config_builder *builder) {
  for (int i = 0; i < stz_schema_count; i++) {
    const stz_key *key = &stz_schema[i];
    const char *equals = key->only_with ? strchr(key->only_with, '=') : NULL;
    if (!equals) continue;
    char path[64], names[64], chosen[64];
    snprintf(path, sizeof path, "%.*s", (int)(equals - key->only_with), key->only_with);
    const stz_key *choice = stz_schema_find(path, &(int){0});
    const stz_key allowed = {.type = STZ_KEY_NAME, .names = equals + 1};
    stz_key_name_at(choice, *(const int *)((const char *)builder->config + choice->offset), chosen, sizeof chosen);
    const bool has = stz_key_name_index(&allowed, chosen) >= 0;
    const double value = *(const double *)((const char *)builder->config + key->offset);
    stz_key_needs(&allowed, names, sizeof names);
    if (has && value <= 0.0)
      return stz_violated(builder, -1, key->path, "> 0 with %s = %s", stz_key_name(choice), names);
    if (!has && value > 0.0) {
      return stz_violated(builder, -1, key->path, "to be left out, or 0: only %s = %s has it", stz_key_name(choice),
                          names);
    }
  }
  return STZ_OK;
}

// Directions and planes of shear modes that were given.
static stz_err check_modes(const stz_config_builder *builder) {
  static const char axes_key[] = "stz.mode_axes";
  const stz_catalogue *catalogue = &builder->config->stz.catalogue;
  const char *modes = builder->config->modes;
  if (strcmp(modes, "axes") != 0) {
    if (catalogue->count == 0) return STZ_OK;
    return stz_violated(builder, -1, "stz.modes", "\"axes\", as there are mode_axes");
  }
  if (catalogue->count == 0) return stz_violated(builder, -1, axes_key, "at least one mode with modes = \"axes\"");
  for (int m = 0; m < catalogue->count; m++) {
    const double *s = catalogue->axes[m], *n = s + 3;
    const double ss = s[0] * s[0] + s[1] * s[1] + s[2] * s[2], nn = n[0] * n[0] + n[1] * n[1] + n[2] * n[2];
    const double sn = s[0] * n[0] + s[1] * n[1] + s[2] * n[2];
    if (!(ss > 0.0 && nn > 0.0 && isfinite(ss * nn))) {
      return stz_violated(builder, -1, axes_key, "directions; mode %d, counted from 0, has none", m);
    }
    if (fabs(sn) > 1e-6 * sqrt(ss * nn)) {
      return stz_violated(builder, -1, axes_key,
                          "planes that hold their direction; that of mode %d, counted from 0, is %.3g "
                          "degrees off",
                          m, fabs(asin(fmin(1.0, fabs(sn) / sqrt(ss * nn)))) * 180.0 / acos(-1.0));
    }
  }
  return STZ_OK;
}

static stz_err check_damage(const stz_config_builder *builder) {
  char needs[STZ_TEXT_SIZE];
  const char *key = stz_damage_limits(builder->config, needs, sizeof needs);
  return key ? stz_violated(builder, -1, key, "%s", needs) : STZ_OK;
}

static stz_err check_moduli(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  char needs[STZ_TEXT_SIZE];
  int segment;
  const char *key = stz_moduli_limits(config, &segment, needs, sizeof needs);
  if (key) return stz_violated(builder, segment, key, "%s", needs);
  config->barriers.modulus_eV =
      config->barriers.modulus_scaling * config->barriers.mean_eV * 0.5 * config->elastic.contrast;
  return STZ_OK;
}

static stz_err check_material(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  STZ_TRY(check_only_with(builder));
  STZ_TRY(check_modes(builder));
  if (config->barriers.recovery_rate_per_s > 0.0 && config->barriers.softening_eV <= 0.0) {
    return stz_violated(builder, -1, "barriers.recovery_rate_per_s",
                        "softening_eV > 0, or there is no damage to recover");
  }
  STZ_TRY(check_damage(builder));
  STZ_TRY(check_moduli(builder));
  if (config->barriers.floor_eV > config->barriers.mean_eV) {
    return stz_violated(builder, -1, "barriers.floor_eV", "<= %g, the mean_eV", config->barriers.mean_eV);
  }
  const double nickel = config->micro.nickel_fraction;
  if (config->micro.type == STZ_MICRO_RANDOM_WAVES && config->micro.profile == STZ_PROFILE_CUT &&
      !(nickel > 0.0 && nickel < 1.0)) {
    return stz_violated(builder, -1, "microstructure.nickel_fraction", "> 0 and < 1 with profile = \"cut\"");
  }
  return STZ_OK;
}

// The foil, a scan and what a probe sees must fit into the box, if there are scans at all.
static stz_err check_nbed(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  stz_nbed_params *nbed = &config->nbed;
  if (config->nbed_strains.count == 0) return STZ_OK;
  double box[3];
  for (int axis = 0; axis < 3; axis++) box[axis] = config->lattice.cells[axis] * config->lattice.spacing_nm;
  const double thickness = box[nbed->beam], across[2] = {box[(nbed->beam + 1) % 3], box[(nbed->beam + 2) % 3]},
               width = fmin(across[0], across[1]);
  const double rounding = 1.0 + 1e-9; // so that a foil of 9.28 nm fits 16 voxels of 0.58 nm
  int none;
  const stz_origin *foil = stz_builder_origin(builder, stz_schema_find("nbed.foil_nm", &none), -1);
  if (foil->layer == STZ_LAYER_DEFAULT) nbed->foil_nm = fmin(nbed->foil_nm, thickness);
  if (nbed->foil_nm > thickness * rounding) {
    return stz_violated(builder, -1, "nbed.foil_nm", "<= %.10g, the box along the beam", thickness);
  }
  if (10.0 * nbed->probe_nm > width * rounding) {
    return stz_violated(builder, -1, "nbed.probe_nm", "<= %.4g, for a scan of 10 x 10 probes to fit into the box",
                        width / 10.0);
  }
  const double finest = sqrt(across[0] * across[1] / STZ_NBED_PROBES);
  if (nbed->probe_nm < finest) {
    return stz_violated(builder, -1, "nbed.probe_nm", ">= %.4g, for at most %d probes side by side in the box",
                        1.001 * finest, STZ_NBED_PROBES);
  }
  const double largest = 0.5 * (width - nbed->probe_nm);
  if (config->order.cluster_radius_nm > largest) {
    return stz_violated(builder, -1, "order.cluster_radius_nm", "<= %.4g, half the box less the probe's", largest);
  }
  return STZ_OK;
}

static stz_err check_clusters(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double a = config->lattice.spacing_nm;
  const double clusters = stz_order_density(&config->order, config->nbed.foil_nm, config->nbed.probe_nm) * a * a * a;
  if (clusters <= STZ_MOST_CLUSTERS) return STZ_OK;
  return stz_violated(builder, -1, "order.acceptance", ">= %.3g, for at most %g clusters per voxel",
                      1.01 * config->order.acceptance * clusters / STZ_MOST_CLUSTERS, STZ_MOST_CLUSTERS);
}

// "auto" is replaced by what the box allows, by nothing else, so that the same input has the same trajectory on any
// number of ranks.
static stz_err check_engine(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  config->engine_auto = config->kmc.engine == STZ_ENGINE_AUTO;
  const bool film = config->lattice.boundary == STZ_BOUNDARY_FILM;
  if (config->engine_auto) config->kmc.engine = stz_engine_for(config->lattice.cells, film);
  if (stz_engine_fits(config->kmc.engine, config->lattice.cells, film)) return STZ_OK;
  const stz_engine_needs needs = stz_engine_needs_of(config->kmc.engine);
  return stz_violated(builder, -1, "lattice.cells", "at least %d %s with kmc.engine = \"%s\"", needs.least,
                      film ? "along x and y" : "per axis", needs.name);
}

// Snapshots need strains at which to take them.
static stz_err check_snapshots(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  if (!config->snapshots || config->snapshot_strains.count > 0 || config->nbed_strains.count > 0) return STZ_OK;
  return stz_violated(builder, -1, "output.snapshot_strains", "strains with snapshots = true, here or in nbed_strains");
}

// Engines number the sites, and what belongs to them, in 32 bits.
static stz_err check_sites(const stz_config_builder *builder) {
  enum { MOST = 512 * 512 * 512 };
  const int *n = builder->config->lattice.cells;
  if ((double)n[0] * n[1] * n[2] <= MOST) return STZ_OK;
  return stz_violated(builder, -1, "lattice.cells", "at most %d voxels in all (512 x 512 x 512)", (int)MOST);
}

static stz_err check_boundary(const stz_config_builder *builder) {
  char needs[STZ_TEXT_SIZE];
  int segment;
  const char *key = stz_film_limits(builder->config, &segment, needs, sizeof needs);
  return key ? stz_violated(builder, segment, key, "%s", needs) : STZ_OK;
}

stz_err stz_builder_check(stz_config_builder *builder) {
  if (!stz_is_given(builder, -1, "lattice.cells")) {
    char needs[STZ_TEXT_SIZE];
    int none;
    stz_key_needs(stz_schema_find("lattice.cells", &none), needs, sizeof needs);
    return stz_violated(builder, -1, "lattice.cells", "%s", needs);
  }
  if (builder->config->segments == 0) {
    return stz_fail(STZ_EINPUT, "%s: protocol: got nothing, needs a list of segments ( { type = ...; }, ... )",
                    builder->input_name);
  }
  STZ_TRY(check_sites(builder));
  STZ_TRY(check_boundary(builder));
  STZ_TRY(stz_protocol_check(builder));
  STZ_TRY(check_volume(builder));
  STZ_TRY(check_microstructure(builder));
  STZ_TRY(check_material(builder));
  STZ_TRY(check_snapshots(builder));
  STZ_TRY(check_engine(builder));
  STZ_TRY(check_nbed(builder));
  return check_clusters(builder);
}
