// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/probes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"

enum { PROBES = 4, LANES = 8 };

// Where the numbers of a part lie in a column, and their signs, for the wave numbers x and -x: [half][index of the
// matrix], each half a line.
typedef struct places {
  int32_t *at;
  float *sign[2];
} places;

// A part of the operator: all that is even, odd, or, where no mirror is known, everything.
typedef struct part {
  double sign;    // 1 even, -1 odd, 0 everything
  float *matrix;  // [wave of the quadrant][size][line], symmetric; index c count + pair of layers
  places pair[2]; // layers, and their mirror images
} part;

struct stz_probes {
  stz_team *team;
  int cells[3], half[2];
  double spacing;
  int begin, end;   // layers before and from which on each stands for itself
  int *layers;      // these, then the probes
  int kept;         // their number
  bool probed;      // else every layer stands for itself
  int parts, count; // of a part: layers or pairs of them
  int size, line;   // of a part's matrix: 5 count to the next multiple of 4, and its padded line
  int *one, *other; // of a part: places of a layer, and of its mirror image where there are two parts
  part part[2];
  float *shares; // [wave of the quadrant][probe][layer]: what the probes tell of a layer, else 0
  size_t bytes;
};

// Chooses the layers that stand for themselves, and the probes.
static void choose_layers(stz_probes *s, const stz_plate *plate, bool all) {
  const int nz = s->cells[2];
  while (s->begin < nz && stz_plate_near(plate, s->begin)) s->begin++;
  s->end = nz - s->begin;
  s->probed = !all && s->end - s->begin >= 2 * PROBES;
  if (!s->probed) s->begin = s->end = nz;
  for (int z = 0; z < nz; z++) {
    if (z < s->begin || z >= s->end) s->layers[s->kept++] = z;
  }
  const int probes[PROBES] = {s->begin, s->begin + 2, s->end - 3, s->end - 1};
  for (int i = 0; i < PROBES && s->probed; i++) s->layers[s->kept++] = probes[i];
}

// The four functions at the depth z, of the order of one at the outer probes.
static void functions_at(const stz_probes *s, double k, int z, double f[PROBES]) {
  const double below = k * s->spacing * (z - s->begin), above = k * s->spacing * (s->end - 1 - z);
  f[0] = exp(-below);
  f[1] = below * f[0];
  f[2] = exp(-above);
  f[3] = above * f[2];
}

// b = a^-1 by Gauss and Jordan with pivots; a is lost.
static void invert(double a[PROBES][PROBES], double b[PROBES][PROBES]) {
  memset(b, 0, PROBES * PROBES * sizeof(double));
  for (int i = 0; i < PROBES; i++) b[i][i] = 1.0;
  for (int i = 0; i < PROBES; i++) {
    int pivot = i;
    for (int j = i + 1; j < PROBES; j++) pivot = fabs(a[j][i]) > fabs(a[pivot][i]) ? j : pivot;
    const double scale = 1.0 / a[pivot][i];
    for (int c = 0; c < PROBES; c++) {
      const double va = a[pivot][c] * scale, vb = b[pivot][c] * scale;
      a[pivot][c] = a[i][c];
      b[pivot][c] = b[i][c];
      a[i][c] = va;
      b[i][c] = vb;
    }
    for (int j = 0; j < PROBES; j++) {
      const double factor = j == i ? 0.0 : a[j][i];
      for (int c = 0; c < PROBES; c++) {
        a[j][c] -= factor * a[i][c];
        b[j][c] -= factor * b[i][c];
      }
    }
  }
}

// What the probes tell of the layers at the wave number k: at k = 0 all are alike.
static void fill_shares(const stz_probes *s, double k, float *shares) {
  double at[PROBES][PROBES], inverse[PROBES][PROBES], f[PROBES];
  const int *probes = s->layers + s->kept - PROBES;
  if (k > 0.0) {
    for (int p = 0; p < PROBES; p++) functions_at(s, k, probes[p], at[p]);
    invert(at, inverse);
  }
  for (int z = s->begin; z < s->end; z++) {
    functions_at(s, k, z, f);
    for (int p = 0; p < PROBES; p++) {
      double sum = k > 0.0 ? 0.0 : p == 0;
      for (int i = 0; i < PROBES && k > 0.0; i++) sum += f[i] * inverse[i][p];
      shares[p * s->cells[2] + z] = (float)sum;
    }
  }
}

typedef struct filling {
  stz_probes *s;
  stz_layer_operator *source;
  void *context;
  stz_plate_pairs *pairs;
  double (*green)[6][5], *work; // per worker
  size_t work_size;
} filling;

