// SPDX-License-Identifier: GPL-3.0-or-later
//
// The snapshots of a run: which there are, and where one keeps what virtual NBED reads again.
#ifndef STZ_OBSERVE_SNAPSHOTS_H
#define STZ_OBSERVE_SNAPSHOTS_H

#include "config/config.h"

#define STZ_CLUSTERS "/clusters"
#define STZ_INPUT "/config" // the group of `resolved`

// The axial strains at which a run takes them; NULL if it takes none. Local.
const stz_strain_levels *stz_snapshots_levels(const stz_config *config);

#endif
