#!/usr/bin/env python3
"""Every rule of .ci/check_layers.py catches a file that breaks it, and lets a clean tree pass."""
import pathlib
import subprocess
import tempfile

CHECK = pathlib.Path(__file__).resolve().parents[2] / ".ci" / "check_layers.py"
CLEAN = {  # what is allowed, so that a rule which forbids everything fails here
    "filters/include/waymark/time.h": "#include <chrono>\n",
    "filters/include/waymark/fix.h": '#include "waymark/time.h"\n',
    "filters/a.h": "int a;\n",
    "filters/a.cc": '#include "filters/a.h"\n#include "a.h"\n#include <Eigen/Core>\n'
                    "#include <GeographicLib/Geodesic.hpp>\n"
                    "// std::mutex and Clock::now() in words\nint runtime(int sometime);\n"
                    "int n = snprintf(p, 4, x); bool open(int); auto s = lifetime(0);\n",
    "storage/include/waymark/outbox.h": '#include "waymark/time.h"\n',
    "storage/b.h": "int b;\n",
    "storage/b.cc": '#include "storage/b.h"\n#include <sqlite3.h>\n#include <unistd.h>\n',
    "sdk/include/waymark/tracker.h": '#include <stdint.h>\n#include "waymark/outbox.h"\n',
    "sdk/include/waymark/waymark.h": "#include <stdint.h>\nint32_t waymark_version(void);\n",
    "sdk/core/c.h": '#include "filters/a.h"\n',
    "sdk/runtime/t.cc": "#include <thread>\nauto x = Clock::now();\nstd::mutex m;\n",
    "sdk/sync/w.cc": '#include <google/protobuf/arena.h>\n#include "sdk/proto/w.pb.h"\n#include <zstd.h>\n',
    "platform/linux/include/waymark/net.h": '#include "waymark/tracker.h"\n',
    "platform/linux/net.cc": '#include "waymark/net.h"\n#include <curl/curl.h>\n',
    "replay_tool/r.h": "int r;\n",
    "replay_tool/r.cc": '#include "replay_tool/r.h"\n#include <nlohmann/json.hpp>\n#include <expat.h>\n'
                        '#include "waymark/net.h"\n#include <fstream>\n',
    "tests/t.h": "int t;\n",
}
# Rule -> (message, [(file, content)]): each content alone must be caught.
EDGES = [
    ("filters may not include storage", "filters", "waymark/outbox.h"),
    ("filters may not include storage", "filters", "storage/b.h"),
    ("filters may not include sdk", "filters", "waymark/tracker.h"),
    ("filters may not include sdk", "filters", "sdk/core/c.h"),
    ("filters may not include platform", "filters", "waymark/net.h"),
    ("filters may not include replay_tool", "filters", "replay_tool/r.h"),
    ("filters may not include tests", "filters", "tests/t.h"),
    ("storage may include only", "storage", "waymark/fix.h"),
    ("storage may include only", "storage", "filters/a.h"),
    ("storage may include only", "storage", "../filters/a.h"),
    ("storage may not include sdk", "storage", "waymark/tracker.h"),
    ("storage may not include sdk", "storage", "sdk/core/c.h"),
    ("storage may not include platform", "storage", "waymark/net.h"),
    ("storage may not include replay_tool", "storage", "replay_tool/r.h"),
    ("only public headers of storage", "sdk/core", "storage/b.h"),
    ("sdk may not include platform", "sdk/runtime", "waymark/net.h"),
    ("sdk may not include replay_tool", "sdk/runtime", "replay_tool/r.h"),
    ("platform may include public headers only", "platform/linux", "filters/a.h"),
    ("platform may include public headers only", "platform/linux", "storage/b.h"),
    ("platform may include public headers only", "platform/linux", "sdk/core/c.h"),
    ("platform may not include replay_tool", "platform/linux", "replay_tool/r.h"),
    ("replay_tool may include public headers only", "replay_tool", "filters/a.h"),
    ("replay_tool may include public headers only", "replay_tool", "storage/b.h"),
    ("replay_tool may include public headers only", "replay_tool", "sdk/core/c.h"),
    ("replay_tool may include public headers only", "replay_tool", "../sdk/core/c.h"),
    ("a public header includes a private one", "sdk/include/waymark", "filters/a.h"),
    ("a public header includes a private one", "filters/include/waymark", "../../a.h"),
]
PUBLIC_FOLDERS = ["filters/include/waymark", "storage/include/waymark", "sdk/include/waymark",
                  "platform/linux/include/waymark"]
