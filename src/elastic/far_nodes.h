// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// The nodes of far.h in memory, of all and of a part.
#ifndef STZ_ELASTIC_FAR_NODES_H
#define STZ_ELASTIC_FAR_NODES_H

#include <string.h>

#include "elastic/far.h"
#include "elastic/fixed.h"
#include "elastic/total.h"

enum { WINDOW = STZ_LEVEL_WINDOW, LINE = STZ_LEVEL_LINE, BEFORE = 8, BEYOND = WINDOW, GRIDS = STZ_LEVELS + 1 };

// Nodes of one spacing: rows along z, [x][y][z][c], so that what an event changes lies together. It adds to 16 nodes
// that may run on beyond the last one: these belong to the first nodes and are added to them when they are read. Zeros
// before each row, and behind the last of a plane, let any reading run on.
typedef struct nodes {
  int spacing, count[3], row; // row: BEFORE + count + BEYOND nodes
  bool open;                  // a film's: the nodes beyond the ends are others
  int32_t **plane;            // by x, in the split's units; NULL: a part has none
  int32_t *sink;              // of a part: takes what goes to planes that it has not, LINE numbers
  const float (*spline)[4];
} nodes;

// The part that is convolved: what events have put on the nodes.
typedef struct coarse {
  stz_total *total;
  int64_t *source; // strain [c][x][y][z], STZ_FINE a unit
  float spline[STZ_COARSE][4];
} coarse;

struct stz_far {
  const stz_split *split;
  const stz_far *whole; // of a part
  int grids;
  nodes grid[GRIDS];
  coarse coarse;
  int32_t **planes; // the tables of all grids
  size_t bytes;
  char *state; // of a part: sink and copies
};

// Numbers of a plane.
static inline size_t plane_values(const nodes *n) { return 5 * (size_t)n->count[1] * (size_t)n->row; }

// Node z of a row; z may be from -BEFORE on.
static inline int32_t *node_of(const nodes *n, int x, int y, int z) {
  return n->plane[x] + 5 * ((size_t)y * (size_t)n->row + (size_t)(BEFORE + z));
}

// The node z of a row where reading or adding begins.
static inline int begin_at(const nodes *n, int z) { return n->open ? z : stz_wrap_once(z, n->count[2]); }

// Which parts of a row make up the nodes from z on: what events have carried beyond the last node belongs to the first.
typedef struct images {
  int z[3], count;
} images;

static inline images images_of(const nodes *n, int z, int length) {
  images i = {{z}, 1};
  if (n->open) return i;
  if (z < WINDOW) i.z[i.count++] = z + n->count[2];
  if (z + length > n->count[2]) i.z[i.count++] = z - n->count[2];
  return i;
}

typedef stz_lanes lanes;
typedef int32_t loose_wholes __attribute__((vector_size(32), aligned(4), may_alias));

static inline __attribute__((always_inline)) lanes at_nodes(const int32_t *value) {
  return __builtin_convertvector(*(const loose_wholes *)value, lanes);
}

// Adds the stress out of 4 nodes' 20 weighted numbers, and 4 more.
static inline __attribute__((always_inline)) void add_stress(lanes s0, lanes s1, lanes s2, const float wz[4],
                                                             float unit, float stress[5]) {
  float sum[24];
  memcpy(sum, &s0, sizeof s0);
  memcpy(sum + 8, &s1, sizeof s1);
  memcpy(sum + 16, &s2, sizeof s2);
  for (int c = 0; c < 5; c++) {
    stress[c] += unit * ((wz[0] * sum[c] + wz[1] * sum[5 + c]) + (wz[2] * sum[10 + c] + wz[3] * sum[15 + c]));
  }
}

#endif
