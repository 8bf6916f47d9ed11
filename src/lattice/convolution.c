// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/convolution.h"

#include "base/memory.h"
#include "lattice/transform.h"

enum { COMPONENTS = 5 };
enum { SMALL = 32 * 32 * 32, PARTS = 16 }; // sites of a small field, at most; its rows are so many parts, about
enum { PIECE = 32 };                       // rows, or items, of a part of any other

struct stz_convolution {
  stz_team *team, *inner; // of a small field, components are what the team shares, and `inner` is NULL; else their rows
  stz_transform *transform;
  int64_t rows;
  int row;
  size_t size; // of a field
  float *field[COMPONENTS];
};

stz_err stz_convolution_create(stz_team *team, const int cells[3], bool layers, stz_convolution **convolution) {
  stz_convolution *v = NULL;
  *convolution = NULL;
  STZ_TRY(STZ_NEW(v, 1));
  v->team = team;
  v->inner = (int64_t)cells[0] * cells[1] * cells[2] > SMALL ? team : NULL;
  v->rows = (int64_t)cells[0] * cells[1];
  v->row = layers ? cells[2] : stz_transform_row(cells);
  v->size = ((size_t)v->rows * (size_t)v->row + 15) / 16 * 16; // aligned one after another
  stz_err err = STZ_NEW(v->field[0], COMPONENTS * v->size);
  for (int c = 1; c < COMPONENTS && err == STZ_OK; c++) v->field[c] = v->field[c - 1] + v->size;
  if (err == STZ_OK)
    err = (layers ? stz_transform_create_layers : stz_transform_create)(v->inner, cells, v->field[0], &v->transform);
  if (err != STZ_OK) stz_convolution_destroy(&v);
  *convolution = v;
  return err;
}

void stz_convolution_destroy(stz_convolution **convolution) {
  stz_convolution *v = *convolution;
  if (!v) return;
  stz_transform_destroy(&v->transform);
  stz_free(v->field[0]);
  stz_free(v);
  *convolution = NULL;
}

float *stz_convolution_field(const stz_convolution *convolution, int c) { return convolution->field[c]; }
int stz_convolution_row(const stz_convolution *convolution) { return convolution->row; }
size_t stz_convolution_bytes(const stz_convolution *convolution) {
  return COMPONENTS * convolution->size * sizeof(float);
}

typedef struct pass {
  const stz_convolution *v;
  const stz_convolution_step *step;
  int c;
  stz_team_task *task; // on `items` items, `piece` of them a part
  void *context;
  int64_t items, piece;
} pass;

static void give_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  p->step->give(p->step->context, p->c, first, end, p->v->row, p->v->field[p->c]);
}

static void take_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  for (int c = 0; c < COMPONENTS; c++) p->step->take(p->step->context, c, first, end, p->v->row, p->v->field[c]);
}

static void go_forward(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  pass p = *(const pass *)context;
  for (p.c = (int)first; p.c < (int)end; p.c++) {
    stz_team_run(p.v->inner, p.v->rows, PIECE, give_rows, &p);
    stz_transform_forward(p.v->transform, p.v->field[p.c]);
  }
}

static void go_back(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  for (int c = (int)first; c < (int)end; c++) stz_transform_inverse(p->v->transform, p->v->field[c]);
}

static void share_components(pass *p, stz_team_task *task) {
  if (p->v->inner)
    task(p, 0, COMPONENTS, 0);
  else
    stz_team_share(p->v->team, COMPONENTS, task, p);
}

static void do_parts(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const int64_t last = p->piece * end;
  p->task(p->context, p->piece * first, last < p->items ? last : p->items, worker);
}

static void share_items(pass *p, int64_t items, stz_team_task *task, void *context) {
  p->items = items;
  p->task = task;
  p->context = context;
  p->piece = stz_team_parts(items, PARTS);
  if (p->v->inner)
    stz_team_run(p->v->inner, items, PIECE, task, context);
  else
    stz_team_share(p->v->team, (int)stz_team_parts(items, p->piece), do_parts, p);
}

void stz_convolution_run(const stz_convolution *convolution, const stz_convolution_step *step) {
  pass p = {.v = convolution, .step = step};
  share_components(&p, go_forward);
  share_items(&p, step->items, step->change, step->changing);
  share_components(&p, go_back);
  share_items(&p, convolution->rows, take_rows, &p);
}
