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
#include "elastic/near.h"

// Upper bounds of what the fields do. The largest of several ranks' is the same in any order.
static void find_bounds(stz_contrast *k) {
  double most[3] = {0};
  for (int64_t i = 0; i < stz_grid_local_sites(k->grid); i++) {
    double norm2 = 0.0, press2 = 0.0;
    const int16_t *at = k->load + i / 8 * STZ_PACK + i % 8;
    for (int c = 0; c < 5 * 5; c++) norm2 += STZ_LOAD_STEP * at[8 * c] * STZ_LOAD_STEP * at[8 * c];
    for (int c = 25; c < 30; c++) press2 += STZ_LOAD_STEP * at[8 * c] * STZ_LOAD_STEP * at[8 * c];
    most[0] = fmax(most[0], 1.0 + sqrt(norm2));
    most[1] = fmax(most[1], sqrt(press2));
    most[2] = fmax(most[2], (double)k->answers[i].dress);
  }
  MPI_Allreduce(MPI_IN_PLACE, most, 3, MPI_DOUBLE, MPI_MAX, stz_grid_comm(k->grid));
  k->most_load = most[0];
  k->most_press = most[1];
  k->most_dress = most[2];
}

// The unit in which (B - 1) times a unit of one component of the mean stress has 16 bits at every site.
static float unit_of(const stz_contrast *k) {
  int exponent;
  (void)frexp((sqrt(2.0) * (k->most_load - 1.0) + k->most_press) / 32767.0, &exponent);
  return (float)ldexp(1.0, exponent);
}

// Rows of 8 sites that the first rank exchanges with the others.
typedef struct exchange {
  MPI_Comm comm;
  int rows, *counts, *places; // of this rank; on the first, of all ranks, and the first row of each
} exchange;

static stz_err prepare(const stz_grid *grid, exchange *x) {
  const int ranks = stz_grid_ranks(grid), place = (int)(stz_grid_first_site(grid) / 8);
  *x = (exchange){.comm = stz_grid_comm(grid), .rows = (int)(stz_grid_local_sites(grid) / 8)};
  stz_err err = STZ_NEW(x->counts, ranks);
  if (err == STZ_OK) err = STZ_NEW(x->places, ranks);
  STZ_TRY(stz_agree(x->comm, err));
  MPI_Gather(&x->rows, 1, MPI_INT, x->counts, 1, MPI_INT, 0, x->comm);
  MPI_Gather(&place, 1, MPI_INT, x->places, 1, MPI_INT, 0, x->comm);
  return STZ_OK;
}

// Gathers rows of `length` numbers from all ranks, or hands them out.
static void pass_rows(const exchange *x, bool out, int length, MPI_Datatype type, void *all, void *mine) {
  MPI_Datatype row;
  MPI_Type_contiguous(length, type, &row);
  MPI_Type_commit(&row);
  if (out)
    MPI_Scatterv(all, x->counts, x->places, row, mine, x->rows, row, 0, x->comm);
  else
    MPI_Gatherv(mine, x->rows, row, all, x->counts, x->places, row, 0, x->comm);
  MPI_Type_free(&row);
}

// On the first rank alone: what it finds of all sites.
typedef struct whole {
  float *structure, *dress;
  int16_t *load;
} whole;

