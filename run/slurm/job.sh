#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# job.sh COMMAND...: runs the command (mpirun or srun with stzkmc) inside a SLURM job so that nothing is lost. USR1, which
# `--signal=B:USR1@SECONDS` makes SLURM send before the time limit, and TERM become USR1 for the ranks: they write
# checkpoints and exit with 75, and the job goes back into the queue. (Left alone, mpirun turns TERM into a kill.)
set -u

"$@" &
command=$!
trap 'kill -USR1 "$command" 2>/dev/null' USR1 TERM
while kill -0 "$command" 2>/dev/null; do
  wait "$command" # a signal ends this early, not the command
done
wait "$command"
status=$?
trap - USR1 TERM

if [[ $status -eq 75 && -n ${SLURM_JOB_ID-} ]]; then
  job=$SLURM_JOB_ID
  [[ -z ${SLURM_ARRAY_JOB_ID-} ]] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  echo "stopped early: requeueing job $job"
  scontrol requeue "$job"
fi
exit "$status"
