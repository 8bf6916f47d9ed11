// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/kernel.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/comm.h"
#include "base/memory.h"
#include "config/config.h"
#include "sim/kernel.h"
#include "sim/sim.h"

enum { COMPONENTS = 6 };

// `count` numbers with commas between them and nothing else; false if `text` is none.
static bool read_list(const char *text, int count, double *values) {
  for (int i = 0; i < count; i++) {
    char *end;
    errno = 0;
    values[i] = strtod(text, &end);
    if (end == text || errno == ERANGE || !isfinite(values[i]) || *end != (i + 1 < count ? ',' : 0)) return false;
    text = end + 1;
  }
  return true;
}

static stz_err read_site(const char *option, const char *text, const int cells[3], int site[3]) {
  double values[3];
  bool good = read_list(text, 3, values);
  for (int axis = 0; axis < 3 && good; axis++) {
    good = values[axis] >= 0.0 && values[axis] < cells[axis] && values[axis] == floor(values[axis]);
    site[axis] = good ? (int)values[axis] : 0;
  }
  if (good) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got `%s`, needs X,Y,Z, integers from 0,0,0 to %d,%d,%d, a voxel of the box", option,
                  text, cells[0] - 1, cells[1] - 1, cells[2] - 1);
}

static const double LARGEST = 1e3, TRACE = 1e-5; // of a strain; of its trace, over its largest component
static const double STRETCH = 0.3;               // as far as the operator's aliases reach

static stz_err read_strain(const char *text, double strain[COMPONENTS]) {
  double largest = 0.0;
  const bool good = read_list(text, COMPONENTS, strain);
  for (int v = 0; v < COMPONENTS && good; v++) largest = fmax(largest, fabs(strain[v]));
  if (!good || largest > LARGEST) {
    return stz_fail(STZ_EINPUT, "--strain: got `%s`, needs six numbers XX,YY,ZZ,YZ,XZ,XY of at most %g", text, LARGEST);
  }
  const double trace = strain[0] + strain[1] + strain[2];
  if (fabs(trace) <= TRACE * largest) return STZ_OK;
  return stz_fail(STZ_EINPUT, "--strain: got `%s`, needs XX + YY + ZZ = 0, as a shear keeps the volume; it is %g", text,
                  trace);
}

static stz_err read_stretch(const char *text, const stz_config *config, double stretch[3]) {
  bool good = read_list(text, 3, stretch);
  for (int axis = 0; axis < 3 && good; axis++) good = fabs(stretch[axis]) <= STRETCH;
  if (!good) return stz_fail(STZ_EINPUT, "--stretch: got `%s`, needs three numbers X,Y,Z of at most %g", text, STRETCH);
  const bool contrast = stz_sim_varies(config);
  if (config->lattice.boundary != STZ_BOUNDARY_FILM && !contrast) return STZ_OK;
  return stz_fail(STZ_EINPUT, "--stretch: got `%s`, needs a periodic box with uniform moduli", text);
}

static stz_err read_request(const stz_cli *cli, const stz_config *config, stz_kernel_request *request, int (*at)[3]) {
  const int *cells = config->lattice.cells;
  STZ_TRY(read_site("--event", cli->event, cells, request->event));
  STZ_TRY(read_strain(cli->strain, request->strain));
  if (cli->stretch) STZ_TRY(read_stretch(cli->stretch, config, request->stretch));
  for (int i = 0; i < cli->at_count; i++) STZ_TRY(read_site("--at", cli->at[i], cells, at[i]));
  request->at = (const int(*)[3])at;
  request->count = cli->at_count;
  return STZ_OK;
}

static void print_sites(const stz_kernel_request *request, bool json) {
  if (json) printf("{\"sites\": [");
  for (int i = 0; i < request->count && json; i++) {
    printf("%s[%d, %d, %d]", i > 0 ? ", " : "", request->at[i][0], request->at[i][1], request->at[i][2]);
  }
  if (json) printf("], \"stress_GPa\": [");
}

static void print_stress(const stz_kernel_request *request, const double (*stress)[COMPONENTS], bool json) {
  if (!json) puts("# x y z  xx yy zz yz xz xy (GPa)");
  print_sites(request, json);
  for (int i = 0; i < request->count; i++) {
    const double *s = stress[i];
    if (json) {
      printf("%s[%.9g, %.9g, %.9g, %.9g, %.9g, %.9g]", i > 0 ? ", " : "", s[0], s[1], s[2], s[3], s[4], s[5]);
    } else {
      printf("%d %d %d  %.6g %.6g %.6g %.6g %.6g %.6g\n", request->at[i][0], request->at[i][1], request->at[i][2], s[0],
             s[1], s[2], s[3], s[4], s[5]);
    }
  }
  if (json) puts("]}");
}

static stz_err find_and_print(MPI_Comm comm, const stz_cli *cli, const stz_config *config) {
  stz_kernel_request request = {0};
  int(*at)[3] = NULL;
  double(*stress)[COMPONENTS] = NULL;
  stz_err err = STZ_NEW(at, cli->at_count);
  if (err == STZ_OK) err = STZ_NEW(stress, cli->at_count);
  if (err == STZ_OK) err = read_request(cli, config, &request, at);
  err = stz_agree(comm, err);
  if (err == STZ_OK) err = stz_sim_kernel(comm, config, &request, stress);
  if (err == STZ_OK && stz_comm_rank(comm) == 0) print_stress(&request, (const double(*)[COMPONENTS])stress, cli->json);
  stz_free(at);
  stz_free(stress);
  return err;
}

stz_err stz_app_kernel(MPI_Comm comm, const stz_cli *cli) {
  stz_config *config = NULL;
  if (!cli->event) return stz_fail(STZ_EINPUT, "kernel: got no --event, needs the site X,Y,Z of the event");
  if (!cli->strain) return stz_fail(STZ_EINPUT, "kernel: got no --strain, needs the event's XX,YY,ZZ,YZ,XZ,XY");
  if (cli->at_count == 0)
    return stz_fail(STZ_EINPUT, "kernel: got no --at, needs a site X,Y,Z where to find the stress");
  STZ_TRY(stz_config_read(comm, cli->file, cli->overrides, cli->override_count, &config));
  const stz_err err = find_and_print(comm, cli, config);
  stz_config_destroy(&config);
  return err;
}
