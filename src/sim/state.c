// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/build.h"
#include "base/comm.h"
#include "base/fnv.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/disk.h"
#include "sim/output.h"

// Counts up with each change of what a checkpoint holds. Blocks are the structs as they lie in memory: a program of
// another compiler, byte order or layout does not read them.
#define FORMAT "stzkmc-checkpoint 7, stzkmc " STZ_VERSION
enum { FORMAT_SIZE = 256 };

stz_err stz_state_paths_of(const char *output, stz_state_paths *paths) {
  *paths = (stz_state_paths){0};
  STZ_TRY(stz_output_path(output, ".ckpt.h5", &paths->newest));
  return stz_output_path(output, ".ckpt.prev.h5", &paths->previous);
}

void stz_state_paths_clear(stz_state_paths *paths) {
  stz_free(paths->newest);
  stz_free(paths->previous);
  *paths = (stz_state_paths){0};
}

// --- blocks ---

// Goes over the state fields of a registry; each component is a block of its own.
static stz_err move_fields(stz_checkpoint *c, const char *group, const stz_fields *fields, const stz_grid *grid,
                           bool put) {
  const size_t sites = (size_t)stz_grid_local_sites(grid), stride = stz_field_stride(grid);
  for (int i = 0; fields && i < stz_fields_count(fields); i++) {
    const stz_field_spec *spec = stz_fields_spec(fields, i);
    const size_t size = stz_field_size(spec->type);
    for (int component = 0; component < spec->components && spec->role == STZ_FIELD_STATE; component++) {
      char name[96], *data = (char *)stz_fields_data(fields, i) + (size_t)component * stride * size;
      snprintf(name, sizeof name, "%s_%s_%d", group, spec->name, component);
      STZ_TRY(put ? stz_checkpoint_put(c, name, data, sites * size) : stz_checkpoint_get(c, name, data, sites * size));
    }
  }
  return STZ_OK;
}

// The engine's own blocks.
static stz_err move_blocks(stz_checkpoint *c, const stz_kmc *kmc, bool put) {
  size_t bytes;
  void *block;
  for (int i = 0; (block = stz_kmc_block(kmc, i, &bytes)) != NULL; i++) {
    char name[32];
    snprintf(name, sizeof name, "engine_block_%d", i);
    STZ_TRY(put ? stz_checkpoint_put(c, name, block, bytes) : stz_checkpoint_get(c, name, block, bytes));
  }
  return STZ_OK;
}

// What the sample keeps beside its fields and the order of its clusters.
typedef struct saved_sample {
  uint64_t reversals, hash;
  stz_recovery recovery;
} saved_sample;

// format[FORMAT_SIZE]
static void describe_format(char *format) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  snprintf(format, FORMAT_SIZE, FORMAT ", " STZ_COMPILER ", %s-endian, layout %zu %zu %zu %zu %zu %zu %zu %zu",
           first ? "little" : "big", sizeof(int), sizeof(long), sizeof(void *), _Alignof(double), sizeof(bool),
           sizeof(saved_sample), sizeof(stz_kmc_stats), stz_load_saved_bytes());
}

static stz_err put_order(stz_checkpoint *c, const stz_glass *glass) {
  int64_t count;
  uint8_t *ordered = NULL;
  (void)stz_glass_clusters(glass, &count);
  STZ_TRY(stz_agree(stz_grid_comm(stz_glass_grid(glass)), STZ_NEW(ordered, count)));
  stz_glass_save_order(glass, ordered);
  const stz_err err = stz_checkpoint_put(c, "clusters", ordered, (size_t)count);
  stz_free(ordered);
  return err;
}

static stz_err get_order(stz_checkpoint *c, stz_glass *glass, const saved_sample *saved) {
  int64_t count;
  uint8_t *ordered = NULL;
  (void)stz_glass_clusters(glass, &count);
  STZ_TRY(stz_agree(stz_grid_comm(stz_glass_grid(glass)), STZ_NEW(ordered, count)));
  const stz_err err = stz_checkpoint_get(c, "clusters", ordered, (size_t)count);
  if (err == STZ_OK) stz_glass_restore(glass, ordered, saved->reversals, saved->recovery);
  stz_free(ordered);
  return err;
}