// The matrix of a part at one wave of the quadrant; components that are odd there at a Nyquist wave number have none.
// With strains e_d(z) +- p_d e_d(z') of a layer and its mirror image, p_d their parity, it holds half the operator
// between the layers, and +- p_d times that from the mirror image.
static void fill_matrix(const stz_probes *s, const int m[2], double sign, double (*green)[6][5], float *matrix) {
  const double scale = (sign == 0.0 ? 0.5 : 0.25) / ((double)s->cells[0] * s->cells[1]);
  for (int i = 0; i < 5 * s->count; i++) {
    for (int j = 0; j < 5 * s->count; j++) {
      const int c = i / s->count, d = j / s->count, to = s->one[i % s->count] * s->kept;
      bool none = false;
      for (int axis = 0; axis < 2; axis++) {
        none |= 2 * m[axis] == s->cells[axis] && stz_dev_parity(c, axis) != stz_dev_parity(d, axis);
      }
      double entry = green[to + s->one[j % s->count]][c][d];
      if (sign != 0.0) entry += sign * stz_dev_parity(d, 2) * green[to + s->other[j % s->count]][c][d];
      matrix[i * s->line + j] = none ? 0.0f : (float)(scale * entry);
    }
  }
}

// Of the plate, in the layers that count.
static void plate_source(void *context, const int m[2], int worker, double (*green)[6][5]) {
  const filling *f = context;
  stz_plate_pairs_green(f->pairs, m[0], m[1], f->work + (size_t)worker * f->work_size, green);
}

static void fill_waves(void *context, int64_t first, int64_t end, int worker) {
  const filling *f = context;
  const stz_probes *s = f->s;
  double(*green)[6][5] = f->green + (size_t)worker * (size_t)(s->kept * s->kept);
  for (int64_t wave = first; wave < end; wave++) {
    const int m[2] = {(int)wave / s->half[1], (int)wave % s->half[1]};
    f->source(f->context, m, worker, green);
    for (int p = 0; p < s->parts; p++) {
      fill_matrix(s, m, s->part[p].sign, green, s->part[p].matrix + (size_t)wave * (size_t)(s->size * s->line));
    }
    if (!s->probed) continue;
    const double unit = 2.0 * STZ_PI / s->spacing, k = hypot((double)m[0] / s->cells[0], (double)m[1] / s->cells[1]);
    fill_shares(s, unit * k, s->shares + (size_t)wave * PROBES * (size_t)s->cells[2]);
  }
}

static stz_err fill(stz_probes *s, const stz_plate *plate, stz_layer_operator *source, void *context) {
  const int workers = stz_team_workers(s->team);
  filling f = {.s = s, .source = source, .context = context, .work_size = plate ? stz_plate_work(plate) : 1};
  stz_err err = STZ_OK;
  if (plate) {
    f.source = plate_source;
    f.context = &f;
    err = stz_plate_pairs_create(plate, s->team, s->layers, s->kept, -1, &f.pairs);
  }
  if (err == STZ_OK) err = STZ_NEW(f.green, workers * s->kept * s->kept);
  if (err == STZ_OK) err = STZ_NEW(f.work, (size_t)workers * f.work_size);
  if (err == STZ_OK) err = stz_stage_run(s->team, 0.0, 1.0, s->half[0] * s->half[1], 1, fill_waves, &f);
  stz_plate_pairs_destroy(&f.pairs);
  stz_free(f.green);
  stz_free(f.work);
  return err;
}

// The places of each part, once the layers are chosen: of the kept ones `own` stand for themselves, those at one face
// before those at the other, in the order of z, and so do the probes.
static void pair_layers(stz_probes *s, bool mirrored) {
  const int own = s->probed ? s->kept - PROBES : s->kept;
  s->parts = mirrored ? 2 : 1;
  s->part[0].sign = mirrored ? 1.0 : 0.0;
  s->part[1].sign = -1.0;
  for (int i = 0; i < s->kept; i++) {
    const int image = i < own ? own - 1 - i : own + s->kept - 1 - i;
    if (mirrored && image < i) continue;
    s->one[s->count] = i;
    s->other[s->count++] = mirrored ? image : i;
  }
  s->size = (5 * s->count + 3) / 4 * 4;
  s->line = (s->size + 15) / 16 * 16;
}

