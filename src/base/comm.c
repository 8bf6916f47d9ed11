// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/comm.h"

#include <stdio.h>
#include <string.h>

int stz_comm_rank(MPI_Comm comm) {
  int rank = 0;
  if (comm != MPI_COMM_NULL) MPI_Comm_rank(comm, &rank);
  return rank;
}

int stz_comm_size(MPI_Comm comm) {
  int size = 1;
  if (comm != MPI_COMM_NULL) MPI_Comm_size(comm, &size);
  return size;
}

void stz_broadcast(MPI_Comm comm, void *data, size_t bytes) {
  if (comm != MPI_COMM_NULL) MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, comm);
}

stz_err stz_agree(MPI_Comm comm, stz_err local) {
  const int rank = stz_comm_rank(comm), size = stz_comm_size(comm);
  if (comm == MPI_COMM_NULL) return local;
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
