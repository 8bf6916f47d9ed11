// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/checkpoint.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/hdf.h"

enum { PIECE = 1 << 24, MOST_TEXT = 1 << 28 }; // bytes moved between ranks at a time; of a text

struct stz_checkpoint {
  const stz_grid *grid;
  bool root, writing;
  char *path, *temporary;
  stz_hdf hdf; // rank 0's
};

#define ON_ROOT(c, call) stz_agree(stz_grid_comm((c)->grid), (c)->root ? stz_hdf_outcome(&(c)->hdf, (call)) : STZ_OK)

static stz_err begin(const stz_grid *grid, const char *path, bool writing, stz_checkpoint **checkpoint) {
  stz_checkpoint *c = NULL;
  stz_err err = STZ_NEW(c, 1);
  if (err == STZ_OK) {
    c->grid = grid;
    c->root = stz_grid_rank(grid) == 0;
    c->writing = writing;
    c->hdf.file = -1;
    err = STZ_NEW(c->path, strlen(path) + 1);
  }
  if (err == STZ_OK) err = STZ_NEW(c->temporary, strlen(path) + 9);
  if (err == STZ_OK) {
    memcpy(c->path, path, strlen(path) + 1);
    snprintf(c->temporary, strlen(path) + 9, "%s.writing", path);
  }
  *checkpoint = c;
  return stz_agree(stz_grid_comm(grid), err);
}

void stz_checkpoint_close(stz_checkpoint **checkpoint) {
  stz_checkpoint *c = *checkpoint;
  if (!c) return;
  if (c->root && c->hdf.file >= 0) {
    (void)!stz_hdf_close(&c->hdf);
    if (c->writing) unlink(c->temporary);
  }
  stz_free(c->path);
  stz_free(c->temporary);
  stz_free(c);
  *checkpoint = NULL;
}

static stz_err create(stz_checkpoint *c) { return stz_hdf_create(c->temporary, true, stz_grid_team(c->grid), &c->hdf); }

stz_err stz_checkpoint_create(const stz_grid *grid, const char *path, stz_checkpoint **checkpoint) {
  stz_err err = begin(grid, path, true, checkpoint);
  if (err == STZ_OK) err = ON_ROOT(*checkpoint, create(*checkpoint));
  if (err == STZ_OK) err = ON_ROOT(*checkpoint, stz_hdf_publish(&(*checkpoint)->hdf));
  if (err != STZ_OK) stz_checkpoint_close(checkpoint);
  return err;
}

static stz_err open_whole(stz_checkpoint *c) {
  STZ_TRY(stz_disk_check_seal(c->path, stz_grid_team(c->grid)));
  return stz_hdf_open(c->path, stz_grid_team(c->grid), &c->hdf);
}

stz_err stz_checkpoint_open(const stz_grid *grid, const char *path, stz_checkpoint **checkpoint) {
  stz_err err = begin(grid, path, false, checkpoint);
  if (err == STZ_OK) err = ON_ROOT(*checkpoint, open_whole(*checkpoint));
  if (err != STZ_OK) stz_checkpoint_close(checkpoint);
  return err;
}

static stz_err seal_and_rename(stz_checkpoint *c, const char *previous) {
  stz_err err = stz_hdf_close_sealed(&c->hdf);
  if (err == STZ_OK && access(c->path, F_OK) == 0) err = stz_disk_rename(c->path, previous);
  if (err == STZ_OK) err = stz_disk_rename(c->temporary, c->path);
  if (err != STZ_OK) unlink(c->temporary);
  return err;
}

stz_err stz_checkpoint_commit(stz_checkpoint **checkpoint, const char *previous) {
  stz_checkpoint *c = *checkpoint;
  const stz_err err = stz_agree(stz_grid_comm(c->grid), c->root ? seal_and_rename(c, previous) : STZ_OK);
  stz_checkpoint_close(checkpoint);
  return err;
}

// --- blocks: one-dimensional datasets of bytes ---

static stz_err create_block(stz_checkpoint *c, const char *name, hsize_t bytes, hid_t *dataset) {
  const stz_dataset block = {name, "1", "state of the run", "byte", STZ_UINT8};
  return stz_hdf_dataset(&c->hdf, name, &block, stz_hdf_type(block.type), &bytes, NULL, H5P_DEFAULT, dataset);
}

static stz_err open_block(stz_checkpoint *c, const char *name, hsize_t bytes, hid_t *dataset) {
  *dataset = H5Dopen2(c->hdf.file, name, H5P_DEFAULT);
  if (*dataset < 0) return stz_hdf_fail(&c->hdf, name);
  const hid_t space = H5Dget_space(*dataset);
  const hssize_t there = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  if (there == (hssize_t)bytes) return STZ_OK;
  H5Dclose(*dataset);
  return stz_fail(STZ_EIO, "%s: %s: has %lld bytes, needs %llu", c->path, name, (long long)there,
                  (unsigned long long)bytes);
}