// What is kept as plain bytes, the same on every rank: the record, the engine and the load, in `room` for the largest.
static size_t room_for(const stz_recorder *record) {
  const size_t bytes[] = {stz_recorder_saved_bytes(record), STZ_KMC_SAVED_BYTES, stz_load_saved_bytes()};
  const size_t more = bytes[1] > bytes[2] ? bytes[1] : bytes[2];
  return bytes[0] > more ? bytes[0] : more;
}

static stz_err put_bytes(stz_checkpoint *c, const stz_recorder *record, void *room) {
  const size_t bytes = stz_recorder_saved_bytes(record);
  stz_recorder_save(record, room);
  STZ_TRY(stz_checkpoint_put_common(c, "record", room, bytes));
  stz_kmc_save(record->sample->kmc, room);
  STZ_TRY(stz_checkpoint_put_common(c, "engine", room, STZ_KMC_SAVED_BYTES));
  stz_load_save(record->sample->load, room);
  return stz_checkpoint_put_common(c, "load", room, stz_load_saved_bytes());
}

// Only a sample that is the one saved is shown to the record: observers count over its sites.
static stz_err get_bytes(stz_checkpoint *c, stz_recorder *record, void *room, size_t record_bytes, uint64_t hash) {
  STZ_TRY(stz_checkpoint_get_common(c, "engine", room, STZ_KMC_SAVED_BYTES));
  stz_kmc_restore(record->sample->kmc, room);
  STZ_TRY(stz_checkpoint_get_common(c, "load", room, stz_load_saved_bytes()));
  stz_load_restore(record->sample->load, room);
  if (stz_sample_hash(record->sample) != hash)
    return stz_fail(STZ_EINTERNAL, "the restored state is not the one saved");
  STZ_TRY(stz_checkpoint_get_common(c, "record", room, record_bytes));
  return stz_recorder_restore(record, room, record_bytes);
}

static stz_err put_all(stz_checkpoint *c, stz_recorder *record, void *room) {
  const stz_sample *s = record->sample;
  char format[FORMAT_SIZE];
  saved_sample saved;
  describe_format(format);
  memset(&saved, 0, sizeof saved);
  saved.reversals = stz_glass_reversals(s->glass);
  saved.recovery = stz_glass_recovery_state(s->glass);
  saved.hash = stz_sample_hash(s);
  STZ_TRY(stz_checkpoint_put_text(c, "format", format));
  STZ_TRY(stz_checkpoint_put_text(c, "resolved", record->view.config->resolved_text));
  STZ_TRY(stz_checkpoint_put_common(c, "sample", &saved, sizeof saved));
  STZ_TRY(put_bytes(c, record, room));
  STZ_TRY(move_fields(c, "glass", stz_glass_fields(s->glass), s->grid, true));
  STZ_TRY(move_fields(c, "engine", stz_kmc_fields(s->kmc), s->grid, true));
  STZ_TRY(move_blocks(c, s->kmc, true));
  STZ_TRY(put_order(c, s->glass));
  return stz_checkpoint_put_result(c, record->view.result);
}

stz_err stz_state_save(const stz_state_paths *paths, stz_recorder *record) {
  stz_checkpoint *c = NULL;
  char *room = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(record->sample->grid), STZ_NEW(room, room_for(record))));
  stz_err err = stz_checkpoint_create(record->sample->grid, paths->newest, &c);
  if (err == STZ_OK) err = put_all(c, record, room);
  stz_free(room);
  if (err != STZ_OK) {
    stz_checkpoint_close(&c);
    return err;
  }
  stz_log(STZ_LOG_DETAIL, "checkpoint %s", paths->newest);
  return stz_checkpoint_commit(&c, paths->previous);
}

// --- finding and comparing ---

// Takes the next line of a resolved input without its comment and blanks at the end, passing over empty ones and keys
// that may change between the parts of a run. Returns its length, 0 at the end.
static size_t next_setting(const char **text, const char **line) {
  static const char file[] = "# file: "; // a comment that counts: a file that the run reads, with a hash of its content
  static const char may_change[] = "checkpoint_every_wall_s";
  while (**text) {
    const char *start = *text + strspn(*text, " \t");
    const size_t whole = strcspn(start, "\n"), comment = strcspn(start, "#\n");
    if (strncmp(start, file, sizeof file - 1) == 0) {
      *text = start + whole + (start[whole] == '\n');
      *line = start + sizeof file - 1;
      return whole - (sizeof file - 1);
    }
    size_t length = comment < whole ? comment : whole;
    while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t')) length--;
    *text = start + whole + (start[whole] == '\n');
    if (length == 0 || strncmp(start, may_change, sizeof may_change - 1) == 0) continue;
    *line = start;
    return length;
  }
  return 0;
}

