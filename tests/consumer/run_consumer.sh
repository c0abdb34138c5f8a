#!/usr/bin/env bash
# run_consumer.sh find_package|subproject SOURCE BUILD WORK: builds the README host the way a user would,
# once with the static and once with the shared library.
set -euo pipefail
kind=$1 source=$2 build=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
if [ "$kind" = find_package ]; then
  cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
  # A copy, so that nothing can come from the source tree.
  cp -r "$source/tests/consumer" "$work/source"
  cmake -S "$work/source/find_package" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.log"
  cmake --build "$work/build"
else
  cmake -S "$source/tests/consumer/subproject" -B "$work/build" -G Ninja -DWAYMARK_SOURCE="$source" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-}" -DWAYMARK_PLATFORM_LINUX=OFF \
    -DCMAKE_CXX_FLAGS=-O0 >"$work/configure.log"
  cmake --build "$work/build" --target host host_shared
fi
"$work/build/host"
"$work/build/host_shared"
# The shared library shows only our own symbols, and the host really loads it.
library=$(ldd "$work/build/host_shared" | awk '/libwaymark\.so/ {print $3}')
if [ ! -f "$library" ]; then
  echo "host_shared does not load libwaymark.so" >&2
  exit 1
fi
foreign=$(nm -D --defined-only -C "$library" | awk '{$1=$2=""; print}' |
  grep -vE '^ *(waymark::|waymark_|(vtable|typeinfo( name)?) for waymark::)' || true)
if [ -n "$foreign" ]; then
  printf 'libwaymark.so shows foreign symbols:\n%s\n' "$foreign" >&2
  exit 1
fi
