// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// What the surfaces of a film add to the kernel of one event, in the parts of split.h: the image, which is the plate
// less the periodic box of the tables (plate.h). The same windows as elsewhere, along x and y, keep its second moment:
// level l carries g_l - g_(l+1) of the image of an event in one of the layers next to a face, and the near part the
// rest of the image. Along z no window is needed, since the image falls as exp(-kz): coefficients of the nodes are
// those whose splines come nearest to the image in the layers.
#ifndef STZ_ELASTIC_IMAGES_H
#define STZ_ELASTIC_IMAGES_H

#include "elastic/elastic.h"
#include "elastic/plate.h"

enum {
  STZ_IMAGE_LAYERS = 32, // next to each face, whose events have images in the levels
  STZ_IMAGE_NEAR = 12,   // voxels: the near part of an image reaches so far from the mirror image of the event
  STZ_IMAGE_WINDOW = 64  // layers from a face on that such an image reaches
};

// Images of the parts, on the quadrant of offsets along x and y, [layer][5 c + d][z or node][x][y]. `layer`: of the
// special ones, from z = 0 on; z counts from `first` of the layer, nodes from one before that.
typedef struct stz_images {
  int layers, special, window, levels;
  int reach[2][2];           // of a level, largest x and y
  int nodes[2];              // of a level, along z
  int near_reach;            // along x and y
  float *level[2], *near[2]; // near: the near part, and the whole image where that reaches
  double (*self)[5][5];      // stress of an event at its own site
} stz_images;

// `levels`: that have tables; `open_end`: whether the last of them has no end; `cells` (of the box of the tables) as in
// stz_split.
stz_err stz_images_create(const stz_grid *grid, const stz_elastic *elastic, const int cells[3], int levels,
                          bool open_end, stz_images **images) STZ_MUST_USE;
void stz_images_destroy(stz_images **images);

// Number of a layer among the special ones, -1 if it is none.
static inline int stz_images_number(int layers, int z) {
  const int half = layers / 2 < STZ_IMAGE_LAYERS ? layers / 2 : STZ_IMAGE_LAYERS;
  return z < half ? z : z >= layers - half ? z - layers + 2 * half : -1;
}

// First layer of the window of a special layer.
static inline int stz_images_first(const stz_images *images, int number) {
  return number < images->special / 2 ? 0 : images->layers - images->window;
}

// Value of a part at an offset of either sign along x and y.
static inline float stz_images_level(const stz_images *i, int l, int number, int entry, int node, int x, int y) {
  const size_t row = ((size_t)number * 25 + (size_t)entry) * (size_t)i->nodes[l] + (size_t)node;
  return i->level[l][(row * (size_t)(i->reach[l][0] + 1) + (size_t)x) * (size_t)(i->reach[l][1] + 1) + (size_t)y];
}
static inline float stz_images_near(const stz_images *i, bool whole, int number, int entry, int z, int x, int y) {
  const size_t row = ((size_t)number * 25 + (size_t)entry) * (size_t)i->window + (size_t)z,
               n = (size_t)i->near_reach + 1;
  return i->near[whole][(row * n + (size_t)x) * n + (size_t)y];
}

// Splines of spacing h from the nodes -1 to count/h + 1 (`nodes` of them) to the sites 0 to count - 1: fit[node][site]
// are the coefficients nearest to a field.
int stz_images_nodes(int count, int h);
stz_err stz_images_fit(int count, int h, double **fit) STZ_MUST_USE;

#endif