// Writes to or reads from `count` bytes of a block at `from`.
static stz_err transfer(stz_checkpoint *c, const char *name, hid_t dataset, hsize_t from, hsize_t count, void *data) {
  if (count == 0) return STZ_OK;
  const hid_t memory = H5Screate_simple(1, &count, NULL), file = H5Dget_space(dataset);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, &from, NULL, &count, NULL);
  const herr_t done = c->writing ? H5Dwrite(dataset, H5T_NATIVE_UINT8, memory, file, H5P_DEFAULT, data)
                                 : H5Dread(dataset, H5T_NATIVE_UINT8, memory, file, H5P_DEFAULT, data);
  H5Sclose(memory);
  H5Sclose(file);
  return done < 0 ? stz_hdf_fail(&c->hdf, name) : STZ_OK;
}

// Rank 0's part of moving a block: its own bytes, then each other rank's, piece by piece. After a failure the other
// ranks are still served.
static stz_err serve(stz_checkpoint *c, const char *name, hid_t dataset, void *data, const uint64_t *shares,
                     char *piece) {
  const MPI_Comm comm = stz_grid_comm(c->grid);
  hsize_t at = shares[0];
  stz_err err = transfer(c, name, dataset, 0, at, data);
  for (int rank = 1; rank < stz_grid_ranks(c->grid); rank++) {
    for (uint64_t done = 0; done < shares[rank]; done += PIECE) {
      const uint64_t left = shares[rank] - done, count = left < PIECE ? left : PIECE;
      if (c->writing) MPI_Recv(piece, (int)count, MPI_BYTE, rank, 0, comm, MPI_STATUS_IGNORE);
      if (err == STZ_OK) err = transfer(c, name, dataset, at, count, piece);
      if (!c->writing) MPI_Send(piece, (int)count, MPI_BYTE, rank, 0, comm);
      at += count;
    }
  }
  return err;
}

static void be_served(const stz_checkpoint *c, char *data, size_t bytes) {
  const MPI_Comm comm = stz_grid_comm(c->grid);
  for (size_t done = 0; done < bytes; done += PIECE) {
    const int count = bytes - done < PIECE ? (int)(bytes - done) : PIECE;
    if (c->writing) {
      MPI_Send(data + done, count, MPI_BYTE, 0, 0, comm);
    } else {
      MPI_Recv(data + done, count, MPI_BYTE, 0, 0, comm, MPI_STATUS_IGNORE);
    }
  }
}

static stz_err move_block(stz_checkpoint *c, const char *name, void *data, size_t bytes) {
  const MPI_Comm comm = stz_grid_comm(c->grid);
  const uint64_t share = bytes;
  uint64_t *shares = NULL;
  char *piece = NULL;
  hid_t dataset = -1;
  stz_err err = STZ_NEW(shares, stz_grid_ranks(c->grid));
  if (err == STZ_OK && c->root && stz_grid_ranks(c->grid) > 1) err = STZ_NEW(piece, PIECE);
  err = stz_agree(comm, err);
  if (err == STZ_OK) {
    hsize_t total = 0;
    MPI_Allgather(&share, 1, MPI_UINT64_T, shares, 1, MPI_UINT64_T, comm);
    for (int rank = 0; rank < stz_grid_ranks(c->grid); rank++) total += shares[rank];
    err = ON_ROOT(c, (c->writing ? create_block : open_block)(c, name, total, &dataset));
  }
  if (err == STZ_OK) {
    if (!c->root) be_served(c, data, bytes);
    err = ON_ROOT(c, serve(c, name, dataset, data, shares, piece));
    if (c->root) H5Dclose(dataset);
  }
  stz_free(shares);
  stz_free(piece);
  return err;
}

stz_err stz_checkpoint_put(stz_checkpoint *checkpoint, const char *name, const void *data, size_t bytes) {
  return move_block(checkpoint, name, (void *)(uintptr_t)data, bytes);
}

stz_err stz_checkpoint_get(stz_checkpoint *checkpoint, const char *name, void *data, size_t bytes) {
  return move_block(checkpoint, name, data, bytes);
}

// What every rank has is read by all from rank 0.
static stz_err get_common(stz_checkpoint *c, const char *name, void *data, size_t bytes) {
  STZ_TRY(move_block(c, name, data, c->root ? bytes : 0));
  MPI_Bcast(data, (int)bytes, MPI_BYTE, 0, stz_grid_comm(c->grid));
  return STZ_OK;
}

// Memory as it lay there is taken back only as it was: nothing in it is looked at before.
static const char SUM[] = "fnv1a";

