// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/wave_table.h"

#include "base/interrupt.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/target.h"

enum { POINTS = STZ_WAVE_POINTS };
static const double STEP = 1.0 / 28.0; // of ln k

struct stz_wave_table {
  double first; // ln k of the first node
  int nodes, size;
  double *numbers; // [node][size]
};

typedef struct filling {
  stz_wave_table *table;
  stz_wave_give *give;
  void *context;
} filling;

static void fill_nodes(void *context, int64_t first, int64_t end, int worker) {
  const filling *f = context;
  const stz_wave_table *t = f->table;
  for (int64_t i = first; i < end; i++) {
    f->give(f->context, stz_exp(t->first + STEP * (double)i), worker, t->numbers + (size_t)i * (size_t)t->size);
  }
}

stz_err stz_wave_table_create(stz_team *team, double least, double most, int size, stz_wave_give *give, void *context,
                              stz_wave_table **table) {
  stz_wave_table *t = NULL;
  *table = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  t->first = stz_ln(least) - 0.5 * POINTS * STEP;
  t->nodes = (int)((stz_ln(most) - t->first) / STEP) + 1 + POINTS / 2;
  t->size = size;
  stz_err err = STZ_NEW(t->numbers, (size_t)t->nodes * (size_t)size);
  if (err == STZ_OK) err = stz_look_run(team, t->nodes, 1, fill_nodes, &(filling){t, give, context});
  if (err != STZ_OK) stz_wave_table_destroy(&t);
  *table = t;
  return err;
}

void stz_wave_table_destroy(stz_wave_table **table) {
  if (!*table) return;
  stz_free((*table)->numbers);
  stz_free(*table);
  *table = NULL;
}

// Weights of the points 0, 1, ... of a polynomial through them at `x`: products of x - j over the other points.
static void find_weights(double x, double weight[POINTS]) {
  double before = 1.0, beyond = 1.0, factorial[POINTS] = {1.0};
  for (int i = 1; i < POINTS; i++) factorial[i] = i * factorial[i - 1];
  for (int i = 0; i < POINTS; i++) {
    const int last = POINTS - 1 - i;
    weight[i] = (last % 2 ? -before : before) / (factorial[i] * factorial[last]);
    before *= x - i;
  }
  for (int i = POINTS - 1; i >= 0; i--) {
    weight[i] *= beyond;
    beyond *= x - i;
  }
}

STZ_MULTIVERSION(static void add_up(const double *restrict rows, size_t size, int count, const double weight[POINTS],
                                    double *restrict sums)) {
#pragma omp simd
  for (int i = 0; i < count; i++) {
    double sum = 0.0;
#pragma GCC unroll 12
    for (int p = 0; p < POINTS; p++) sum = __builtin_fma(weight[p], rows[(size_t)p * size + (size_t)i], sum);
    sums[i] = sum;
  }
}

void stz_wave_table_read(const stz_wave_table *table, double k, int first, int count, double *numbers) {
  const double at = (stz_ln(k) - table->first) / STEP;
  const int node = (int)at + 1 - POINTS / 2;
  double weight[POINTS];
  find_weights(at - node, weight);
  add_up(table->numbers + (size_t)node * (size_t)table->size + (size_t)first, (size_t)table->size, count, weight,
         numbers);
}
