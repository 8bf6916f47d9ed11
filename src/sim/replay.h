// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// How the load answers to events that the engine finds ahead of the run: on copies of the load.
#ifndef STZ_SIM_REPLAY_H
#define STZ_SIM_REPLAY_H

#include "sim/record.h"

typedef struct stz_replay stz_replay;

// Lets the engine go ahead, where it can and the box keeps its shape: so many copies as the team has workers, and one.
// `record` must outlive the engine's use of it. Local.
stz_err stz_replay_begin(stz_recorder *record, const stz_config *config, stz_replay **replay) STZ_MUST_USE;
void stz_replay_end(stz_replay **replay);

// The mean plastic strain grows by an event's strain times its share of the volume: *plastic (out).
void stz_replay_plastic(const stz_sample *sample, int64_t site, const double strain[6], double plastic[6]);

// The mean stress of a drive.
stz_mean_stress stz_replay_mean(const stz_drive *drive);

#endif
