// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/contrast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "elastic/contrast_solve.h"

// Upper bounds of what the fields do.
static void find_bounds(stz_contrast *k) {
  for (int64_t i = 0; i < stz_grid_sites(k->grid); i++) {
    double norm2 = 0.0, press2 = 0.0;
    const int16_t *at = k->load + i / 8 * STZ_PACK + i % 8;
    for (int c = 0; c < 5 * 5; c++) norm2 += STZ_LOAD_STEP * at[8 * c] * STZ_LOAD_STEP * at[8 * c];
    for (int c = 25; c < 30; c++) press2 += STZ_LOAD_STEP * at[8 * c] * STZ_LOAD_STEP * at[8 * c];
    k->most_load = fmax(k->most_load, 1.0 + sqrt(norm2));
    k->most_press = fmax(k->most_press, sqrt(press2));
    k->most_dress = fmax(k->most_dress, (double)k->dress[i]);
  }
}

// The structure of all sites, on the first rank.
static stz_err gather(const stz_grid *grid, const float *structure, float *all) {
  const int ranks = stz_grid_ranks(grid);
  int *counts = NULL, *places = NULL;
  stz_err err = STZ_NEW(counts, ranks);
  if (err == STZ_OK) err = STZ_NEW(places, ranks);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err == STZ_OK) {
    const int mine[2] = {(int)stz_grid_local_sites(grid), (int)stz_grid_first_site(grid)};
    MPI_Gather(&mine[0], 1, MPI_INT, counts, 1, MPI_INT, 0, stz_grid_comm(grid));
    MPI_Gather(&mine[1], 1, MPI_INT, places, 1, MPI_INT, 0, stz_grid_comm(grid));
    MPI_Gatherv(structure, mine[0], MPI_FLOAT, all, counts, places, MPI_FLOAT, 0, stz_grid_comm(grid));
  }
  stz_free(counts);
  stz_free(places);
  return err;
}

static stz_err share(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params,
                     const float *structure) {
  const MPI_Comm comm = stz_grid_comm(k->grid);
  const int64_t sites = stz_grid_sites(k->grid);
  float *all = NULL;
  stz_err err = STZ_NEW(k->dress, sites);
  if (err == STZ_OK) err = STZ_NEW(k->load, sites / 8 * STZ_PACK);
  if (err == STZ_OK) err = STZ_NEW(k->kept, stz_grid_local_sites(k->grid) / 8);
  if (err == STZ_OK && stz_grid_rank(k->grid) == 0) err = STZ_NEW(all, sites);
  err = stz_agree(comm, err);
  if (err == STZ_OK) err = gather(k->grid, structure, all);
  if (err == STZ_OK) err = stz_stage(comm, "solving the elastic field of varying moduli");
  if (err == STZ_OK)
    err = stz_agree(comm, stz_grid_rank(k->grid) == 0 ? stz_contrast_solve(k, elastic, params, all) : STZ_OK);
  stz_free(all);
  STZ_TRY(err);
  MPI_Bcast(k->dress, (int)sites, MPI_FLOAT, 0, comm);
  MPI_Bcast(&k->effective, 1, MPI_DOUBLE, 0, comm);
  for (int64_t at = 0; at < sites / 8; at += 1 << 20) {
    const int64_t rows = sites / 8 - at < 1 << 20 ? sites / 8 - at : 1 << 20;
    MPI_Bcast(k->load + at * STZ_PACK, (int)(rows * STZ_PACK), MPI_INT16_T, 0, comm);
  }
  find_bounds(k);
  return STZ_OK;
}

stz_err stz_contrast_create(const stz_grid *grid, const stz_elastic *elastic, const stz_elastic_params *params,
                            const float *structure, stz_contrast **contrast) {
  stz_contrast *k = NULL;
  *contrast = NULL;
  assert(!stz_grid_film(grid) && (params->contrast_model != STZ_CONTRAST_EXACT || stz_grid_ranks(grid) == 1));
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(k, 1)));
  k->grid = grid;
  k->aimed = -1;
  const stz_err err = share(k, elastic, params, structure);
  if (err != STZ_OK) stz_contrast_destroy(&k);
  *contrast = k;
  return err;
}

void stz_contrast_destroy(stz_contrast **contrast) {
  if (!*contrast) return;
  stz_contrast_release(*contrast);
  stz_free((*contrast)->dress);
  stz_free((*contrast)->load);
  stz_free((*contrast)->kept);
  stz_free(*contrast);
  *contrast = NULL;
}

