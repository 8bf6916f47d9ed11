// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/build.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/disk.h"
#include "sim/state.h"
#include "sweep/json.h"

enum { PATH_SIZE = 4200, FORMAT_VERSION = 1 };

// Bytes far beyond the file's end stand for what is locked: the end of the file for who appends, then each run.
static const off_t LOCK_APPEND = (off_t)1 << 40;

// Who appends holds the file for milliseconds, unless it was stopped meanwhile: tenths of a second until that is said,
// and until the line is kept for later.
enum { SAID_AFTER = 10, GIVEN_UP_AFTER = 200 };

struct stz_manifest {
  char path[PATH_SIZE];
  int file;
  bool read_only;
  int count;
  stz_run_status *runs;
  off_t read;    // up to here
  char *pending; // lines that could not be written yet
  bool blocked;  // another process held the file too long
};

const char *stz_run_state_name(stz_run_state state) {
  static const char *const names[STZ_RUN_STATES] = {"waiting", "running", "stopped", "failed", "done"};
  return names[state];
}

void stz_run_file(int run, char name[32]) { snprintf(name, 32, "runs/%06d.h5", run); }

static stz_err cannot(const char *path, const char *what) {
  return stz_fail(STZ_EIO, "%s: cannot be %s: %s", path, what, strerror(errno));
}

// path[PATH_SIZE]
static stz_err path_of(const char *directory, const char *name, char *path) {
  if (snprintf(path, PATH_SIZE, "%s/%s", directory, name) < PATH_SIZE) return STZ_OK;
  return stz_fail(STZ_EIO, "%.200s...: the name is too long", directory);
}