// Components that are odd in z have a factor -i in the matrix, -i (a + ib) = b - ia, those odd in x the sign of the
// wave number. What the probes feel and send stands behind the layers.
static stz_err list_places(const stz_probes *s, const int *layer, double sign, places *to) {
  const int own = s->probed ? s->kept - PROBES : s->kept, nz = s->cells[2];
  STZ_TRY(STZ_NEW(to->at, 2 * s->line));
  STZ_TRY(STZ_NEW(to->sign[0], 2 * s->line));
  STZ_TRY(STZ_NEW(to->sign[1], 2 * s->line));
  for (int i = 0; i < 2 * 5 * s->count; i++) {
    const int half = i / (5 * s->count), c = i / s->count % 5, place = layer[i % s->count];
    const bool odd = stz_dev_parity(c, 2) < 0;
    const int k = half * s->line + i % (5 * s->count), row = (odd ? 1 - half : half) * 5 + c;
    const double factor = (sign == 0.0 ? 1.0 : odd ? -sign : sign) * (odd && half ? -1.0 : 1.0);
    to->at[k] = place < own ? row * nz + s->layers[place] : 2 * 5 * nz + row * PROBES + place - own;
    to->sign[0][k] = (float)factor;
    to->sign[1][k] = (float)(factor * stz_dev_parity(c, 0));
  }
  return STZ_OK;
}

static stz_err start(stz_team *team, const int cells[3], stz_probes **probes) {
  stz_probes *s = NULL;
  STZ_TRY(STZ_NEW(s, 1));
  *probes = s;
  s->team = team;
  memcpy(s->cells, cells, sizeof s->cells);
  for (int axis = 0; axis < 2; axis++) s->half[axis] = s->cells[axis] / 2 + 1;
  STZ_TRY(STZ_NEW(s->one, s->cells[2] + PROBES));
  STZ_TRY(STZ_NEW(s->other, s->cells[2] + PROBES));
  return STZ_NEW(s->layers, s->cells[2] + PROBES);
}

// Once the layers are chosen.
static stz_err finish(stz_probes *s, bool mirrored, const stz_plate *plate, stz_layer_operator *source, void *context) {
  pair_layers(s, mirrored);
  const size_t quadrant = (size_t)s->half[0] * (size_t)s->half[1], matrix = quadrant * (size_t)(s->size * s->line);
  const size_t shares = s->probed ? quadrant * PROBES * (size_t)s->cells[2] : 1;
  for (int p = 0; p < s->parts; p++) {
    STZ_TRY(STZ_NEW(s->part[p].matrix, matrix));
    STZ_TRY(list_places(s, s->one, 0.0, &s->part[p].pair[0]));
    if (mirrored) STZ_TRY(list_places(s, s->other, s->part[p].sign, &s->part[p].pair[1]));
  }
  STZ_TRY(STZ_NEW(s->shares, shares));
  s->bytes = ((size_t)s->parts * matrix + shares) * sizeof(float);
  return fill(s, plate, source, context);
}

stz_err stz_probes_create(stz_team *team, const int cells[3], const stz_plate *plate, double spacing, bool all,
                          stz_probes **probes) {
  *probes = NULL;
  stz_err err = start(team, cells, probes);
  if (err == STZ_OK) {
    (*probes)->spacing = spacing;
    choose_layers(*probes, plate, all);
    err = finish(*probes, true, plate, NULL, NULL);
  }
  if (err != STZ_OK) stz_probes_destroy(probes);
  return err;
}

stz_err stz_probes_create_of(stz_team *team, const int cells[3], int kept, stz_layer_operator *green, void *context,
                             stz_probes **probes) {
  *probes = NULL;
  stz_err err = start(team, cells, probes);
  if (err == STZ_OK) {
    stz_probes *s = *probes;
    s->begin = s->end = cells[2];
    s->kept = kept;
    for (int z = 0; z < kept; z++) s->layers[z] = z;
    err = finish(s, false, NULL, green, context);
  }
  if (err != STZ_OK) stz_probes_destroy(probes);
  return err;
}

void stz_probes_destroy(stz_probes **probes) {
  stz_probes *s = *probes;
  if (!s) return;
  for (int p = 0; p < 2; p++) {
    stz_free(s->part[p].matrix);
    for (int i = 0; i < 2; i++) {
      stz_free(s->part[p].pair[i].at);
      for (int image = 0; image < 2; image++) stz_free(s->part[p].pair[i].sign[image]);
    }
  }
  stz_free(s->layers);
  stz_free(s->one);
  stz_free(s->other);
  stz_free(s->shares);
  stz_free(s);
  *probes = NULL;
}

size_t stz_probes_bytes(const stz_probes *probes) { return probes->bytes; }

// A part before and after the matrix.
size_t stz_probes_work(const stz_probes *probes) { return (size_t)(4 * probes->line); }

// --- one wave ---

