// SPDX-License-Identifier: GPL-3.0-or-later
//
// A team of threads. An engine that runs on one rank hands out in parts the work over all sites, and that of an event;
// the other ranks of its node, which have nothing to do, leave their cores to its team.
//
// The result has the same bits for any number of workers, because each part writes only places of its own: a sum is
// one number per part, added up in the order of parts (stz_ordered_sum). A part goes to whoever is free, so that a core
// which another process keeps busy delays no one.
//
// Work comes in two sizes. stz_team_run wakes the workers: it is for milliseconds. stz_team_post is for parts of some
// microseconds, as those of one event: a worker that has just worked waits for more with its eyes open, for a tenth of
// a millisecond, and then sleeps. It pays only where each worker has a core to itself, which stz_team_brisk says.
#ifndef STZ_BASE_TEAM_H
#define STZ_BASE_TEAM_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct stz_team stz_team;

// One part of a task: the items first <= i < end. It runs on any worker, 0 <= worker < stz_team_workers, at the same
// time as other parts, so that `worker` names scratch memory. Worker 0 is the thread that called stz_team_run: MPI,
// errors, log lines and progress are for it alone. A part allocates nothing.
typedef void stz_team_task(void *context, int64_t first, int64_t end, int worker);

// Collective over `comm`. On its first rank, creates a team with one worker for each rank that shares the node with it;
// each worker is bound to the cores of its rank. On the other ranks, and where no other rank shares the node, *team is
// NULL. *workers (out, all ranks): the size of the team.
stz_err stz_team_create(MPI_Comm comm, stz_team **team, int *workers) STZ_MUST_USE;

// Creates a team of `workers` threads, bound to no core; NULL for one. Local.
stz_err stz_team_create_local(int workers, stz_team **team) STZ_MUST_USE;

// Ends the threads. Local.
void stz_team_destroy(stz_team **team);

// Workers of a team; 1 for NULL. Local.
int stz_team_workers(const stz_team *team);

// Carries out a task on `items` items, in parts of `piece` items (the last may have fewer), and returns when all are
// done. Part number p begins at item p piece. NULL, or in a copy of the process (fork), which has no other threads: in
// the calling thread, in order. Local; not to be called from within a part.
void stz_team_run(stz_team *team, int64_t items, int64_t piece, stz_team_task *task, void *context);

// Whether to share out parts of some microseconds: each worker has a core to itself, as far as one knows, and none was
// late of late. Its answer changes from call to call and never the result. With STZKMC_TEAM_BRISK in the environment,
// for tests, any team is brisk: 1 always, n > 1 but for each n-th call. Local.
bool stz_team_brisk(stz_team *team);

// In a loop that waits for another worker: a moment of rest for the core, some ten cycles. Local.
void stz_team_pause(void);

enum { STZ_TEAM_POSTED = 32 }; // parts until the next join, at most

// Offers `parts` parts to the workers and returns at once; the task gets one item per part, first to first + 1. Called
// again before stz_team_join, with the same task and context, it offers more: their numbers go on. Other workers begin
// with the first part, the caller with the last. Until stz_team_join the caller may work on what no part touches; it
// may call stz_team_run, which first joins. Local.
void stz_team_post(stz_team *team, int parts, stz_team_task *task, void *context);

// The same of parts that every worker takes before all others; once until stz_team_join. Local.
void stz_team_post_urgent(stz_team *team, int parts, stz_team_task *task, void *context);

// Has the caller take the urgent parts that nobody has begun, and returns when these are done; the others go on. Local.
void stz_team_join_urgent(stz_team *team);

// Has the caller take the parts that nobody has begun, and returns when all are done. Local.
void stz_team_join(stz_team *team);

// Posts and joins, where the team is brisk; else, and for NULL, the caller does all parts in one call of the task.
// Nothing else may be posted. Local.
void stz_team_share(stz_team *team, int parts, stz_team_task *task, void *context);

// Offers a task of one item that a worker takes when it finds no part to do; nobody is woken for it. The caller goes on
// with what the task does not touch, and calls it back before it offers another one. The task may allocate. Local.
void stz_team_aside(stz_team *team, stz_team_task *task, void *context);

// Returns when the task is done or, if nobody has begun it, will not be. Local.
void stz_team_recall(stz_team *team);

// Number of parts. Local.
int64_t stz_team_parts(int64_t items, int64_t piece);

#endif