uint64_t stz_state_input_hash(const char *resolved) {
  const char *line = "";
  uint64_t hash = STZ_FNV_OF_NOTHING; // of the settings, each closed by a newline
  for (size_t length; (length = next_setting(&resolved, &line)) > 0;) {
    hash = stz_fnv(stz_fnv(hash, line, length), "\n", 1);
  }
  return hash;
}

enum { HASH_DIGITS = 16 }; // at the end of the line of a file

static stz_err differ(const char *path, const char *all_a, const char *a, int a_length, const char *all_b,
                      const char *b, int b_length) {
  char a_group[STZ_GROUP_SIZE], b_group[STZ_GROUP_SIZE];
  stz_config_group_at(all_a, a, a_group);
  stz_config_group_at(all_b, b, b_group);
  return stz_fail(STZ_EINPUT, "%s: of another input: it has `%s%.*s`, this one `%s%.*s`", path, a_group, a_length, a,
                  b_group, b_length, b);
}

stz_err stz_state_same_input(const char *path, const char *theirs, const char *ours) {
  const char *const all_theirs = theirs, *const all_ours = ours;
  for (;;) {
    const char *a = "", *b = "";
    const size_t a_length = next_setting(&theirs, &a), b_length = next_setting(&ours, &b);
    if (a_length == b_length && memcmp(a, b, a_length) == 0) {
      if (a_length == 0) return STZ_OK;
      continue;
    }
    const int name = (int)a_length - HASH_DIGITS;
    if (name > 1 && a_length == b_length && a[name - 1] == ' ' && memcmp(a, b, (size_t)name) == 0) {
      return stz_fail(STZ_EINPUT, "%s: of another input: the content of %.*s has changed since", path, name - 1, a);
    }
    return differ(path, all_theirs, a, (int)a_length, all_ours, b, (int)b_length);
  }
}

static stz_err fits(stz_checkpoint *c, const char *path, const stz_config *config) {
  char *format = NULL, *resolved = NULL, ours[FORMAT_SIZE];
  describe_format(ours);
  stz_err err = stz_checkpoint_get_text(c, "format", &format);
  if (err == STZ_OK && strcmp(format, ours) != 0) {
    err = stz_fail(STZ_EINPUT, "%s: a checkpoint of `%s`, this is `%s`", path, format, ours);
  }
  if (err == STZ_OK) err = stz_checkpoint_get_text(c, "resolved", &resolved);
  if (err == STZ_OK) err = stz_state_same_input(path, resolved, config->resolved_text);
  stz_free(format);
  stz_free(resolved);
  return err;
}