static stz_err find(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params, const exchange *x,
                    const float *structure, whole *all) {
  const bool first = stz_grid_rank(k->grid) == 0;
  const int64_t sites = first ? stz_grid_sites(k->grid) : 0;
  float *mine = NULL; // structure, then D
  stz_err err = STZ_NEW(k->answers, 8 * x->rows);
  if (err == STZ_OK) err = STZ_NEW(k->load, (size_t)x->rows * STZ_PACK);
  if (err == STZ_OK) err = STZ_NEW(mine, 8 * x->rows);
  if (err == STZ_OK && first) err = STZ_NEW(all->structure, sites);
  if (err == STZ_OK && first) err = STZ_NEW(all->dress, sites);
  if (err == STZ_OK && first) err = STZ_NEW(all->load, sites / 8 * STZ_PACK);
  err = stz_agree(x->comm, err);
  if (err == STZ_OK) {
    memcpy(mine, structure, 8 * (size_t)x->rows * sizeof *mine);
    pass_rows(x, false, 8, MPI_FLOAT, all->structure, mine);
  }
  if (err == STZ_OK) err = stz_stage(x->comm, "solving the elastic field of varying moduli");
  if (err == STZ_OK) {
    err = stz_agree(x->comm,
                    first ? stz_contrast_solve(k, elastic, params, all->structure, all->dress, all->load) : STZ_OK);
  }
  if (err == STZ_OK) {
    pass_rows(x, true, 8, MPI_FLOAT, all->dress, mine);
    pass_rows(x, true, STZ_PACK, MPI_INT16_T, all->load, k->load);
    for (int site = 0; site < 8 * x->rows; site++) k->answers[site].dress = mine[site];
  }
  stz_free(mine);
  return err;
}

static stz_err fill(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params,
                    const float *structure) {
  exchange x;
  whole all = {0};
  stz_err err = prepare(k->grid, &x);
  if (err == STZ_OK) err = find(k, elastic, params, &x, structure, &all);
  stz_free(all.structure);
  stz_free(all.dress);
  stz_free(all.load);
  stz_free(x.counts);
  stz_free(x.places);
  STZ_TRY(err);
  MPI_Bcast(&k->effective, 1, MPI_DOUBLE, 0, x.comm);
  find_bounds(k);
  k->unit = unit_of(k);
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
  k->seen = -1;
  const stz_err err = fill(k, elastic, params, structure);
  if (err != STZ_OK) stz_contrast_destroy(&k);
  *contrast = k;
  return err;
}

void stz_contrast_destroy(stz_contrast **contrast) {
  if (!*contrast) return;
  stz_contrast_release(*contrast);
  stz_free((*contrast)->load);
  stz_free((*contrast)->answers);
  stz_free(*contrast);
  *contrast = NULL;
}

bool stz_contrast_exact(const stz_contrast *contrast) { return contrast && contrast->solving; }

int stz_contrast_terms(const stz_contrast *contrast) { return contrast->terms; }

double stz_contrast_scale(const stz_contrast *contrast) { return contrast->scale; }

double stz_contrast_effective(const stz_contrast *contrast) { return contrast->effective; }
double stz_contrast_most_dress(const stz_contrast *contrast) { return contrast->most_dress; }

void stz_contrast_look(stz_contrast *contrast, int64_t site) {
  const int64_t row = site / 8, local = stz_grid_local(contrast->grid, 8 * row);
  if (stz_grid_ranks(contrast->grid) == 1 || contrast->seen == row) return;
  int at[3];
  stz_grid_coords(contrast->grid, site, at);
  if (local >= 0) {
    memcpy(contrast->seen_load, contrast->load + local / 8 * STZ_PACK, sizeof contrast->seen_load);
    for (int l = 0; l < 8; l++) contrast->seen_dress[l] = contrast->answers[local + l].dress;
  }
  const MPI_Comm comm = stz_grid_comm(contrast->grid);
  const int owner = stz_grid_owner(contrast->grid, at[0]);
  MPI_Bcast(contrast->seen_load, STZ_PACK, MPI_INT16_T, owner, comm);
  MPI_Bcast(contrast->seen_dress, 8, MPI_FLOAT, owner, comm);
  contrast->seen = row;
}

// B - 1 of the row of 8 sites that holds a site of this rank, or one that was looked at.
static const int16_t *load_of(const stz_contrast *k, int64_t site) {
  const int64_t local = stz_grid_local(k->grid, site);
  assert(local >= 0 || k->seen == site / 8);
  return local >= 0 ? k->load + local / 8 * STZ_PACK : k->seen_load;
}

float stz_contrast_dress(const stz_contrast *contrast, int64_t site) {
  const int64_t local = stz_grid_local(contrast->grid, site);
  assert(local >= 0 || contrast->seen == site / 8);
  return local >= 0 ? contrast->answers[local].dress : contrast->seen_dress[site % 8];
}

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