bool stz_contrast_exact(const stz_contrast *contrast) { return contrast && contrast->solving; }

int stz_contrast_terms(const stz_contrast *contrast) { return contrast->terms; }

double stz_contrast_scale(const stz_contrast *contrast) { return contrast->scale; }

double stz_contrast_effective(const stz_contrast *contrast) { return contrast->effective; }
double stz_contrast_most_dress(const stz_contrast *contrast) { return contrast->most_dress; }

float stz_contrast_dress(const stz_contrast *contrast, int64_t site) { return contrast->dress[site]; }

// Deviator and trace/sqrt3.
static void split(const double tensor[6], double parts[STZ_COLUMNS]) {
  stz_dev_from_sym(tensor, parts);
  parts[5] = (tensor[STZ_XX] + tensor[STZ_YY] + tensor[STZ_ZZ]) / sqrt(3.0);
}

double stz_contrast_most(const stz_contrast *contrast, const double mean[6]) {
  double m[STZ_COLUMNS], norm2 = 0.0;
  split(mean, m);
  for (int c = 0; c < 5; c++) norm2 += m[c] * m[c];
  return contrast->most_load * sqrt(norm2) + contrast->most_press * fabs(m[5]);
}

// The only component of the mean stress that is not 0; -1 if there are several. Then the answer is `mean` times that to
// a unit of it, whether it was kept or is found now, with the same bits.
static int only_component(const double mean[6]) {
  int only = STZ_XX, count = 0;
  for (int v = 0; v < 6; v++) {
    if (mean[v] == 0.0) continue;
    only = v;
    count++;
  }
  return count > 1 ? -1 : only;
}

// D, and B times a mean stress, of the row of 8 sites from `first` (global) on.
static inline __attribute__((always_inline)) void answer_of(const stz_contrast *k, int64_t first,
                                                            const double parts[STZ_COLUMNS], stz_answer *answer) {
  const int16_t *row = k->load + first / 8 * STZ_PACK;
  float steps[STZ_COLUMNS];
  memcpy(answer->dress, k->dress + first, sizeof answer->dress);
  for (int column = 0; column < STZ_COLUMNS; column++) steps[column] = (float)(STZ_LOAD_STEP * parts[column]);
  for (int c = 0; c < 5; c++) {
    const float same = (float)parts[c];
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      float sum = same;
      for (int column = 0; column < STZ_COLUMNS; column++) {
        sum = __builtin_fmaf(steps[column], (float)row[8 * (5 * column + c) + l], sum);
      }
      answer->s[c][l] = sum;
    }
  }
}

typedef struct aiming {
  stz_contrast *k;
  double parts[STZ_COLUMNS];
} aiming;

STZ_MULTIVERSION(static void aim_rows(const aiming *a, int64_t first, int64_t end)) {
  const int64_t start = stz_grid_first_site(a->k->grid);
  for (int64_t row = first; row < end; row++) answer_of(a->k, start + 8 * row, a->parts, &a->k->kept[row]);
}

static void aim(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  aim_rows(context, first, end);
}

void stz_contrast_aim(stz_contrast *contrast, const double mean[6]) {
  const int only = only_component(mean);
  double unit[6] = {0};
  if (only < 0 || only == contrast->aimed) return;
  aiming a = {.k = contrast};
  unit[only] = 1.0;
  split(unit, a.parts);
  stz_team_run(stz_grid_team(contrast->grid), stz_grid_local_sites(contrast->grid) / 8, 256, aim, &a);
  contrast->aimed = only;
}

stz_loading stz_contrast_loading(const double mean[6], const double uniform[5]) {
  stz_loading l = {.only = only_component(mean), .scale = 1.0f};
  double unit[6] = {0};
  if (l.only >= 0) {
    l.scale = (float)mean[l.only];
    unit[l.only] = 1.0;
  }
  split(l.only >= 0 ? unit : mean, l.parts);
  for (int c = 0; c < 5 && uniform; c++) l.uniform[c] = (float)uniform[c];
  return l;
}

// The answer of the row of 8 sites from `first` on, kept or made in `room`.
static inline __attribute__((always_inline)) const stz_answer *answer_at(const stz_contrast *k, const stz_loading *l,
                                                                         int64_t first, stz_answer *room) {
  if (l->only >= 0 && k->aimed == l->only) return &k->kept[(first - stz_grid_first_site(k->grid)) / 8];
  answer_of(k, first, l->parts, room);
  return room;
}

