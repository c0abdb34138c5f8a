#!/usr/bin/env python3
"""A dependency that is missing stops the configure step with the Debian package to install."""
import pathlib
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {"Eigen3": "libeigen3-dev", "GeographicLib": "libgeographiclib-dev", "SQLite3": "libsqlite3-dev",
            "Protobuf": "libprotobuf-dev and protobuf-compiler", "CURL": "libcurl4-openssl-dev",
            "EXPAT": "libexpat1-dev", "ZLIB": "zlib1g-dev", "CLI11": "libcli11-dev",
            "nlohmann_json": "nlohmann-json3-dev", "fmt": "libfmt-dev", "Microhttpd": "libmicrohttpd-dev",
            "GTest": "libgtest-dev and libgmock-dev", "rapidcheck": "librapidcheck-dev"}

with tempfile.TemporaryDirectory() as build:
    for name, debian in PACKAGES.items():
        # A second configure of the same folder, so that the compiler is looked at once.
        run = subprocess.run(["cmake", "-S", SOURCE, "-B", build, "-G", "Ninja",
                              *(f"-DCMAKE_DISABLE_FIND_PACKAGE_{n}={'ON' if n == name else 'OFF'}" for n in PACKAGES)],
                             text=True, capture_output=True)
        said = " ".join(run.stderr.split())
        assert run.returncode != 0, f"configured without {name}"
        assert f"waymark needs {name}" in said and f"apt-get install {debian}" in said, said
print(f"{len(PACKAGES)} missing packages named")
