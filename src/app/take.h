// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an option does with its value: functions for the column `take` of the table of options (app/options.c). `cli` is
// changed; `o` is the row of the option; `value` is the text given, NULL for an option without a value. They fail with
// STZ_EINPUT on a value that the option does not allow. Local.
#ifndef STZ_APP_TAKE_H
#define STZ_APP_TAKE_H

#include "app/options.h"

// Members of stz_cli at the offset o->at: a bool becomes true; an int becomes o->as; a const char * becomes the value.
stz_err stz_take_flag(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_choice(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_word(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;

// Adds the value, with o->key before it, to the keys set over the input.
stz_err stz_take_override(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;

// One option each: a file, a site, a number of ranks, a part of a sweep, seconds.
stz_err stz_take_output(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_at(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_ranks(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_shard(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;
stz_err stz_take_walltime(stz_cli *cli, const stz_option *o, const char *value) STZ_MUST_USE;

// Makes *text, for stz_free: the first `first_length` characters of `first`, then `second`.
stz_err stz_take_text(const char *first, size_t first_length, const char *second, char **text) STZ_MUST_USE;

#endif
