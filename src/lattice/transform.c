// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/transform.h"

#include <complex.h>
#include <fftw3.h>

#include "base/memory.h"

struct stz_transform {
  fftwf_plan forward, inverse;
};

stz_err stz_transform_create(const int cells[3], float *field, stz_transform **transform) {
  stz_transform *t = NULL;
  fftwf_complex *spectrum = (fftwf_complex *)(void *)field;
  *transform = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  // FFTW_ESTIMATE alone chooses the same algorithm in every run.
  t->forward = fftwf_plan_dft_r2c_3d(cells[0], cells[1], cells[2], field, spectrum, FFTW_ESTIMATE);
  t->inverse = fftwf_plan_dft_c2r_3d(cells[0], cells[1], cells[2], spectrum, field, FFTW_ESTIMATE);
  if (!t->forward || !t->inverse) {
    stz_transform_destroy(&t);
    return stz_fail(STZ_EINTERNAL, "FFTW could not plan a transform of %d x %d x %d in single precision", cells[0],
                    cells[1], cells[2]);
  }
  *transform = t;
  return STZ_OK;
}

void stz_transform_destroy(stz_transform **transform) {
  stz_transform *t = *transform;
  if (!t) return;
  if (t->forward) fftwf_destroy_plan(t->forward);
  if (t->inverse) fftwf_destroy_plan(t->inverse);
  stz_free(t);
  *transform = NULL;
}

int stz_transform_row(const int cells[3]) { return 2 * (cells[2] / 2 + 1); }

void stz_transform_forward(const stz_transform *transform, float *field) {
  fftwf_execute_dft_r2c(transform->forward, field, (fftwf_complex *)(void *)field);
}

void stz_transform_inverse(const stz_transform *transform, float *field) {
  fftwf_execute_dft_c2r(transform->inverse, (fftwf_complex *)(void *)field, field);
}
