#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# job.sh COMMAND...: runs the command (mpirun or srun with stzkmc) so that nothing is lost, inside a SLURM job or at a
# terminal. Ctrl-C, TERM, HUP, XCPU, USR2, and USR1, which `--signal=B:USR1@SECONDS` makes SLURM send before the time
# limit, become USR1 for the ranks: they write checkpoints and exit with 75, as then does this script; a SLURM job goes
# back into the queue. (Left alone, mpirun turns INT, TERM and HUP into a kill and returns 1.)
set -um # m: the command has a process group of its own, which a Ctrl-C in the terminal does not meet

signals="INT TERM HUP USR1 USR2 XCPU"
"$@" < /dev/null &
command=$!
# shellcheck disable=SC2064,SC2086 # a list of words
trap "kill -USR1 $command 2>/dev/null" $signals
while kill -0 "$command" 2>/dev/null; do
  wait "$command" # a signal ends this early, not the command
done
wait "$command"
status=$?
# shellcheck disable=SC2086
trap - $signals

if [[ $status -eq 75 && -n ${SLURM_JOB_ID-} ]]; then
  job=$SLURM_JOB_ID
  [[ -z ${SLURM_ARRAY_JOB_ID-} ]] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  echo "stopped early: requeueing job $job"
  scontrol requeue "$job"
fi
exit "$status"