// A link that leads nowhere is there, too: its disk may be missing.
static bool is_there(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

// Whether a checkpoint that cannot be opened is known to be torn. Else memory, the rights or the disk may be at fault,
// and it may be whole.
static bool is_torn(const char *path) {
  stz_seal seal;
  return stz_disk_read_seal(path, NULL, &seal) == STZ_OK && seal != STZ_SEAL_FITS;
}

// What became of a checkpoint that was looked for. UNREAD: it may be whole.
typedef enum found { FOUND, MISSING, TORN, UNREAD } found;

// reason[REASON_SIZE]: why it is not FOUND.
enum { REASON_SIZE = 512 };
static found look_for(const stz_grid *grid, const char *path, stz_checkpoint **checkpoint, char *reason) {
  const bool leader = stz_grid_rank(grid) == 0;
  int outcome = leader && is_there(path) ? FOUND : MISSING;
  MPI_Bcast(&outcome, 1, MPI_INT, 0, stz_grid_comm(grid));
  if (outcome == MISSING || stz_checkpoint_open(grid, path, checkpoint) == STZ_OK) return (found)outcome;
  snprintf(reason, REASON_SIZE, "%s", stz_error_message());
  if (leader) outcome = is_torn(path) ? TORN : UNREAD;
  MPI_Bcast(&outcome, 1, MPI_INT, 0, stz_grid_comm(grid));
  return (found)outcome;
}

// Tells of a torn checkpoint, and lets it make way where the run goes on.
static stz_err tell_torn(const stz_grid *grid, const char *path, const char *reason, bool goes_on) {
  if (stz_grid_rank(grid) != 0) return STZ_OK;
  if (goes_on) return stz_output_set_aside(path, reason);
  stz_log(STZ_LOG_WARNING, "%s; ignored", reason);
  return STZ_OK;
}

stz_err stz_state_find(const stz_state_paths *paths, const stz_grid *grid, const stz_config *config, bool needs,
                       stz_checkpoint **checkpoint) {
  const char *const candidates[2] = {paths->newest, paths->previous};
  char reasons[2][REASON_SIZE];
  found each[2] = {MISSING, MISSING};
  *checkpoint = NULL;
  for (int i = 0; i < 2 && !*checkpoint; i++) {
    each[i] = look_for(grid, candidates[i], checkpoint, reasons[i]);
    if (each[i] != FOUND) continue;
    const stz_err err = fits(*checkpoint, candidates[i], config);
    if (err != STZ_OK) {
      stz_checkpoint_close(checkpoint);
      return err;
    }
  }
  stz_err err = STZ_OK;
  for (int i = 0; i < 2 && err == STZ_OK; i++) {
    if (each[i] != UNREAD) continue;
    err = stz_fail(STZ_EIO, "%s; it may be whole: try again, or move it away to %s%s", reasons[i],
                   *checkpoint ? "go on from " : "begin anew", *checkpoint ? candidates[1] : "");
  }
  for (int i = 0; i < 2 && err == STZ_OK; i++) {
    if (each[i] == TORN) err = tell_torn(grid, candidates[i], reasons[i], *checkpoint || !needs);
  }
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) stz_checkpoint_close(checkpoint);
  if (*checkpoint) stz_log(STZ_LOG_INFO, "going on from %s", candidates[each[0] == FOUND ? 0 : 1]);
  return err;
}

static stz_err get_shape(stz_checkpoint *c, stz_kmc *kmc) {
  char saved[STZ_KMC_SAVED_BYTES];
  STZ_TRY(stz_checkpoint_get_common(c, "engine", saved, sizeof saved));
  return stz_kmc_reshape(kmc, saved);
}

static stz_err get_all(stz_checkpoint *c, stz_recorder *record) {
  const stz_sample *s = record->sample;
  saved_sample saved;
  uint64_t bytes;
  char *room = NULL;
  STZ_TRY(stz_checkpoint_get_common(c, "sample", &saved, sizeof saved));
  STZ_TRY(move_fields(c, "glass", stz_glass_fields(s->glass), s->grid, false));
  STZ_TRY(get_shape(c, s->kmc));
  STZ_TRY(move_fields(c, "engine", stz_kmc_fields(s->kmc), s->grid, false));
  STZ_TRY(move_blocks(c, s->kmc, false));
  STZ_TRY(get_order(c, s->glass, &saved));
  STZ_TRY(stz_checkpoint_length(c, "record", &bytes));
  const size_t ours = room_for(record);
  STZ_TRY(stz_agree(stz_grid_comm(s->grid), STZ_NEW(room, bytes > ours ? bytes : ours)));
  const stz_err err = get_bytes(c, record, room, bytes, saved.hash);
  stz_free(room);
  return err;
}

stz_err stz_state_restore(stz_checkpoint *c, const char *output, stz_recorder *record) {
  STZ_TRY(get_all(c, record));
  STZ_TRY(stz_checkpoint_get_result(c, output));
  return stz_recorder_reopen(record, output);
}

static stz_err remove_one(const char *path) {
  if (unlink(path) == 0 || errno == ENOENT) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: cannot be removed: %s", path, strerror(errno));
}

stz_err stz_state_remove(const stz_state_paths *paths, const stz_grid *grid) {
  stz_err err = STZ_OK;
  if (stz_grid_rank(grid) == 0) {
    err = remove_one(paths->newest);
    if (err == STZ_OK) err = remove_one(paths->previous);
  }
  return stz_agree(stz_grid_comm(grid), err);
}