// (B - 1) times a mean stress, over `unit`, of a row of 8 sites.
static inline __attribute__((always_inline)) void multiply(const int16_t *row, const double parts[STZ_COLUMNS],
                                                           double unit, float found[5][8]) {
  float steps[STZ_COLUMNS];
  for (int column = 0; column < STZ_COLUMNS; column++) steps[column] = (float)(STZ_LOAD_STEP * parts[column] / unit);
  for (int c = 0; c < 5; c++) {
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      float sum = 0.0f;
      for (int column = 0; column < STZ_COLUMNS; column++) {
        sum = __builtin_fmaf(steps[column], (float)row[8 * (5 * column + c) + l], sum);
      }
      found[c][l] = sum;
    }
  }
}

// The same of a unit of one component, as an answer keeps it.
static inline __attribute__((always_inline)) void answer_row(const stz_contrast *k, const int16_t *row,
                                                             const double parts[STZ_COLUMNS], uint32_t pairs[3][8]) {
  float units[5][8];
  int16_t fixed[6][8] = {{0}};
  multiply(row, parts, (double)k->unit, units);
  for (int c = 0; c < 5; c++) stz_to_fixed(units[c], fixed[c]);
  for (int c = 0; c < 6; c += 2) {
    for (int l = 0; l < 8; l++) pairs[c / 2][l] = (uint32_t)(uint16_t)fixed[c + 1][l] << 16 | (uint16_t)fixed[c][l];
  }
}

typedef struct aiming {
  stz_contrast *k;
  double parts[STZ_COLUMNS];
} aiming;

