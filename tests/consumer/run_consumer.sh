#!/usr/bin/env bash
# run_consumer.sh find_package|subproject SOURCE BUILD WORK: builds the README host the way a user would.
set -euo pipefail
kind=$1 source=$2 build=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
if [ "$kind" = find_package ]; then
  cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
  cmake -S "$source/tests/consumer/find_package" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DWAYMARK_POSIX_CLOCK="$source/platform/posix/posix_clock.cc" \
    >"$work/configure.log"
  # Nothing may come from the source tree.
  cmake --build "$work/build"
  "$work/build/host_shared"
  # Only our own symbols are visible.
  library=$(find "$work/prefix" -name 'libwaymark.so' | head -1)
  foreign=$(nm -D --defined-only -C "$library" | awk '{$1=$2=""; print}' |
    grep -vE '^ *(waymark::|waymark_|(vtable|typeinfo( name)?) for waymark::)' || true)
  if [ -n "$foreign" ]; then
    printf 'libwaymark.so shows foreign symbols:\n%s\n' "$foreign" >&2
    exit 1
  fi
else
  cmake -S "$source/tests/consumer/subproject" -B "$work/build" -G Ninja -DWAYMARK_SOURCE="$source" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-}" -DWAYMARK_PLATFORM_LINUX=OFF \
    -DWAYMARK_BUILD_SHARED=OFF -DCMAKE_CXX_FLAGS=-O0 >"$work/configure.log"
  cmake --build "$work/build" --target host
fi
"$work/build/host"
