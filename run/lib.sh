# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the commands in run/ share. Source it; it changes to the repository's top.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Open MPI: root is allowed in containers, more ranks than cores are allowed in tests, and a rank that waits gives way,
# which matters on a machine that is shared.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1
export HWLOC_HIDE_ERRORS=2 # it complains in containers without /sys
export MPLBACKEND=Agg

say() { printf '== %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "run/$(basename "$0")" "$*" >&2
  exit 1
}

# build OPTION...: configures the release preset with the options and builds; the output is shown only when it fails.
build() {
  mkdir -p results
  if ! { cmake --preset release "$@" && cmake --build --preset release; } >results/build.log 2>&1; then
    tail -n 40 results/build.log >&2
    fail "the build failed; its whole output is in results/build.log"
  fi
}

# guarded COMMAND...: runs it in the background, in a session of its own, and waits, so that this shell can hear TERM or
# INT meanwhile and send TERM to the command and its children.
guarded() {
  local status=0 signal=""
  setsid "$@" </dev/null &
  local job=$!
  trap 'signal=TERM; kill -TERM -- "-$job" 2>/dev/null' TERM
  trap 'signal=INT; kill -TERM -- "-$job" 2>/dev/null' INT
  while :; do
    status=0
    wait "$job" || status=$?
    kill -0 "$job" 2>/dev/null || break # a signal ends `wait` early, not the job
  done
  trap - TERM INT
  if [[ -n $signal && $status -ne 75 ]]; then # 75: it has said so itself, and goes on when called again
    printf '%s: stopped by SIG%s\n' "run/$(basename "$0")" "$signal" >&2
    exit $((128 + $(kill -l "$signal")))
  fi
  return "$status"
}

# study COMMAND WHAT DIR [--quick] [--middle] [--dry-run]: builds, then `stz-post COMMAND`, which carries out many runs,
# into results/DIR, or with --quick into results/DIR-quick; of some studies there is a --middle too.
study() {
  local command=$1 what=$2 out=results/$3 option
  shift 3
  for option in "$@"; do
    case $option in
    --quick) out+=-quick ;;
    --middle) out+=-middle ;;
    --moduli) out+=-moduli ;;
    --dry-run) ;;
    *) fail "got $option, takes --quick and --dry-run" ;;
    esac
  done
  run/setup --demo
  say "building"
  build -DBUILD_TESTING=OFF
  say "$what, into $out"
  guarded postprocess/stz-post "$command" "$@" -o "$out" --program build/src/stzkmc
}
