#!/usr/bin/env python3
"""Checks the architecture rules of the tree (see README, "Where things are").

1. Include edges: filters <- storage, sdk; sdk <- platform, replay_tool; storage sees only
   waymark/time.h and waymark/status.h of filters; replay_tool and platform see public headers only.
2. Third-party headers stay where they belong and are never reachable from a public header.
3. filters/ and the state-machine folders of sdk/ name no clock, thread, lock, random device,
   environment, stream, throw or unordered container.
4. With --compile: each public header compiles alone as C++20.

check_layers.py [--root DIR] [--compile]   exit 0: clean, 1: violations (one line each)
"""
import argparse
import pathlib
import re
import subprocess
import sys

PUBLIC = {"filters": "filters/include", "storage": "storage/include", "sdk": "sdk/include"}
PURE = ["filters", "sdk/core", "sdk/geofence", "sdk/sampling", "sdk/sync"]
FORBIDDEN = [
    (r"::now\s*\(", "reads a clock"), (r"\bclock_gettime\b|\bgettimeofday\b|\btime\(nullptr\)", "reads a clock"),
    (r"\bsleep(_for|_until)?\s*\(", "sleeps"), (r"std::j?thread\b", "names a thread"),
    (r"std::(recursive_|shared_|timed_)?mutex\b|std::condition_variable", "names a lock"),
    (r"std::atomic", "names an atomic"), (r"random_device|std::\w+_distribution|\brand\s*\(", "uses randomness"),
    (r"std::unordered_", "uses an unordered container"), (r"\bgetenv\b", "reads the environment"),
    (r"#\s*include\s*<(iostream|fstream|thread|mutex|atomic|random|unordered_map|unordered_set|format)>",
     "includes a forbidden header"),
    (r"\bthrow\b", "throws"), (r"std::format\b", "uses std::format"),
]
# Third-party header -> the folders that may include it.
THIRD_PARTY = [
    (r"Eigen/", ["filters", "tests"]),
    (r"GeographicLib/", ["filters", "sdk/geofence", "tests"]),
    (r"sqlite3\.h", ["storage", "tests"]),
    (r"google/protobuf/|.*\.pb\.h", ["sdk/sync", "tests"]),
    (r"zstd\.h", ["sdk/sync", "tests"]),
    (r"curl/", ["platform/linux", "tests"]),
    (r"expat\.h|zlib\.h|CLI/|nlohmann/|fmt/|microhttpd\.h|httplib\.h|boost/", ["replay_tool", "tests"]),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def folder_of(path):
    return path.parts[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=str(pathlib.Path(__file__).resolve().parent.parent))
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    root = pathlib.Path(args.root).resolve()

    owner = {}  # "waymark/x.h" -> layer that publishes it
    for layer, include in PUBLIC.items():
        for header in (root / include).rglob("*.h"):
            owner[str(header.relative_to(root / include))] = layer
    for header in (root / "platform").rglob("include/waymark/*.h"):
        owner["waymark/" + header.name] = "platform"

    problems = []
    files = [f for top in ("filters", "storage", "sdk", "platform", "replay_tool")
             for ext in ("*.h", "*.cc", "*.c", "*.mm") for f in (root / top).rglob(ext)]
    for file in sorted(files):
        rel = file.relative_to(root)
        where = str(rel)
        raw = file.read_text(errors="replace")
        text = strip_comments(raw)
        layer = folder_of(rel)
        public = "/include/" in where
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            quote, name = match.groups()

            def say(what):
                problems.append(f"{where}:{line}: {what}: {name}")

            target = owner.get(name)
            if target is None and quote == '"' and "/" in name and (root / name).exists():
                target = name.split("/")[0]
                if public:
                    say("a public header includes a private one")
                if layer in ("replay_tool", "platform") and target != layer:
                    say(f"{layer} may include public headers only")
            allowed = {"filters": {"filters"}, "storage": {"filters", "storage"},
                       "sdk": {"filters", "storage", "sdk"},
                       "platform": {"filters", "storage", "sdk", "platform"},
                       "replay_tool": {"filters", "storage", "sdk", "platform", "replay_tool"}}[layer]
            if target is not None and target not in allowed:
                say(f"{layer} may not include {target}")
            if layer == "storage" and target == "filters" and name not in (
                    "waymark/time.h", "waymark/status.h", "waymark/export.h"):
                say("storage may include only time.h, status.h and export.h of filters")
            if layer == "sdk" and target == "storage" and not name.startswith("waymark/"):
                say("sdk may include only public headers of storage")
            for pattern, folders in THIRD_PARTY:
                if re.fullmatch(pattern + ".*", name) and (
                        public or not any(where.startswith(f + "/") for f in folders)):
                    say("third-party header outside its folder" if not public
                        else "third-party header in a public header")
            if public and quote == "<" and ("/" in name or name.endswith(".h")) and name not in (
                    "stdint.h", "stddef.h", "stdbool.h"):
                say("public headers include the standard library and waymark/ only")
        if any(where.startswith(p + "/") for p in PURE):
            for pattern, why in FORBIDDEN:
                for match in re.finditer(pattern, text):
                    line = text.count("\n", 0, match.start()) + 1
                    problems.append(f"{where}:{line}: {why}: {match.group().strip()}")

    if args.compile:
        includes = [f"-I{root / i}" for i in PUBLIC.values()]
        includes += [f"-I{d}" for d in sorted((root / "platform").glob("*/include"))]
        for name in sorted(owner):
            run = subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                                  "-x", "c++", *includes, "-"], input=f'#include "{name}"\n',
                                 text=True, capture_output=True)
            if run.returncode:
                problems.append(f"{name}: does not compile alone: {run.stderr.splitlines()[0]}")

    for problem in problems:
        print(problem)
    print(f"check_layers: {len(files)} files, {len(problems)} violations", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