// The sum of a row times shares: in lanes, so that every instruction set adds alike.
static inline __attribute__((always_inline)) float sum_of(const float *restrict shares, const float *restrict row,
                                                          int count) {
  float lane[LANES] = {0}, sum = 0.0f;
  for (int z = 0; z < count; z += LANES) {
#pragma omp simd
    for (int l = 0; l < LANES; l++) lane[l] = __builtin_fmaf(shares[z + l], row[z + l], lane[l]);
  }
  for (int l = 0; l < LANES; l++) sum += lane[l];
  return sum;
}

// What the probes feel, behind the layers; and what they send from there to the layers.
static inline __attribute__((always_inline)) void feel(const stz_probes *s, const float *shares, float *in) {
  const int nz = s->cells[2];
  for (int i = 0; i < 2 * 5 * PROBES; i++) {
    in[2 * 5 * nz + i] = sum_of(shares + i % PROBES * nz, in + i / PROBES * nz, nz);
  }
}
static inline __attribute__((always_inline)) void send(const stz_probes *s, const float *shares, float *out) {
  const int nz = s->cells[2];
  for (int i = 0; i < 2 * 5 * PROBES; i++) {
    const float told = out[2 * 5 * nz + i], *restrict share = shares + i % PROBES * nz;
    float *restrict row = out + i / PROBES * nz;
#pragma omp simd
    for (int z = 0; z < nz; z++) row[z] = __builtin_fmaf(share[z], told, row[z]);
  }
}

// Four columns at once.
static inline __attribute__((always_inline)) void multiply(const float *restrict matrix, int size, int line,
                                                           const float *restrict in, float *restrict out) {
  memset(out, 0, 2 * (size_t)line * sizeof *out);
  for (int j = 0; j < size; j += 4) {
    const float *restrict m0 = matrix + j * line, *restrict m1 = m0 + line, *restrict m2 = m1 + line,
                          *restrict m3 = m2 + line;
    for (int half = 0; half < 2; half++) {
      const float *e = in + half * line + j, e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3];
      float *restrict to = out + half * line;
#pragma omp simd
      for (int i = 0; i < line; i++) {
        const float two = __builtin_fmaf(m0[i], e0, __builtin_fmaf(m1[i], e1, to[i]));
        to[i] = __builtin_fmaf(m2[i], e2, __builtin_fmaf(m3[i], e3, two));
      }
    }
  }
}

// From a column to a part, and what the matrix makes of it back on top of a column.
static inline __attribute__((always_inline)) void take_part(const stz_probes *s, const part *p, bool mirrored,
                                                            const float *restrict in, float *restrict before) {
  for (int pair = 0; pair < s->parts; pair++) {
    const int32_t *restrict at = p->pair[pair].at;
    const float *restrict sign = p->pair[pair].sign[mirrored];
#pragma omp simd
    for (int k = 0; k < 2 * s->line; k++) before[k] = (pair ? before[k] : 0.0f) + sign[k] * in[at[k]];
  }
}
static inline __attribute__((always_inline)) void put_part(const stz_probes *s, const part *p, bool mirrored,
                                                           const float *restrict after, float *restrict out) {
  for (int pair = 0; pair < s->parts; pair++) {
    for (int half = 0; half < 2; half++) {
      const int32_t *restrict at = p->pair[pair].at + half * s->line;
      const float *restrict sign = p->pair[pair].sign[mirrored] + half * s->line, *from = after + half * s->line;
#pragma omp simd
      for (int k = 0; k < 5 * s->count; k++) out[at[k]] += sign[k] * from[k];
    }
  }
}

STZ_MULTIVERSION(static void add_wave(const stz_probes *s, size_t wave, bool mirrored, float *in, float *work,
                                      float *out)) {
  const float *shares = s->shares + (s->probed ? wave * PROBES * (size_t)s->cells[2] : 0);
  float *before = work, *after = before + 2 * s->line;
  if (s->probed) {
    feel(s, shares, in);
    memset(out + 2 * 5 * s->cells[2], 0, STZ_PROBES_ROOM * sizeof *out);
  }
  for (int p = 0; p < s->parts; p++) {
    take_part(s, &s->part[p], mirrored, in, before);
    multiply(s->part[p].matrix + wave * (size_t)(s->size * s->line), s->size, s->line, before, after);
    put_part(s, &s->part[p], mirrored, after, out);
  }
  if (s->probed) send(s, shares, out);
}

void stz_probes_add(const stz_probes *s, int x, int y, bool mirrored, float *in, float *work, float *out) {
  add_wave(s, (size_t)x * (size_t)s->half[1] + (size_t)y, mirrored, in, work, out);
}