LIBRARIES = {  # header -> folders it does not belong to
    "Eigen/Core": ["storage", "sdk/core", "replay_tool", "platform/linux"],
    "GeographicLib/Geodesic.hpp": ["storage", "sdk/core", "replay_tool"],
    "sqlite3.h": ["filters", "sdk/core", "replay_tool"],
    "google/protobuf/arena.h": ["filters", "sdk/core", "replay_tool"],
    "sdk/proto/w.pb.h": ["filters", "sdk/core", "replay_tool"],
    "zstd.h": ["sdk/core", "storage"],
    "curl/curl.h": ["sdk/sync", "replay_tool", "platform/posix"],
    "expat.h": ["sdk/core"], "zlib.h": ["sdk/sync"], "CLI/CLI.hpp": ["sdk/core"],
    "nlohmann/json.hpp": ["sdk/core", "storage"], "fmt/format.h": ["sdk/core"],
    "microhttpd.h": ["platform/linux"], "unistd.h": ["filters", "sdk/core"], "pthread.h": ["sdk/sync"],
    "unheard/of.h": ["filters", "storage", "sdk/runtime", "platform/linux", "replay_tool"],
}
IMPURE = {
    "reads a clock": ["std::chrono::steady_clock::now();", "clock_gettime(CLOCK_REALTIME, &t);",
                      "gettimeofday(&t, nullptr);", "time(nullptr);", "std::time(0);", "std::clock();"],
    "sleeps": ["std::this_thread::sleep_for(d);", "usleep(5);"],
    "names a thread": ["std::thread t;", "std::jthread t;", "std::async(f);", "pthread_create(&t);"],
    "names a lock": ["std::mutex m;", "std::shared_mutex m;", "std::condition_variable c;",
                     "std::lock_guard l(m);", "std::counting_semaphore<1> s;"],
    "names an atomic": ["std::atomic<int> n;", "thread_local int n;"],
    "uses randomness": ["std::random_device d;", "std::uniform_int_distribution<int> d;", "std::mt19937 g;",
                        "rand();", "drand48();"],
    "unordered container": ["std::unordered_map<int, int> m;", "std::unordered_set<int> s;"],
    "reads the environment": ['getenv("X");', "extern char** environ;"],
    "uses a stream": ["std::cerr << 1;", "std::ostringstream s;", 'printf("x");', 'fopen("x", "r");',
                      "fputs(x, stderr);"],
    "forbidden header": [f"#include <{h}>" for h in (
        "iostream", "fstream", "sstream", "thread", "mutex", "shared_mutex", "condition_variable", "future",
        "atomic", "random", "unordered_map", "unordered_set", "format", "filesystem")],
    "throws": ["void f() { throw 1; }"],
    "uses std::format": ['std::format("{}", 1);'],
}
PURE = ["filters", "sdk/core", "sdk/geofence", "sdk/sampling", "sdk/sync", "sdk/tasks", "sdk/alerts"]


def violations():
    for message, folder, header in EDGES:
        suffix = ".h" if "/include/" in folder else ".cc"
        yield f"{folder}/bad{suffix}", f'#include "{header}"\n', message
        yield f"{folder}/bad{suffix}", f"#  include <{header}>\n", message
    for header, folders in LIBRARIES.items():
        for folder in folders:
            yield f"{folder}/bad.cc", f"#include <{header}>\n", "third-party header outside its folder"
        for folder in PUBLIC_FOLDERS:
            for text in (f"#include <{header}>\n", f'#include "{header}"\n'):
                yield f"{folder}/bad.h", text, "third-party header in a public header"
    for message, lines in IMPURE.items():
        for number, line in enumerate(lines):
            yield f"{PURE[number % len(PURE)]}/bad.cc", line + "\n", message
    for folder in PURE:
        yield f"{folder}/deep/bad.h", "std::mutex m;\n", "names a lock"


def write(root, files):
    for name, text in files.items():
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(root, *flags):
    return subprocess.run([CHECK, "--root", root, *flags], text=True, capture_output=True)


with tempfile.TemporaryDirectory() as root:
    write(root, CLEAN)
    clean = run(root, "--compile")
    assert clean.returncode == 0, clean.stdout
    caught = 0
    # One run over a tree of bad files, each with a name of its own: every one must be named.
    expected = []
    for number, (name, text, message) in enumerate(violations()):
        name = name.replace("bad.", f"bad_{number}.")
        write(root, {name: text})
        expected.append((name, text, message))
    result = run(root)
    assert result.returncode == 1
    for name, text, message in expected:
        lines = [line for line in result.stdout.splitlines() if line.startswith(f"{name}:1: ")]
        assert any(message in line for line in lines), f"not caught: {name}: {text!r} ({message}); said: {lines}"
        caught += 1
for name, text, language in (("alone.h", "Undeclared x;\n", "c++20"),
                             ("waymark.h", "#ifdef __cplusplus\n#else\nbool x;\n#endif\n", "c99")):
    with tempfile.TemporaryDirectory() as root:
        write(root, CLEAN | {f"sdk/include/waymark/{name}": text})
        broken = run(root, "--compile")
        assert broken.returncode == 1 and f"does not compile alone as {language}" in broken.stdout, broken.stdout
        caught += 1
print(f"{caught} violations caught")
