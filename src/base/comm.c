// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/comm.h"

#include <stdio.h>
#include <string.h>

stz_err stz_agree(MPI_Comm comm, stz_err local) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  int failing = local == STZ_OK ? size : rank;
  int first;
  MPI_Allreduce(&failing, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first == size) return STZ_OK;
  struct {
    int code;
    char text[1024];
  } report = {.code = (int)local};
  if (rank == first) snprintf(report.text, sizeof report.text, "%s", stz_error_message());
  MPI_Bcast(&report, (int)sizeof report, MPI_BYTE, first, comm);
  return stz_fail((stz_err)report.code, "%s", report.text);
}

double stz_ordered_sum(const double *values, int count) {
  double sum = 0.0;
  for (int i = 0; i < count; i++) sum += values[i];
  return sum;
}
