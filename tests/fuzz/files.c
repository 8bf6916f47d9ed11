// SPDX-License-Identifier: GPL-3.0-or-later
//
// The readers of HDF5 files, on files that HDF5 itself wrote but nobody expects: attributes and datasets of other
// types, shapes and values, gone, or links. (What is no HDF5 file, or damaged, is tests/damage's.) A case: which file,
// then changes of it, each an operation, the number of the object (as they are listed), and up to 255 bytes.
#include <hdf5.h>
#include <limits.h>
#include <mpi.h>

#include "config/config.h"
#include "fuzz.h"
#include "io/disk.h"
#include "io/field.h"
#include "io/result.h"
#include "sim/rescan.h"
#include "sim/sim.h"

enum { MOST_OBJECTS = 512, MOST_CHANGES = 8, SIDE = 16 };

static const char INPUT[] =
    "lattice: { cells = [16, 16, 16]; };\nnbed: { foil_nm = 9.0; scans = 1; };\nkmc: { engine = \"direct\"; };\n"
    "output: { snapshots = true; nbed_strains = [0.0]; events = true; avalanches = true; };\n"
    "protocol = ({ type = \"strain-rate\"; rate_per_s = 1.0e-6; until_strain = 0.045; temperature_K = 295.0; });\n";

typedef struct original {
  const char *name;
  void *data; // without its seal
  size_t size;
} original;

enum { RESULT, SNAPSHOT, CHECKPOINT, FIELD, SERIES, ORIGINALS };
static original originals[ORIGINALS] = {{"run.h5", NULL, 0},
                                        {"run.0000.hdf", NULL, 0},
                                        {"half.ckpt.h5", NULL, 0},
                                        {"field.h5", NULL, 0},
                                        {"run.hdf.series", NULL, 0}};

static char folder[64];
static FILE *nowhere;
static stz_config *config;
static stz_grid *grid;
static stz_team *team;

// --- what is to be changed ---

static void run(const char *output, bool restart, const volatile int *stop) {
  bool early;
  const stz_run_options options = {
      .output = output, .command_line = "", .restart = restart, .stop = stop, .force = !restart};
  const stz_err err = stz_sim_run(MPI_COMM_WORLD, config, &options, &early);
  if (err != STZ_OK && err != STZ_EINTERNAL) fuzz_expect_failure(err); // 5: the restored state is not the one saved
}

