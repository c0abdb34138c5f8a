#!/usr/bin/env python3
"""Every rule of .ci/check_layers.py catches a file that breaks it, and lets a clean tree pass."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parents[2] / ".ci" / "check_layers.py"
CLEAN = {"filters/include/waymark/time.h": "#include <chrono>\n", "filters/a.h": "int a;\n",
         "filters/a.cc": '#include "filters/a.h"\n#include <Eigen/Core>\n',
         "storage/include/waymark/outbox.h": '#include "waymark/time.h"\n',
         "sdk/include/waymark/tracker.h": '#include "waymark/outbox.h"\n',
         "sdk/runtime/t.cc": "#include <thread>\nauto x = Clock::now();\n"}
VIOLATIONS = {  # file -> (content, what the message must contain)
    "filters/clock.cc": ("auto t = std::chrono::steady_clock::now();\n", "reads a clock"),
    "filters/up.cc": ('#include "waymark/tracker.h"\n', "filters may not include sdk"),
    "filters/lock.cc": ("std::mutex m;\n", "names a lock"),
    "filters/env.cc": ('auto p = getenv("X");\n', "reads the environment"),
    "sdk/core/hash.cc": ("std::unordered_map<int, int> m;\n", "unordered container"),
    "sdk/core/stream.cc": ("#include <iostream>\n", "forbidden header"),
    "sdk/core/throws.cc": ("void f() { throw 1; }\n", "throws"),
    "sdk/core/eigen.cc": ("#include <Eigen/Core>\n", "third-party header outside its folder"),
    "storage/gps.cc": ('#include "waymark/fix.h"\n', "storage may include only"),
    "storage/peek.cc": ('#include "filters/a.h"\n', "storage may include only"),
    "sdk/include/waymark/bad.h": ("#include <sqlite3.h>\n", "third-party header in a public header"),
    "sdk/include/waymark/worse.h": ('#include "filters/a.h"\n', "includes a private one"),
    "platform/linux/core.cc": ('#include "filters/a.h"\n', "public headers only"),
    "replay_tool/core.cc": ('#include "filters/a.h"\n', "public headers only"),
}
EXTRA = {"filters/include/waymark/fix.h": '#include "waymark/time.h"\n'}


def run(files, *flags):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([CHECK, "--root", root, *flags], text=True, capture_output=True)


clean = run(CLEAN | EXTRA, "--compile")
assert clean.returncode == 0, clean.stdout
for name, (text, message) in VIOLATIONS.items():
    result = run(CLEAN | EXTRA | {name: text})
    assert result.returncode == 1, f"{name} passed"
    assert name in result.stdout and message in result.stdout, (name, result.stdout)
broken = run(CLEAN | {"sdk/include/waymark/alone.h": "Undeclared x;\n"}, "--compile")
assert broken.returncode == 1 and "does not compile alone" in broken.stdout, broken.stdout
print(f"{len(VIOLATIONS) + 1} violations caught")