static bool lock(int file, int kind, int command, off_t at) {
  struct flock range = {.l_type = (short)kind, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  int done;
  do {
    done = fcntl(file, command, &range);
  } while (done != 0 && errno == EINTR);
  return done == 0 || (errno != EACCES && errno != EAGAIN); // a file system without locks grants all
}

// Whether another process has locked any of `length` bytes (0: all) from `at`.
static bool is_held(int file, off_t at, off_t length) {
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = length};
  return fcntl(file, F_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

static void print_utc(FILE *out) {
  const time_t now = time(NULL);
  struct tm utc;
  char text[32];
  gmtime_r(&now, &utc);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  fprintf(out, "\"utc\":\"%s\"", text);
}

// A value as an input has it, in JSON: but for the L of a long integer, and for what no JSON holds, the same.
static stz_err print_value(FILE *out, const char *value) {
  size_t length = strlen(value);
  if (value[0] == '"') {
    char *text = NULL;
    STZ_TRY(stz_json_copy(value, &text)); // it is escaped as in JSON
    stz_json_text(out, text);
    stz_free(text);
    return STZ_OK;
  }
  if (length > 0 && value[length - 1] == 'L') length--;
  fwrite(value, 1, length, out);
  return STZ_OK;
}

static void print_axes(FILE *out, const stz_plan *plan) {
  const stz_sweep_spec *spec = plan->spec;
  const bool grid = spec->design == STZ_DESIGN_GRID;
  fputs("\"dimensions\":[", out);
  for (int k = 0; grid && k < stz_design_dimensions(plan->design); k++) {
    fprintf(out, "%s{\"name\":\"%s\",\"size\":%d}", k > 0 ? "," : "", stz_design_dimension_name(plan->design, k),
            stz_design_size(plan->design, k));
  }
  if (!grid) fprintf(out, "{\"name\":\"point\",\"size\":%d}", stz_design_points(plan->design));
  fputs("],\"axes\":[", out);
  for (int a = 0; a < spec->axis_count; a++) {
    const stz_axis *axis = &spec->axes[a];
    const int k = grid ? stz_design_dimension_of(plan->design, a) : 0;
    fprintf(out,
            "%s{\"name\":\"%s\",\"key\":\"%s\",\"unit\":\"%s\",\"dimension\":%d,\"description\":", a > 0 ? "," : "",
            axis->name, axis->key, axis->unit, k);
    stz_json_text(out, axis->description);
    fputc('}', out);
  }
  fputs("]", out);
}

static void print_header(FILE *out, const stz_plan *plan, const char *command_line) {
  static const char *const designs[] = {"grid", "latin-hypercube", "sobol"};
  fprintf(out, "{\"format\":\"stzkmc-sweep\",\"format_version\":%d,\"program_version\":\"%s\",\"git\":\"%s\",",
          FORMAT_VERSION, STZ_VERSION, stz_build_git);
  print_utc(out);
  fprintf(out, ",\"design\":\"%s\",\"points\":%d,\"replicas\":%d,\"seed\":%" PRIu64 ",\"command_line\":",
          designs[plan->spec->design], stz_design_points(plan->design), plan->spec->replicas, plan->spec->seed);
  stz_json_text(out, command_line);
  fputs(",\"set\":[", out);
  for (int i = 0; i < plan->override_count; i++) {
    if (i > 0) fputc(',', out);
    stz_json_text(out, plan->overrides[i].text);
  }
  fputs("],\"identity\":", out);
  stz_json_text(out, plan->identity);
  fputc(',', out);
  print_axes(out, plan);
  fputs("}\n", out);
}

static stz_err print_run(FILE *out, const stz_plan *plan, int run) {
  const stz_plan_run *r = &plan->runs[run];
  int index[STZ_SWEEP_AXES] = {r->point};
  const bool grid = plan->spec->design == STZ_DESIGN_GRID;
  const int dimensions = grid ? stz_design_dimensions(plan->design) : 1;
  char file[32], number[STZ_NUMBER_SIZE];
  stz_run_file(run, file);
  if (grid) stz_design_index(plan->design, r->point, index);
  fprintf(out,
          "{\"run\":%d,\"state\":\"waiting\",\"attempts\":0,\"wall_s\":0,\"file\":\"%s\",\"point\":%d,\"replica\":%d,"
          "\"seed\":%" PRIu64,
          run, file, r->point, r->replica, r->seed);
  fprintf(out, ",\"input_hash\":\"%016" PRIx64 "\",\"estimate_s\":%.3g,\"index\":[", r->input_hash, r->seconds);
  for (int k = 0; k < dimensions; k++) fprintf(out, "%s%d", k > 0 ? "," : "", index[k]);
  fputs("],\"parameters\":{", out);
  for (int a = 0; a < plan->spec->axis_count; a++) {
    fprintf(out, "%s\"%s\":", a > 0 ? "," : "", plan->spec->axes[a].name);
    STZ_TRY(print_value(out, stz_design_value(plan->design, r->point, a, number)));
  }
  fputs("}}\n", out);
  return STZ_OK;
}

static stz_err make_folder(const char *path) {
  if (mkdir(path, 0777) == 0 || errno == EEXIST) return STZ_OK;
  if (errno != ENOENT) return cannot(path, "made");
  return stz_fail(STZ_EIO, "%s: cannot be made: the folder that it is to lie in is not there; make it first", path);
}

static stz_err write_whole(const char *path, const stz_plan *plan, const char *command_line) {
  stz_disk_make_way(path);
  FILE *out = fopen(path, "wx");
  if (!out) return cannot(path, "written");
  print_header(out, plan, command_line);
  stz_err err = STZ_OK;
  for (int run = 0; run < plan->count && err == STZ_OK; run++) err = print_run(out, plan, run);
  errno = 0;
  const bool failed = fflush(out) != 0 || ferror(out) || fsync(fileno(out)) != 0;
  if (err == STZ_OK && failed) err = cannot(path, "written");
  if (fclose(out) != 0 && err == STZ_OK) err = cannot(path, "written");
  return err;
}

stz_err stz_manifest_create(const char *directory, const stz_plan *plan, const char *command_line) {
  char path[PATH_SIZE], temporary[PATH_SIZE], name[64];
  STZ_TRY(path_of(directory, "runs", path));
  STZ_TRY(make_folder(directory));
  STZ_TRY(make_folder(path));
  STZ_TRY(path_of(directory, "manifest.jsonl", path));
  snprintf(name, sizeof name, "manifest.jsonl.new.%ld", (long)getpid());
  STZ_TRY(path_of(directory, name, temporary));
  stz_err err = write_whole(temporary, plan, command_line);
  // A link, unlike a renaming, leaves alone what another job may have begun meanwhile.
  if (err == STZ_OK && link(temporary, path) != 0 && errno != EEXIST) err = cannot(path, "made");
  unlink(temporary);
  return err;
}

bool stz_manifest_exists(const char *directory) {
  char path[PATH_SIZE];
  return path_of(directory, "manifest.jsonl", path) == STZ_OK && access(path, F_OK) == 0;
}

// Whether a file of runs/ is one that a run below `count` writes.
static bool is_of_run(const char *name, int count) {
  static const char *const suffixes[] = {".h5", ".ckpt.h5", ".ckpt.prev.h5"};
  char file[32], *end;
  const long run = strtol(name, &end, 10);
  if (run < 0 || run >= count) return false;
  stz_run_file((int)run, file);
  const char *digits = strchr(file, '/') + 1;
  if (strncmp(name, digits, strcspn(digits, ".")) != 0) return false;
  for (int i = 0; i < 3; i++) {
    if (strcmp(end, suffixes[i]) == 0) return true;
  }
  return false;
}

// Of a pipe one would wait for the writer, and /dev/zero has no end.
static stz_err check_kind(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return cannot(path, "opened");
  return S_ISREG(status.st_mode) ? STZ_OK : stz_fail(STZ_EIO, "%s: cannot be opened: it is no file", path);
}

// Why getline, which has just failed, has no line, unless there is none.
static stz_err lost_line(FILE *in, const char *path) {
  if (feof(in)) return STZ_OK;
  return errno == ENOMEM ? stz_fail(STZ_EINTERNAL, "%s: out of memory to read a line", path) : cannot(path, "read");
}

stz_err stz_manifest_remove(const char *directory) {
  char path[PATH_SIZE];
  STZ_TRY(path_of(directory, "manifest.jsonl", path));
  STZ_TRY(check_kind(path));
  FILE *in = fopen(path, "r");
  if (!in) return cannot(path, "opened");
  if (is_held(fileno(in), 0, 0)) {
    fclose(in);
    return stz_fail(STZ_EIO, "%s: another job works on this sweep", path);
  }
  char *line = NULL;
  size_t size = 0;
  int count = 0;
  while (getline(&line, &size, in) > 0) {
    const int run = stz_json_count(stz_json_find(line, "run"));
    if (run >= count && run < STZ_SWEEP_RUNS) count = run + 1;
  }
  stz_err err = lost_line(in, path);
  free(line);
  fclose(in);
  STZ_TRY(err); // runs beyond would stay
  STZ_TRY(path_of(directory, "runs", path));
  DIR *runs = opendir(path);
  for (struct dirent *entry; runs && err == STZ_OK && (entry = readdir(runs));) {
    if (!is_of_run(entry->d_name, count) || unlinkat(dirfd(runs), entry->d_name, 0) == 0) continue;
    err = stz_fail(STZ_EIO, "%s/%s: cannot be removed: %s", path, entry->d_name, strerror(errno));
  }
  if (runs) closedir(runs);
  STZ_TRY(err);
  STZ_TRY(path_of(directory, "manifest.jsonl", path)); // last: as long as it is there, --force can be called again
  return unlink(path) == 0 ? STZ_OK : cannot(path, "removed");
}

// A line about a run.
static void note(stz_manifest *m, const char *line) {
  const char *state_at = stz_json_find(line, "state"), *wall = stz_json_find(line, "wall_s");
  const int run = stz_json_count(stz_json_find(line, "run")),
            attempts = stz_json_count(stz_json_find(line, "attempts"));
  if (run < 0 || run >= m->count || !state_at) return;
  stz_run_status *status = &m->runs[run];
  for (int s = 0; s < STZ_RUN_STATES; s++) {
    if (stz_json_is(state_at, stz_run_state_name((stz_run_state)s))) status->state = (stz_run_state)s;
  }
  if (status->state == STZ_RUN_DONE) status->finished = true;
  const double wall_s = wall ? strtod(wall, NULL) : -1.0;
  if (attempts >= 0) status->attempts = attempts;
  if (wall_s >= 0.0 && wall_s < HUGE_VAL) status->wall_s = wall_s;
}

stz_err stz_manifest_reread(stz_manifest *m) {
  struct stat status;
  if (fstat(m->file, &status) != 0) return cannot(m->path, "read");
  if (status.st_size <= m->read) return STZ_OK;
  const size_t size = (size_t)(status.st_size - m->read);
  char *text = NULL;
  STZ_TRY(STZ_NEW(text, size + 1));
  const ssize_t got = pread(m->file, text, size, m->read);
  if (got < 0) {
    stz_free(text);
    return cannot(m->path, "read");
  }
  text[got] = 0;
  char *line = text;
  for (char *end; (end = memchr(line, '\n', (size_t)(text + got - line))); line = end + 1) {
    *end = 0;
    if (end > line && end[-1] == '}') note(m, line); // else it was torn
  }
  m->read += line - text;
  stz_free(text);
  return STZ_OK;
}

static stz_err check_run(const stz_manifest *m, const char *line, const stz_plan *plan, int run) {
  char hash[20];
  if (stz_json_count(stz_json_find(line, "run")) != run)
    return stz_fail(STZ_EIO, "%s: not a whole manifest: run %d is missing", m->path, run);
  snprintf(hash, sizeof hash, "%016" PRIx64, plan->runs[run].input_hash);
  if (stz_json_is(stz_json_find(line, "input_hash"), hash)) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: of another input: that of run %d has changed since", m->path, run);
}

static stz_err check_header(const stz_manifest *m, const char *line, const stz_plan *plan) {
  char *identity = NULL;
  if (!stz_json_is(stz_json_find(line, "format"), "stzkmc-sweep")) {
    return stz_fail(STZ_EIO, "%s:1: not the manifest of a sweep", m->path);
  }
  const int version = stz_json_count(stz_json_find(line, "format_version"));
  if (version != FORMAT_VERSION) {
    return stz_fail(STZ_EIO, "%s:1: format_version: got %d, this program reads %d", m->path, version, FORMAT_VERSION);
  }
  stz_err err = stz_json_copy(stz_json_find(line, "identity"), &identity);
  if (err == STZ_EIO) return stz_fail(err, "%s:1: not a whole manifest: identity: got nothing", m->path);
  if (err == STZ_OK) err = stz_state_same_input(m->path, identity, plan->identity);
  stz_free(identity);
  return err;
}

// The part that was written at once, when the sweep began.
static stz_err check(const stz_manifest *m, const stz_plan *plan) {
  FILE *in = fdopen(dup(m->file), "r");
  if (!in) return cannot(m->path, "read");
  char *line = NULL;
  size_t size = 0;
  rewind(in);
  errno = 0;
  stz_err err = STZ_OK;
  for (int run = -1; run < plan->count && err == STZ_OK; run++) {
    const bool got = getline(&line, &size, in) > 0;
    if (!got) err = lost_line(in, m->path);
    if (err == STZ_OK) {
      err = run < 0 ? check_header(m, got ? line : "", plan) : check_run(m, got ? line : "", plan, run);
    }
  }
  free(line);
  fclose(in);
  return err;
}

static stz_err open_and_read(stz_manifest *m, const char *directory, const stz_plan *plan) {
  STZ_TRY(path_of(directory, "manifest.jsonl", m->path));
  STZ_TRY(check_kind(m->path));
  m->file = open(m->path, (m->read_only ? O_RDONLY : O_RDWR | O_APPEND) | O_CLOEXEC);
  if (m->file < 0) return cannot(m->path, "opened");
  STZ_TRY(STZ_NEW(m->runs, m->count));
  STZ_TRY(check(m, plan));
  return stz_manifest_reread(m);
}

stz_err stz_manifest_open(const char *directory, const stz_plan *plan, bool read_only, stz_manifest **manifest) {
  stz_manifest *m = NULL;
  *manifest = NULL;
  STZ_TRY(STZ_NEW(m, 1));
  m->file = -1;
  m->count = plan->count;
  m->read_only = read_only;
  const stz_err err = open_and_read(m, directory, plan);
  if (err != STZ_OK) {
    stz_manifest_close(&m);
    return err;
  }
  *manifest = m;
  return STZ_OK;
}

void stz_manifest_close(stz_manifest **manifest) {
  if (!*manifest) return;
  if ((*manifest)->file >= 0) close((*manifest)->file);
  stz_free((*manifest)->runs);
  stz_free((*manifest)->pending);
  stz_free(*manifest);
  *manifest = NULL;
}

const stz_run_status *stz_manifest_status(const stz_manifest *m, int run) { return &m->runs[run]; }

bool stz_manifest_claim(stz_manifest *m, int run) { return lock(m->file, F_WRLCK, F_SETLK, LOCK_APPEND + 1 + run); }
void stz_manifest_release(stz_manifest *m, int run) { (void)lock(m->file, F_UNLCK, F_SETLK, LOCK_APPEND + 1 + run); }

bool stz_manifest_held(const stz_manifest *m, int run) { return is_held(m->file, LOCK_APPEND + 1 + run, 1); }

// Appends whole lines; what was written of them when the disk was full is taken back.
static stz_err append_locked(stz_manifest *m, const char *text) {
  char last = '\n';
  const off_t end = lseek(m->file, 0, SEEK_END);
  if (end < 0) return cannot(m->path, "written");
  if (end > 0 && pread(m->file, &last, 1, end - 1) != 1) return cannot(m->path, "read");
  if (last != '\n' && write(m->file, "\n", 1) != 1) return cannot(m->path, "written"); // closes a torn line
  const size_t length = strlen(text);
  size_t done = 0;
  while (done < length) {
    const ssize_t written = write(m->file, text + done, length - done);
    if (written <= 0) break;
    done += (size_t)written;
  }
  if (done == length && fdatasync(m->file) == 0) return STZ_OK;
  const stz_err err = cannot(m->path, "written");
  if (done > 0 && ftruncate(m->file, end) != 0) return err; // the next writer closes the line
  return err;
}

static stz_err lock_append(stz_manifest *m) {
  static const struct timespec nap = {.tv_nsec = 100000000};
  const int most = m->blocked ? SAID_AFTER : GIVEN_UP_AFTER;
  for (int waited = 0; !lock(m->file, F_WRLCK, F_SETLK, LOCK_APPEND); waited++) {
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_APPEND, .l_len = 1};
    const bool held = fcntl(m->file, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK;
    const long process = held ? (long)holder.l_pid : 0;
    m->blocked = waited >= most;
    if (m->blocked || (held && waited >= SAID_AFTER && *stz_interrupt_flag())) {
      return stz_fail(STZ_EIO,
                      "%s: process %ld has held it for %d s and may be stopped; go on with --resume when it is over",
                      m->path, process, waited / 10);
    }
    if (held && waited == SAID_AFTER) {
      stz_log(STZ_LOG_WARNING, "%s: process %ld holds it, stopped perhaps; waiting for %d s", m->path, process,
              most / 10);
    }
    nanosleep(&nap, NULL);
  }
  m->blocked = false;
  return STZ_OK;
}

// An editor that saves a file puts another in its place: what is appended to the one that is open would be lost.
static stz_err check_place(const stz_manifest *m) {
  struct stat opened, now;
  if (fstat(m->file, &opened) != 0) return cannot(m->path, "read");
  if (stat(m->path, &now) == 0 && now.st_dev == opened.st_dev && now.st_ino == opened.st_ino) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: was replaced or removed while this sweep works; go on with --resume", m->path);
}

stz_err stz_manifest_flush(stz_manifest *m) {
  if (!m->pending) return STZ_OK;
  STZ_TRY(check_place(m));
  STZ_TRY(lock_append(m));
  const stz_err err = append_locked(m, m->pending);
  (void)lock(m->file, F_UNLCK, F_SETLK, LOCK_APPEND);
  if (err == STZ_OK) {
    stz_free(m->pending);
    m->pending = NULL;
  }
  return err;
}

static stz_err append(stz_manifest *m, char *line) {
  char *text = NULL;
  const size_t before = m->pending ? strlen(m->pending) : 0, size = before + strlen(line) + 1;
  STZ_TRY(STZ_NEW(text, size));
  snprintf(text, size, "%s%s", m->pending ? m->pending : "", line);
  stz_free(m->pending);
  m->pending = text;
  const stz_err err = stz_manifest_flush(m);
  note(m, line);
  return err;
}

// Begins the line of a run.
static stz_err begin_line(int run, stz_run_state state, int attempts, stz_text **text, FILE **out) {
  STZ_TRY(stz_text_begin(text, out));
  fprintf(*out, "{\"run\":%d,\"state\":\"%s\",\"attempts\":%d,", run, stz_run_state_name(state), attempts);
  print_utc(*out);
  return STZ_OK;
}

static stz_err end_line(stz_manifest *m, FILE *out, stz_text **text) {
  char *line;
  fputs("}\n", out);
  STZ_TRY(stz_text_end(text, STZ_OK, &line));
  const stz_err err = append(m, line);
  stz_free(line);
  return err;
}

stz_err stz_manifest_begins(stz_manifest *m, int run, int ranks) {
  char host[256] = "";
  stz_text *text;
  FILE *out;
  STZ_TRY(begin_line(run, STZ_RUN_RUNNING, m->runs[run].attempts + 1, &text, &out));
  (void)gethostname(host, sizeof host - 1);
  fprintf(out, ",\"ranks\":%d,\"host\":", ranks);
  stz_json_text(out, host);
  fprintf(out, ",\"git\":\"%s\"", stz_build_git);
  return end_line(m, out, &text);
}

stz_err stz_manifest_ends(stz_manifest *m, int run, stz_run_state state, double wall_s, const stz_summary *summary,
                          const char *message) {
  stz_text *text;
  FILE *out;
  STZ_TRY(begin_line(run, state, m->runs[run].attempts, &text, &out));
  fprintf(out, ",\"wall_s\":%.6g", m->runs[run].wall_s + wall_s);
  if (summary) {
    fprintf(out, ",\"state_hash\":\"%s\",\"rows\":%" PRIu64 ",\"peak_stress_GPa\":", summary->state_hash,
            summary->rows);
    stz_json_number(out, summary->peak_stress_GPa);
    for (int i = 0; i < summary->count; i++) {
      fprintf(out, ",\"%s\":", summary->columns[i]);
      stz_json_number(out, summary->last[i]);
    }
  }
  fputs(",\"message\":", out);
  stz_json_text(out, message);
  return end_line(m, out, &text);
}