static void make_field(void) {
  static double values[SIDE * SIDE * SIDE];
  const hsize_t dims[3] = {SIDE, SIDE, SIDE}, chunk[3] = {4, 8, 16};
  for (int i = 0; i < SIDE * SIDE * SIDE; i++) values[i] = 0.2 + 0.3 * (i % SIDE) / SIDE;
  const hid_t file = H5Fcreate("field.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t space = H5Screate_simple(3, dims, NULL), properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, 3, chunk);
  const hid_t made = H5Dcreate2(file, "c", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  demand(H5Dwrite(made, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(made);
  H5Pclose(properties);
  H5Sclose(space);
  H5Fclose(file);
}

static void leave(void) {
  char command[128];
  for (int i = 0; i < ORIGINALS; i++) free(originals[i].data);
  stz_config_destroy(&config);
  stz_grid_destroy(&grid);
  fclose(nowhere);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  if (chdir("/") == 0) (void)!system(command);
  MPI_Finalize();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static const int stop = 1;
  const stz_lattice_params box = {.cells = {SIDE, SIDE, SIDE}, .spacing_nm = 0.58};
  MPI_Init(argc, argv);
  fuzz_enter(folder);
  nowhere = fopen("/dev/null", "w");
  demand(nowhere && stz_grid_create(MPI_COMM_WORLD, &box, &grid) == STZ_OK);
  demand(stz_config_parse(MPI_COMM_WORLD, "in.cfg", INPUT, NULL, 0, &config) == STZ_OK);
  run("half.h5", false, &stop);
  run("run.h5", false, NULL);
  make_field();
  for (int i = 0; i < ORIGINALS; i++) {
    void *data;
    enum { SEAL = 33 };
    stz_seal seal;
    demand(stz_disk_read(originals[i].name, &data, &originals[i].size) == STZ_OK);
    demand(stz_disk_read_seal(originals[i].name, team, &seal) == STZ_OK);
    if (seal == STZ_SEAL_FITS) originals[i].size -= SEAL;
    originals[i].data = malloc(originals[i].size);
    demand(originals[i].data);
    memcpy(originals[i].data, data, originals[i].size);
    stz_free(data);
  }
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return atexit(leave);
}

// --- changes ---

typedef struct object {
  char path[256], attribute[64]; // "": the object itself
} object;

static object objects[MOST_OBJECTS];
static int object_count;

static void list(const char *path, const char *attribute) {
  object *o = &objects[object_count];
  if (object_count == MOST_OBJECTS || strlen(path) >= sizeof o->path || strlen(attribute) >= sizeof o->attribute)
    return;
  snprintf(o->path, sizeof o->path, "%s", path);
  snprintf(o->attribute, sizeof o->attribute, "%s", attribute);
  object_count++;
}

static herr_t list_attribute(hid_t at, const char *name, const H5A_info_t *info, void *path) {
  (void)at, (void)info;
  list(path, name);
  return 0;
}

static herr_t list_object(hid_t at, const char *name, const H5O_info_t *info, void *context) {
  char path[256];
  hsize_t begin = 0;
  (void)info, (void)context;
  snprintf(path, sizeof path, "%s", name);
  list(path, "");
  const hid_t opened = H5Oopen(at, name, H5P_DEFAULT);
  if (opened >= 0) H5Aiterate2(opened, H5_INDEX_NAME, H5_ITER_INC, &begin, list_attribute, path);
  if (opened >= 0) H5Oclose(opened);
  return 0;
}

// What a change takes its values from.
typedef struct bytes {
  const uint8_t *data;
  size_t size;
} bytes;

static void repeat(const bytes *from, void *to, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = from->size ? from->data[i % from->size] : 0;
}

// Other values, of the type that is stored: numbers over and over the bytes, or one text. `from`: of a dataset, the
// first value that changes.
static void overwrite(hid_t at, bool attribute, const bytes *given, size_t from) {
  enum { MOST = 1 << 22 };
  const hid_t type = attribute ? H5Aget_type(at) : H5Dget_type(at);
  const hid_t space = attribute ? H5Aget_space(at) : H5Dget_space(at);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const size_t size = H5Tget_size(type), all = count > 0 ? (size_t)count * size : 0;
  uint8_t *values = calloc(all + 1, 1);
  char text[256] = "", *texts[1] = {text};
  demand(values);
  if (H5Tis_variable_str(type) > 0 && count == 1) {
    memcpy(text, given->data, given->size);
    (void)(attribute ? H5Awrite(at, type, texts) : H5Dwrite(at, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts));
  } else if (H5Tdetect_class(type, H5T_VLEN) <= 0 && H5Tis_variable_str(type) <= 0 && all > 0 && all < MOST) {
    if (!attribute) (void)H5Dread(at, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    const size_t begin = attribute ? 0 : from * size % all;
    repeat(given, values + begin, from > 0 && all - begin > given->size ? given->size : all - begin);
    (void)(attribute ? H5Awrite(at, type, values) : H5Dwrite(at, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  }
  free(values);
  H5Sclose(space);
  H5Tclose(type);
}

// A dataset or attribute of another type and shape, filled with the bytes.
static void make_other(hid_t file, const object *o, hid_t type, int rank, const bytes *given) {
  enum { MOST_VALUES = 1 << 16 };
  hsize_t dims[8], count = 1;
  for (int d = 0; d < rank; d++) {
    dims[d] = (size_t)d < given->size ? given->data[d] % 33 : 1;
    count *= dims[d] = count * dims[d] > MOST_VALUES ? 1 : dims[d];
  }
  const hid_t space = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
  uint8_t *values = calloc(count * H5Tget_size(type) + 1, 1);
  demand(values);
  char text[256] = "";
  memcpy(text, given->data, given->size);
  if (H5Tis_variable_str(type) > 0) {
    for (hsize_t i = 0; i < count; i++) memcpy(values + i * sizeof(char *), &(char *){text}, sizeof(char *));
  } else {
    repeat(given, values, count * H5Tget_size(type));
  }
  const hid_t made = o->attribute[0] ? H5Acreate_by_name(file, o->path, o->attribute, type, space, H5P_DEFAULT,
                                                         H5P_DEFAULT, H5P_DEFAULT)
                                     : H5Dcreate2(file, o->path, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (made >= 0 && o->attribute[0]) {
    (void)H5Awrite(made, type, values);
    H5Aclose(made);
  } else if (made >= 0) {
    (void)H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(made);
  }
  free(values);
  H5Sclose(space);
}

static void take_away(hid_t file, const object *o) {
  if (o->attribute[0]) {
    (void)H5Adelete_by_name(file, o->path, o->attribute, H5P_DEFAULT);
  } else {
    (void)H5Ldelete(file, o->path, H5P_DEFAULT);
  }
}

static void make_text(hid_t file, const object *o, int rank, const bytes *given) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, rank % 2 ? 7 : H5T_VARIABLE);
  make_other(file, o, type, rank / 2, given);
  H5Tclose(type);
}

static void make_link(hid_t file, const char *path, int kind) {
  const char *const targets[] = {"/", path, "/nowhere", "/c"};
  if (kind % 5 == 4) {
    (void)H5Lcreate_external("field.h5", "/c", file, path, H5P_DEFAULT, H5P_DEFAULT);
  } else {
    (void)H5Lcreate_soft(targets[kind % 5], file, path, H5P_DEFAULT, H5P_DEFAULT);
  }
}

static void change(hid_t file, int operation, const object *o, const bytes *given) {
  const hid_t types[] = {H5T_NATIVE_DOUBLE, H5T_NATIVE_FLOAT,  H5T_STD_I8LE,       H5T_NATIVE_UINT64,
                         H5T_STD_I16BE,     H5T_NATIVE_OPAQUE, H5T_NATIVE_LDOUBLE, H5T_STD_B16LE};
  const bytes rest = {given->data + (given->size > 0), given->size - (given->size > 0)};
  const int first = given->size > 0 ? given->data[0] : 0;
  if (operation == 0) {
    const hid_t at = o->attribute[0] ? H5Aopen_by_name(file, o->path, o->attribute, H5P_DEFAULT, H5P_DEFAULT)
                                     : H5Dopen2(file, o->path, H5P_DEFAULT);
    if (at < 0) return;
    overwrite(at, o->attribute[0], &rest, (size_t)first * (size_t)first);
    if (o->attribute[0]) H5Aclose(at);
    if (!o->attribute[0]) H5Dclose(at);
    return;
  }
  take_away(file, o);
  if (operation == 1) make_other(file, o, types[first % 8], first / 8 % 6, &rest);
  if (operation == 2) make_text(file, o, first % 4, &rest);
  if (operation == 3 && !o->attribute[0]) make_link(file, o->path, first);
  if (operation == 4 && !o->attribute[0]) H5Gclose(H5Gcreate2(file, o->path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

// Puts the file down, changed by the case, and seals it, so that it is read in this process.
static void put(const original *from, const uint8_t *data, size_t size) {
  fuzz_write(from->name, from->data, from->size);
  const hid_t file = H5Fopen(from->name, H5F_ACC_RDWR, H5P_DEFAULT);
  demand(file >= 0);
  object_count = 0;
  demand(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, list_object, NULL, H5O_INFO_BASIC) >= 0);
  for (int i = 0; i < MOST_CHANGES && size >= 3; i++) {
    const object *o = &objects[data[1] % object_count];
    const size_t given = data[2] < size - 3 ? data[2] : size - 3;
    change(file, data[0] % 6, o, &(bytes){data + 3, given});
    data += 3 + given;
    size -= 3 + given;
  }
  demand(H5Fclose(file) >= 0 && stz_disk_seal(from->name, team) == STZ_OK);
}

static void put_back(const original *o) {
  fuzz_write(o->name, o->data, o->size);
  if (strstr(o->name, ".h5") || strstr(o->name, ".hdf\0")) demand(stz_disk_seal(o->name, team) == STZ_OK);
}

// --- readers ---

static void read_result(void) {
  bool complete;
  char *resolved = NULL;
  stz_summary summary;
  const stz_err errs[] = {stz_result_info("run.h5", nowhere), stz_result_peek("run.h5", &complete, &resolved),
                          stz_result_summary("run.h5", &summary), stz_result_differences("run.h5", "half.h5", nowhere)};
  stz_free(resolved);
  for (int i = 0; i < 4; i++) {
    if (errs[i] != STZ_OK) demand(errs[i] == STZ_EINPUT || errs[i] == STZ_EIO);
  }
}

static void ignore(const stz_rescan_level *level) { (void)level; }

static void read_snapshots(void) {
  const stz_rescan_options options = {.result = "run.h5", .command_line = "", .level = ignore};
  const stz_err err = stz_rescan_run(MPI_COMM_WORLD, &options);
  if (err != STZ_OK) fuzz_expect_failure(err);
}

static void read_field(void) {
  static double values[SIDE * SIDE * SIDE];
  static const char *const axes[] = {"", "xyz", "zyx"};
  for (int i = 0; i < 3; i++) {
    const stz_field field = {"field.h5", "c", axes[i]};
    const stz_err err = stz_field_read(grid, &field, values);
    if (err != STZ_OK) fuzz_expect_failure(err);
  }
}

static void read_checkpoint(void) {
  static const int stop = 1;
  run("half.h5", true, &stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const long live = stz_alloc_live();
  const int which = data[0] % ORIGINALS;
  if (which == SERIES) {
    fuzz_write(originals[SERIES].name, data + 1, size - 1);
  } else {
    put(&originals[which], data + 1, size - 1);
  }
  if (which == RESULT) read_result();
  if (which == RESULT || which == SNAPSHOT || which == SERIES) read_snapshots();
  if (which == FIELD) read_field();
  if (which == CHECKPOINT) read_checkpoint();
  put_back(&originals[which]);
  demand(stz_alloc_live() == live);
  return 0;
}