static stz_err put_sum(const stz_checkpoint *c, const char *name, const void *data, size_t bytes) {
  const uint64_t sum = stz_fnv(STZ_FNV_OF_NOTHING, data, bytes);
  return stz_hdf_attribute(&c->hdf, name, SUM, H5T_NATIVE_UINT64, 0, &sum);
}

static stz_err check_sum(const stz_checkpoint *c, const char *name, const void *data, size_t bytes) {
  uint64_t sum;
  if (stz_hdf_numbers(c->hdf.file, name, SUM, H5T_NATIVE_UINT64, 1, &sum) &&
      sum == stz_fnv(STZ_FNV_OF_NOTHING, data, bytes))
    return STZ_OK;
  return stz_fail(STZ_EIO, "%s: %s: is not as it was written", c->path, name);
}

stz_err stz_checkpoint_put_common(stz_checkpoint *checkpoint, const char *name, const void *data, size_t bytes) {
  STZ_TRY(stz_checkpoint_put(checkpoint, name, data, checkpoint->root ? bytes : 0));
  return ON_ROOT(checkpoint, put_sum(checkpoint, name, data, bytes));
}

stz_err stz_checkpoint_get_common(stz_checkpoint *checkpoint, const char *name, void *data, size_t bytes) {
  STZ_TRY(get_common(checkpoint, name, data, bytes));
  return ON_ROOT(checkpoint, check_sum(checkpoint, name, data, bytes));
}

static stz_err find_length(stz_checkpoint *c, const char *name, uint64_t *bytes) {
  struct stat status;
  const hid_t dataset = H5Dopen2(c->hdf.file, name, H5P_DEFAULT);
  if (dataset < 0) return stz_hdf_fail(&c->hdf, name);
  const hid_t space = H5Dget_space(dataset);
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  H5Dclose(dataset);
  if (stat(c->path, &status) != 0) status.st_size = 0;
  if (points < 0 || points > status.st_size) {
    return stz_fail(STZ_EIO, "%s: %s: claims to have %lld bytes, more than the file", c->path, name, (long long)points);
  }
  *bytes = (uint64_t)points;
  return STZ_OK;
}

stz_err stz_checkpoint_length(stz_checkpoint *c, const char *name, uint64_t *bytes) {
  *bytes = 0;
  STZ_TRY(stz_agree(stz_grid_comm(c->grid), c->root ? find_length(c, name, bytes) : STZ_OK));
  MPI_Bcast(bytes, 1, MPI_UINT64_T, 0, stz_grid_comm(c->grid));
  return STZ_OK;
}

stz_err stz_checkpoint_put_text(stz_checkpoint *checkpoint, const char *name, const char *text) {
  return stz_checkpoint_put(checkpoint, name, text, checkpoint->root ? strlen(text) + 1 : 0);
}

stz_err stz_checkpoint_get_text(stz_checkpoint *checkpoint, const char *name, char **text) {
  uint64_t bytes;
  *text = NULL;
  STZ_TRY(stz_checkpoint_length(checkpoint, name, &bytes));
  if (bytes > MOST_TEXT) return stz_fail(STZ_EIO, "%s: %s: too long for a text", checkpoint->path, name);
  STZ_TRY(stz_agree(stz_grid_comm(checkpoint->grid), STZ_NEW(*text, bytes + 1)));
  const stz_err err = get_common(checkpoint, name, *text, bytes);
  if (err != STZ_OK) {
    stz_free(*text);
    *text = NULL;
  }
  return err;
}

stz_err stz_checkpoint_put_result(stz_checkpoint *checkpoint, stz_result *result) {
  void *image = NULL;
  size_t bytes = 0;
  STZ_TRY(stz_result_flush(result));
  stz_err err = checkpoint->root ? stz_disk_read(stz_result_path(result), &image, &bytes) : STZ_OK;
  err = stz_agree(stz_grid_comm(checkpoint->grid), err);
  if (err == STZ_OK) err = stz_checkpoint_put(checkpoint, "result", image, bytes);
  stz_free(image);
  return err;
}

stz_err stz_checkpoint_get_result(stz_checkpoint *checkpoint, const char *path) {
  uint64_t bytes;
  char *image = NULL;
  STZ_TRY(stz_checkpoint_length(checkpoint, "result", &bytes));
  const uint64_t share = checkpoint->root ? bytes : 0;
  stz_err err = stz_agree(stz_grid_comm(checkpoint->grid), STZ_NEW(image, share));
  if (err == STZ_OK) err = stz_checkpoint_get(checkpoint, "result", image, share);
  if (err == STZ_OK) {
    const stz_err replaced = checkpoint->root ? stz_disk_replace(path, image, bytes) : STZ_OK;
    err = stz_agree(stz_grid_comm(checkpoint->grid), replaced);
  }
  stz_free(image);
  return err;
}
