#!/usr/bin/env bash
# How long `replay_tool evaluate` takes for a million fixes, and how much memory `run` takes for
# traces of any length.
#   tests/bench/evaluate_million.sh [TOOL [RUNS]]       default: build/release/replay_tool/replay_tool 3
# "after reading" is the time from the last byte of trace and truth to the result: what is still to
# be replayed, smoothed and judged then. "all" includes the reading. On a busy machine only the
# processor time means something.
set -euo pipefail
cd "$(dirname "$0")/../.."
tool=${1:-build/release/replay_tool/replay_tool}
runs=${2:-3}
[ -x "$tool" ] || { echo "$tool is not built: cmake --workflow --preset release" >&2; exit 2; }
tool=$(realpath "$tool")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

simulate() {
  "$tool" simulate --quiet --scenario suburb --movement drive --seed 3 --duration "$@"
}
number() {  # of a key in the JSON on standard input
  grep -o "\"$1\":[0-9.e+-]*" | head -n 1 | cut -d: -f2
}

judge() {  # TRACE TRUTH
  for run in $(seq "$runs"); do
    time "$tool" evaluate "$1" --truth "$2" --quiet --json result.json
    echo "evaluate $1: $(number points <result.json) fixes," \
      "$(number evaluate_s <result.json) s after reading" \
      "(replay $(number replay_s <result.json), smoothing $(number smoothing_s <result.json))," \
      "$(number wall_s <result.json) s in all, $(number peak_rss_bytes <result.json) bytes"
  done
}

TIMEFORMAT='processor: %U s and %S s of the kernel'
simulate 1013000 --fixes-out t.csv --out t.gpx --truth-out truth.csv
judge t.csv truth.csv
judge t.gpx truth.csv
# The same ring of 12 km again and again, at 7 m/s.
awk 'BEGIN {
  srand(1)
  print "utc_ms,lat_deg,lon_deg,horizontal_accuracy_m" >"laps.csv"
  print "utc_ms,lat_deg,lon_deg" >"laps_truth.csv"
  for (i = 0; i < 1000000; ++i) {
    lat = 48 + 0.02 * sin(i / 300); lon = 11 + 0.03 * cos(i / 300)
    e = 0.98 * e + 1e-5 * (rand() - 0.5); n = 0.98 * n + 1e-5 * (rand() - 0.5)
    printf "%.0f,%.7f,%.7f,6\n", 1700000000000 + 1000 * i, lat + n, lon + e >"laps.csv"
    printf "%.0f,%.7f,%.7f\n", 1700000000000 + 1000 * i, lat, lon >"laps_truth.csv"
  }
}'
judge laps.csv laps_truth.csv
rm laps.csv laps_truth.csv
rm t.gpx
for seconds in 100000 1000000 4000000; do
  simulate "$seconds" --fixes-out t.csv
  "$tool" run t.csv --quiet --json result.json
  echo "run: $(number points <result.json) fixes, $(number peak_rss_bytes <result.json) bytes"
done