void stz_contrast_load(const stz_contrast *contrast, int64_t site, const double mean[6], double drive[5]) {
  const stz_loading l = stz_contrast_loading(mean, NULL);
  stz_answer room;
  const stz_answer *answer = answer_at(contrast, &l, site / 8 * 8, &room);
  for (int c = 0; c < 5; c++) drive[c] = (double)(l.scale * answer->s[c][site % 8]);
}

void stz_contrast_mean_strain(const stz_contrast *contrast, int64_t site, const double event[6], double strain[6]) {
  const int16_t *at = contrast->load + site / 8 * STZ_PACK + site % 8;
  double e[5], parts[STZ_COLUMNS];
  stz_dev_from_sym(event, e);
  for (int column = 0; column < STZ_COLUMNS; column++) {
    double sum = 0.0;
    for (int c = 0; c < 5; c++) sum += at[8 * (5 * column + c)] * e[c];
    parts[column] = (column < 5 ? e[column] : 0.0) + STZ_LOAD_STEP * sum;
  }
  stz_sym_from_dev(parts, strain);
  for (int v = STZ_XX; v <= STZ_ZZ; v++) strain[v] += parts[5] / sqrt(3.0);
}

STZ_MULTIVERSION(void stz_contrast_dress_rows(const stz_contrast *contrast, int64_t first, int n, float *const s[5])) {
  const float *restrict dress = contrast->dress + first;
  for (int c = 0; c < 5; c++) {
    float *restrict row = s[c];
#pragma omp simd
    for (int i = 0; i < n; i++) row[i] *= dress[i];
  }
}

STZ_MULTIVERSION(void stz_contrast_load_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first,
                                             int n, float *const s[5])) {
  for (int at = 0; at < n; at += 8) {
    stz_answer room;
    const stz_answer *answer = answer_at(contrast, loading, first + at, &room);
    for (int c = 0; c < 5; c++) {
      float *row = s[c] + at;
#pragma omp simd
      for (int l = 0; l < 8; l++) row[l] = __builtin_fmaf(loading->scale, answer->s[c][l], row[l]);
    }
  }
}

STZ_MULTIVERSION(void stz_contrast_drive_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first,
                                              int n, const float *const from[5], float *const to[5])) {
  for (int at = 0; at < n; at += 8) {
    stz_answer room;
    const stz_answer *answer = answer_at(contrast, loading, first + at, &room);
    for (int c = 0; c < 5; c++) {
      const float *in = from[c] + at, scale = loading->scale, uniform = loading->uniform[c];
      float *out = to[c] + at;
#pragma omp simd
      for (int l = 0; l < 8; l++) {
        out[l] = __builtin_fmaf(answer->dress[l], in[l] + uniform, scale * answer->s[c][l]);
      }
    }
  }
}

void stz_contrast_drive_list(const stz_contrast *contrast, const stz_loading *loading, int n, const int32_t *sites,
                             float *const s[5]) {
  const bool kept = loading->only >= 0 && contrast->aimed == loading->only;
  const int64_t start = stz_grid_first_site(contrast->grid);
  stz_answer room;
  for (int i = 0; i < n && kept; i++) {
    const char *row = (const char *)&contrast->kept[sites[i] / 8];
    for (size_t line = 0; line < sizeof room; line += 64) __builtin_prefetch(row + line);
  }
  for (int i = 0; i < n; i++) {
    const stz_answer *answer = answer_at(contrast, loading, start + sites[i] / 8 * 8, &room);
    const int l = sites[i] % 8;
    for (int c = 0; c < 5; c++) {
      s[c][i] = __builtin_fmaf(answer->dress[l], s[c][i] + loading->uniform[c], loading->scale * answer->s[c][l]);
    }
  }
}

double stz_contrast_bytes(double sites) {
  return (double)stz_alloc_bytes(
      (size_t)(sites * (sizeof(float) + sizeof(stz_answer) / 8.0 + STZ_PACK / 8.0 * sizeof(int16_t))));
}

// 3.375 points per site, each with the softness and, of five components, stress, sum and spectrum.
double stz_contrast_work_bytes(double sites) { return 3.375 * sites * (8.0 + 5.0 * 3.0 * 8.0 + 16.0) + 32.0 * sites; }
