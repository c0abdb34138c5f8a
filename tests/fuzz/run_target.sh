#!/usr/bin/env bash
# run_target.sh PROGRAM WORK FOLDER...: runs every known input, then fuzzes for WAYMARK_FUZZ_SECONDS
# (default 4) from a seed that is printed; WAYMARK_FUZZ_SEED=N takes that one. What was learnt stays in
# WORK/corpus, an input that fails in WORK/found: copy it to regressions/NAME when you mend the bug.
#   WAYMARK_FUZZ_SECONDS=3600 ctest --preset fuzz -R fuzz_gpx
set -euo pipefail
program=$1 work=$2
shift 2
known=()
for folder in "$@"; do [ ! -d "$folder" ] || known+=("$folder"); done
[ ${#known[@]} -gt 0 ] || { echo "run_target.sh: no seeds in: $*" >&2; exit 1; }
seed=${WAYMARK_FUZZ_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
mkdir -p "$work/corpus" "$work/found"
export UBSAN_OPTIONS=print_stacktrace=1
echo "seed $seed"
exec "$program" -seed="$seed" -max_total_time="${WAYMARK_FUZZ_SECONDS:-4}" -timeout=20 -rss_limit_mb=2048 \
  -print_final_stats=1 -artifact_prefix="$work/found/" "$work/corpus" "${known[@]}"
