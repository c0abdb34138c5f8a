#!/usr/bin/env bash
# Instructions per query of bench_geofence, by callgrind: free of the machine's noise.
#   tests/bench/geofence_instructions.sh PROGRAM [CASE...]
# PROGRAM is bench_geofence of a release build; a CASE is a benchmark's name. Without cases: those
# that have a limit. Prints one line a case: the name, instructions per query.
set -euo pipefail

if [[ $# -lt 1 || ! -x $1 ]]; then
  echo "usage: $0 PROGRAM [CASE...]" >&2
  exit 2
fi
if ! command -v valgrind >/dev/null; then
  echo "valgrind is missing: install the Debian package valgrind" >&2
  exit 2
fi
program=$1
shift
cases=("$@")
if [[ ${#cases[@]} -eq 0 ]]; then
  for peer in waymark boost_rtree; do
    cases+=("circles_10k/random/$peer" "polygons_10k/random/$peer" "polygons_10k/walk/$peer")
  done
  cases+=(circles_10k/walk/waymark_follow polygons_10k/walk/waymark_follow)
fi

# One iteration of 100,000 queries; the program prints how many it asked in all.
for case in "${cases[@]}"; do
  log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*TimedRegion*' \
    "$program" --benchmark_filter="^$case\$" --benchmark_min_time=0.00001 2>&1) || {
    echo "$log" >&2
    exit 1
  }
  awk -v name="$case" '
    /refs:/ { gsub(",", "", $4); instructions = $4 }
    /^queries/ { queries = $2 }
    END {
      if (queries == 0) { print "no such case: " name > "/dev/stderr"; exit 1 }
      printf "%-36s %10.1f\n", name, instructions / queries
    }' <<<"$log"
done
