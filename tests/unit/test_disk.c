// SPDX-License-Identifier: GPL-3.0-or-later
//
// Large files shared by a team of threads: the same bytes and the same seal for any number of workers, held to the
// definition in docs/output.md as one would write it down.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/team.h"
#include "io/disk.h"

enum { LANES = 4096, SEAL_BYTES = 33, MOST = (20 << 20) + 5, WORKERS = 4 };

static const char path[] = "test_disk.bin";
static uint8_t *pattern, *found;

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x100000001b3u;
  return hash ^ hash >> 29;
}

// Byte by byte, lane by lane.
static uint64_t checksum(const uint8_t *bytes, size_t count) {
  uint64_t sum = 0xcbf29ce484222325u ^ count;
  for (uint64_t lane = 0; lane < LANES; lane++) {
    uint64_t hash = 0xcbf29ce484222325u + lane;
    for (size_t first = 0; first < count; first += 8 * LANES) { // zeros up to a multiple of 32 KiB count
      uint64_t word = 0;
      for (size_t i = 0; i < 8; i++) {
        const size_t at = first + 8 * lane + i;
        word |= (uint64_t)(at < count ? bytes[at] : 0) << 8 * i;
      }
      hash = mix(hash, word);
    }
    sum = mix(sum, hash);
  }
  return sum;
}

static int open_new(void) {
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
  assert_true(file >= 0);
  return file;
}

static void seals_as_defined(void **state) {
  static const size_t sizes[] = {1, 33, 32767, 32768, 32769, 8 << 20, (8 << 20) + 1, MOST};
  (void)state;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char expected[SEAL_BYTES + 1], line[SEAL_BYTES + 1] = "";
    sprintf(expected, "stzkmc-checksum %016llx\n", (unsigned long long)checksum(pattern, sizes[i]));
    for (int workers = 1; workers <= WORKERS; workers++) {
      stz_team *team;
      stz_seal seal;
      assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
      const int file = open_new();
      assert_int_equal(stz_disk_put_at(team, file, 0, sizes[i], pattern), 0);
      assert_int_equal(stz_disk_seal(path, team), STZ_OK);
      assert_int_equal(pread(file, line, SEAL_BYTES, (off_t)sizes[i]), SEAL_BYTES);
      assert_string_equal(line, expected);
      assert_int_equal(stz_disk_read_seal(path, team, &seal), STZ_OK);
      assert_int_equal(seal, STZ_SEAL_FITS);
      const uint8_t wrong = pattern[sizes[i] / 2] ^ 16;
      assert_int_equal(pwrite(file, &wrong, 1, (off_t)(sizes[i] / 2)), 1);
      assert_int_equal(stz_disk_read_seal(path, team, &seal), STZ_OK);
      assert_int_equal(seal, STZ_SEAL_BROKEN);
      close(file);
      stz_team_destroy(&team);
    }
  }
}

static void the_same_bytes_back(void **state) {
  enum { FROM = 12345, MISSING = 3000000 };
  (void)state;
  for (int workers = 1; workers <= WORKERS; workers++) {
    stz_team *team;
    size_t missing = 0;
    assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
    const int file = open_new();
    assert_int_equal(stz_disk_put_at(team, file, FROM, MOST - MISSING, pattern), 0);
    memset(found, 1, MOST);
    assert_int_equal(stz_disk_take_at(team, file, FROM, MOST, found, &missing), 0);
    assert_int_equal(missing, MISSING);
    assert_memory_equal(found, pattern, MOST - MISSING);
    for (size_t i = MOST - MISSING; i < MOST; i++) assert_int_equal(found[i], 0);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 0); // the file's position stays
    close(file);
    stz_team_destroy(&team);
  }
}

static void failures_have_their_reason(void **state) {
  (void)state;
  stz_team *team;
  assert_int_equal(stz_team_create_local(WORKERS, &team), STZ_OK);
  const int file = open_new();
  const int reads = open(path, O_RDONLY), writes = open(path, O_WRONLY);
  assert_int_equal(stz_disk_put_at(team, file, 0, MOST, pattern), 0);
  assert_int_equal(stz_disk_put_at(team, reads, 0, MOST, pattern), EBADF);
  assert_int_equal(stz_disk_take_at(team, writes, 0, MOST, found, NULL), EBADF);
  close(file);
  close(reads);
  close(writes);
  stz_team_destroy(&team);
}

static int prepare(void **state) {
  (void)state;
  if (STZ_NEW(pattern, MOST) != STZ_OK || STZ_NEW(found, MOST) != STZ_OK) return 1;
  for (uint64_t i = 0; i < MOST; i++) pattern[i] = (uint8_t)(i * 2654435761u >> 13);
  return 0;
}

static int tidy(void **state) {
  (void)state;
  stz_free(pattern);
  stz_free(found);
  unlink(path);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(seals_as_defined),
      cmocka_unit_test(the_same_bytes_back),
      cmocka_unit_test(failures_have_their_reason),
  };
  return cmocka_run_group_tests(tests, prepare, tidy);
}
