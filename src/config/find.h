// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// Where the files that an input names are looked for.
#ifndef STZ_CONFIG_FIND_H
#define STZ_CONFIG_FIND_H

#include <stdbool.h>
#include <stddef.h>

// What is looked for: `name` in the input `input`, a path, or a name in the folder models/ or one inside it.
typedef struct stz_wanted {
  const char *input;  // the input's path
  const char *inside; // "" for a material model, "modes/" for shear modes
  const char *name;   // as the input gives it
} stz_wanted;

// The file that is meant, in path[STZ_PATH_SIZE]; false if there is none. The first that is there counts:
// 1. `name` from the input's folder, then `name`.cfg there unless that is an input (it has a protocol);
// 2. models/`inside``name`.cfg in the input's folder, then in each folder above;
// 3. the same in each folder of $STZKMC_MODELS, which stands for models/ (a list with colons);
// 4. in models/ beside the program: a build tree has a link to the source tree's there;
// 5. in share/stzkmc/models of the installed program, wherever it was moved to, then where it was meant to be.
// Looks at the file system: for rank 0.
bool stz_find(const stz_wanted *wanted, char *path);

// Says for a message where stz_find looked, and the nearest name that is there: `did you mean "x"? looked in ...`.
void stz_find_failure(const stz_wanted *wanted, char *text, size_t size);

#endif
