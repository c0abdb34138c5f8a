#!/usr/bin/env python3
"""Checks the architecture rules of the tree (see README, "Where things are").

1. Include edges: filters <- storage, sdk; sdk <- platform, replay_tool; storage sees only
   waymark/time.h and waymark/status.h of filters; replay_tool and platform see public headers only.
2. Third-party headers stay where they belong and are never reachable from a public header.
3. filters/ and the state-machine folders of sdk/ name no clock, thread, lock, random device,
   environment, stream, throw or unordered container.
4. With --compile: each public header compiles alone as C++20, the C ABI's also as C99.

Each rule has its failing example in tests/consumer/layers_test.py.

check_layers.py [--root DIR] [--compile]   exit 0: clean, 1: violations (one line each)
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

PUBLIC = {"filters": "filters/include", "storage": "storage/include", "sdk": "sdk/include"}
LAYERS = ("filters", "storage", "sdk", "platform", "replay_tool")
MAY_INCLUDE = {"filters": {"filters"}, "storage": {"filters", "storage"},
               "sdk": {"filters", "storage", "sdk"},
               "platform": {"filters", "storage", "sdk", "platform"},
               "replay_tool": set(LAYERS)}
STORAGE_SEES = ("waymark/time.h", "waymark/status.h", "waymark/export.h")
# Threads, files and the platform live elsewhere. Folders of later parts of the state machine stand
# here already.
PURE = ["filters", "sdk/core", "sdk/geofence", "sdk/sampling", "sdk/sync", "sdk/tasks", "sdk/alerts"]
FORBIDDEN = [
    (r"::now\s*\(|\b(clock_)?gettime(ofday)?\b|\b(std::|::)?time\s*\(\s*(nullptr|NULL|0|&)|\b(std::|::)clock\s*\("
     r"|\blocaltime(_r)?\b", "reads a clock"),
    (r"\b(nano|u)?sleep(_for|_until)?\s*\(", "sleeps"),
    (r"std::(j?thread|async|future|promise)\b|\bpthread_", "names a thread"),
    (r"std::\w*mutex\b|std::condition_variable|std::\w+_(lock|guard)\b|std::\w*semaphore\b|std::call_once",
     "names a lock"),
    (r"std::atomic|\bthread_local\b", "names an atomic or thread-local"),
    (r"random_device|std::\w+_(distribution|engine)\b|std::mt19937|\b[sd]?rand(om|48)?(_r)?\s*\(|\barc4random",
     "uses randomness"),
    (r"std::unordered_", "uses an unordered container"),
    (r"\b(secure_)?getenv\b|\bsetenv\b|\benviron\b", "reads the environment"),
    (r"std::(cout|cerr|clog|cin)\b|std::\w*stream\b|\bf?(printf|puts|putc)\s*\(|\bfopen\s*\(|\bputchar\s*\(|\bstd(out|err)\b",
     "uses a stream"),
    (r"#\s*include\s*<(iostream|[fios]stream|sstream|syncstream|iomanip|ctime|thread|stop_token|future|mutex"
     r"|shared_mutex|condition_variable|semaphore|latch|barrier|atomic|random|unordered_map|unordered_set|format"
     r"|filesystem)>", "includes a forbidden header"),
    (r"\bthrow\b", "throws"), (r"std::format\b", "uses std::format"),
]
# Header of a library -> the folders that may include it. What is not listed belongs nowhere yet.
LIBRARIES = [
    (r"Eigen/", ["filters"]),
    (r"GeographicLib/", ["filters", "sdk/geofence"]),
    (r"sqlite3\.h", ["storage"]),
    (r"google/protobuf/|.*\.pb\.h", ["sdk/sync"]),
    (r"zstd\.h", ["sdk/sync"]),
    (r"curl/", ["platform/linux"]),
    (r"expat\.h|zlib\.h|CLI/|nlohmann/|fmt/|microhttpd\.h", ["replay_tool"]),
    # The operating system: not for the pure folders.
    (r"(sys|netinet|arpa)/|(dirent|fcntl|malloc|netdb|poll|pthread|signal|termios|time|unistd)\.h",
     ["storage", "sdk/runtime", "platform", "replay_tool"]),
]
C_HEADER = "waymark/waymark.h"
FREESTANDING = ("stdint.h", "stddef.h", "stdbool.h")  # C99, for waymark.h
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def published(root):
    """Which layer publishes "waymark/x.h"."""
    owner = {}
    for layer, include in PUBLIC.items():
        for header in (root / include).rglob("*.h"):
            owner[str(header.relative_to(root / include))] = layer
    for header in (root / "platform").rglob("include/waymark/*.h"):
        owner["waymark/" + header.name] = "platform"
    return owner


def private_target(root, file, name):
    """The folder of the tree a private header stands in; None: not in the tree."""
    for base in (file.parent, root):
        path = (base / name).resolve()
        if path.is_file() and path.is_relative_to(root):
            return path.relative_to(root).parts[0]
    return None


def include_problems(root, owner, file, name):
    where = str(file.relative_to(root))
    layer = where.split("/")[0]
    public = "/include/" in where
    generated = name.endswith(".pb.h")
    private = None if name in owner or generated else private_target(root, file, name)
    target = owner.get(name, private)
    if target is not None and target not in MAY_INCLUDE[layer]:
        yield f"{layer} may not include {target}"
    if layer == "storage" and target == "filters" and name not in STORAGE_SEES:
        yield "storage may include only time.h, status.h and export.h of filters"
    if private is not None:
        if public:
            yield "a public header includes a private one"
        if layer in ("replay_tool", "platform") and private != layer:
            yield f"{layer} may include public headers only"
        if layer == "sdk" and private == "storage":
            yield "sdk may include only public headers of storage"
    if target is not None:
        return
    if "/" not in name and "." not in name:
        return  # the C++ standard library
    if name in FREESTANDING:
        return
    if public:
        yield "third-party header in a public header"
        return
    folders = [f for pattern, allowed in LIBRARIES if re.match(pattern, name) for f in allowed]
    if not any(where.startswith(f + "/") for f in folders):
        yield "third-party header outside its folder (LIBRARIES in check_layers.py)"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).resolve().parent.parent))
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    root = pathlib.Path(args.root).resolve()
    owner = published(root)

    problems = []
    files = [f for top in LAYERS
             for ext in ("*.h", "*.cc", "*.c", "*.mm") for f in (root / top).rglob(ext)]
    for file in sorted(files):
        where = str(file.relative_to(root))
        text = strip_comments(file.read_text(errors="replace"))

        def say(position, what, name):
            line = text.count("\n", 0, position) + 1
            problems.append(f"{where}:{line}: {what}: {name.strip()}")

        for match in INCLUDE.finditer(text):
            for what in include_problems(root, owner, file, match.group(2)):
                say(match.start(2), what, match.group(2))
        if any(where.startswith(p + "/") for p in PURE):
            for pattern, why in FORBIDDEN:
                for match in re.finditer(pattern, text):
                    say(match.start(), why, match.group())

    if args.compile:
        includes = [f"-I{root / i}" for i in PUBLIC.values()]
        includes += [f"-I{d}" for d in sorted((root / "platform").glob("*/include"))]
        languages = [(name, ["c++", "-std=c++20", "-x", "c++"]) for name in sorted(owner)]
        if C_HEADER in owner:
            languages.append((C_HEADER, ["cc", "-std=c99", "-pedantic", "-x", "c"]))

        def compile_alone(job):
            name, compiler = job
            run = subprocess.run([*compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *includes, "-"],
                                 input=f'#include "{name}"\n', text=True, capture_output=True)
            if run.returncode:
                problems.append(f"{name}: does not compile alone as {compiler[1][5:]}: "
                                f"{run.stderr.splitlines()[0]}")

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_alone, languages))

    for problem in problems:
        print(problem)
    print(f"check_layers: {len(files)} files, {len(problems)} violations", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