STZ_MULTIVERSION(static void aim_rows(const aiming *a, int64_t first, int64_t end)) {
  uint32_t pairs[3][8];
  for (int64_t row = first; row < end; row++) {
    answer_row(a->k, a->k->load + row * STZ_PACK, a->parts, pairs);
    for (int i = 0; i < 3 * 8; i++) a->k->answers[8 * row + i % 8].pairs[i / 8] = pairs[i / 8][i % 8];
  }
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

static bool is_kept(const stz_contrast *k, const stz_loading *l) { return l->only >= 0 && k->aimed == l->only; }

// Component c of B times the mean stress at a site, from its answer to a unit of its only component: `same` without
// contrast, and `times` the whole number that `pair` has of it.
static inline __attribute__((always_inline)) float scaled(float times, float same, int c, uint32_t pair) {
  return __builtin_fmaf(times, (float)(int32_t)(pair << (c % 2 ? 0 : 16) & 0xffff0000u), same);
}
static float times_of(const stz_contrast *k, const stz_loading *l) { return l->scale * k->unit * 0x1p-16f; }
static float same_of(const stz_loading *l, int c) { return l->scale * (float)l->parts[c]; }

// The whole of it where nothing is kept.
static inline __attribute__((always_inline)) void load_row(const stz_contrast *k, const stz_loading *l,
                                                           const int16_t *load, float drive[5][8]) {
  uint32_t pairs[3][8];
  if (l->only >= 0) {
    answer_row(k, load, l->parts, pairs);
    for (int c = 0; c < 5; c++) {
      for (int i = 0; i < 8; i++) drive[c][i] = scaled(times_of(k, l), same_of(l, c), c, pairs[c / 2][i]);
    }
    return;
  }
  multiply(load, l->parts, 1.0, drive);
  for (int c = 0; c < 5; c++) {
    for (int i = 0; i < 8; i++) drive[c][i] += (float)l->parts[c];
  }
}

void stz_contrast_load(const stz_contrast *contrast, int64_t site, const double mean[6], double drive[5]) {
  const stz_loading l = stz_contrast_loading(mean, NULL);
  float row[5][8];
  load_row(contrast, &l, load_of(contrast, site), row);
  for (int c = 0; c < 5; c++) drive[c] = (double)row[c][site % 8];
}

void stz_contrast_mean_strain(const stz_contrast *contrast, int64_t site, const double event[6], double strain[6]) {
  const int16_t *at = load_of(contrast, site) + site % 8;
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

// What rows of this rank from the global site `first` on need.
static inline const int16_t *loads_at(const stz_contrast *k, int64_t first) {
  return k->load + (first - stz_grid_first_site(k->grid)) / 8 * STZ_PACK;
}
static inline const stz_answer *answers_at(const stz_contrast *k, int64_t first) {
  return k->answers + (first - stz_grid_first_site(k->grid));
}

STZ_MULTIVERSION(void stz_contrast_dress_rows(const stz_contrast *contrast, int64_t first, int n, float *s)) {
  const stz_answer *answer = answers_at(contrast, first);
#pragma omp simd
  for (int at = 0; at < n; at++) s[at] *= answer[at].dress;
}

STZ_MULTIVERSION(void stz_contrast_load_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first,
                                             int n, float *const s[5])) {
  const int16_t *load = loads_at(contrast, first);
  for (int at = 0; at < n; at += 8, load += STZ_PACK) {
    float drive[5][8];
    load_row(contrast, loading, load, drive);
    for (int c = 0; c < 5; c++) {
      for (int l = 0; l < 8; l++) s[c][at + l] += drive[c][l];
    }
  }
}

// D (in + uniform) + drive.
static inline __attribute__((always_inline)) float driven(float dress, float in, float uniform, float drive) {
  return __builtin_fmaf(dress, in + uniform, drive);
}

typedef uint32_t words __attribute__((vector_size(32)));
typedef uint32_t loose_four __attribute__((vector_size(16), may_alias));

// The answers of 8 sites.
typedef struct eight {
  float dress[8];
  uint32_t pairs[3][8];
} eight;

// A transpose of 8 x 4 words.
static inline __attribute__((always_inline)) void gather(const stz_answer *const site[8], eight *all) {
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define LOW(a, b) MIX(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) MIX(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define EVEN(a, b) MIX(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define ODD(a, b) MIX(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
  words t[4];
  for (int l = 0; l < 4; l++)
    t[l] = MIX(*(const loose_four *)site[l], *(const loose_four *)site[l + 4], 0, 1, 2, 3, 4, 5, 6, 7);
  const words low0 = LOW(t[0], t[1]), low1 = LOW(t[2], t[3]), high0 = HIGH(t[0], t[1]), high1 = HIGH(t[2], t[3]);
  const words dress = EVEN(low0, low1), pairs[3] = {ODD(low0, low1), EVEN(high0, high1), ODD(high0, high1)};
  memcpy(all->dress, &dress, sizeof all->dress);
  for (int j = 0; j < 3; j++) memcpy(all->pairs[j], &pairs[j], sizeof all->pairs[j]);
#undef MIX
#undef LOW
#undef HIGH
#undef EVEN
#undef ODD
}

// What acts on sites whose answers are kept.
typedef struct kept_load {
  float times, same[5], uniform[5];
} kept_load;

static kept_load kept_of(const stz_contrast *k, const stz_loading *l) {
  kept_load kept = {.times = times_of(k, l)};
  for (int c = 0; c < 5; c++) {
    kept.same[c] = same_of(l, c);
    kept.uniform[c] = l->uniform[c];
  }
  return kept;
}

// Of 8 of them, numbers `at` to at + 7 of `from` and `to`.
static inline __attribute__((always_inline)) void drive_eight(const stz_answer *const site[8], const kept_load *k,
                                                              int at, const float *const from[5], float *const to[5]) {
  eight all;
  gather(site, &all);
#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) {
    const float times = k->times, same = k->same[c], uniform = k->uniform[c], *in = from[c] + at;
    const uint32_t *pair = all.pairs[c / 2];
    float *out = to[c] + at;
#pragma omp simd
    for (int l = 0; l < 8; l++) out[l] = driven(all.dress[l], in[l], uniform, scaled(times, same, c, pair[l]));
  }
}

static inline __attribute__((always_inline)) void drive_rows_kept(const stz_answer *answer, const kept_load *kept,
                                                                  int64_t step, int rows, const float *const from[5],
                                                                  float *const to[5]) {
  for (int row = 0; row < rows; row++, answer += step) {
    const stz_answer *site[8];
    for (int l = 0; l < 8; l++) site[l] = answer + l;
    drive_eight(site, kept, 8 * row, from, to);
  }
}

STZ_MULTIVERSION(void stz_contrast_drive_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first,
                                              int64_t step, int rows, const float *const from[5], float *const to[5])) {
  const stz_answer *answer = answers_at(contrast, first);
  if (is_kept(contrast, loading)) {
    const kept_load kept = kept_of(contrast, loading);
    drive_rows_kept(answer, &kept, step, rows, from, to);
    return;
  }
  float drive[5][8];
  for (int row = 0; row < rows; row++, answer += step) {
    load_row(contrast, loading, loads_at(contrast, first + row * step), drive);
    for (int c = 0; c < 5; c++) {
      const float *in = from[c] + 8 * row;
      for (int l = 0; l < 8; l++) to[c][8 * row + l] = driven(answer[l].dress, in[l], loading->uniform[c], drive[c][l]);
    }
  }
}

enum { AHEAD = 16 }; // sites whose answers are fetched in advance

static inline __attribute__((always_inline)) void drive_list_kept(const stz_answer *answers, const kept_load *kept,
                                                                  int n, const int32_t *list, float *const s[5]) {
  float last[5][8] = {{0}}, *const rest[5] = {last[0], last[1], last[2], last[3], last[4]};
  const stz_answer *site[8];
  int i = 0;
  for (int l = 0; l < AHEAD && l < n; l++) __builtin_prefetch(&answers[list[l]]);
  for (; i + 8 <= n; i += 8) {
    for (int l = i + AHEAD; l < i + AHEAD + 8 && l < n; l++) __builtin_prefetch(&answers[list[l]]);
    for (int l = 0; l < 8; l++) site[l] = &answers[list[i + l]];
    drive_eight(site, kept, i, (const float *const *)s, s);
  }
  if (i == n) return;
  for (int l = 0; l < 8; l++) site[l] = &answers[list[i + l < n ? i + l : i]];
  for (int c = 0; c < 5; c++) memcpy(last[c], s[c] + i, (size_t)(n - i) * sizeof *last[c]);
  drive_eight(site, kept, 0, (const float *const *)rest, rest);
  for (int c = 0; c < 5; c++) memcpy(s[c] + i, last[c], (size_t)(n - i) * sizeof *last[c]);
}

STZ_MULTIVERSION(void stz_contrast_drive_list(const stz_contrast *contrast, const stz_loading *loading, int n,
                                              const int32_t *sites, float *const s[5])) {
  if (is_kept(contrast, loading)) {
    const kept_load kept = kept_of(contrast, loading);
    drive_list_kept(contrast->answers, &kept, n, sites, s);
    return;
  }
  float drive[5][8];
  for (int i = 0; i < n; i++) {
    const int32_t at = sites[i];
    if (i == 0 || sites[i - 1] / 8 != at / 8)
      load_row(contrast, loading, contrast->load + (int64_t)(at / 8) * STZ_PACK, drive);
    const float dress = contrast->answers[at].dress;
    for (int c = 0; c < 5; c++) s[c][i] = driven(dress, s[c][i], loading->uniform[c], drive[c][at % 8]);
  }
}

double stz_contrast_bytes(double sites) {
  return (double)stz_alloc_bytes((size_t)(sites / 8.0 * (8 * sizeof(stz_answer) + STZ_PACK * sizeof(int16_t))));
}

// 3.375 points per site, each with the softness and, of five components, stress, sum and spectrum; of each site four
// fields of it, and the structure, D and B - 1. The last number was measured besides, at 64^3 and 96^3.
double stz_contrast_work_bytes(double sites) {
  return 3.375 * sites * (8.0 + 5.0 * 3.0 * 8.0 + 16.0) + 32.0 * sites + 72.0 * sites + 2.5e7;
}
