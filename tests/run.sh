#!/usr/bin/env bash
# Every check of the project, from a clean clone: set-up, style, types, C++ and Python tests.
#
#   bash tests/run.sh             all of it
#   VENV=/path bash tests/run.sh  with the virtual environment elsewhere
#
# Needs Python 3.11 or later and a C++17 compiler. GoogleTest and libcurl are taken from the system;
# where they are missing and the system's packages may be installed, Debian's libgtest-dev and
# libcurl4-openssl-dev are, and clang with libclang-rt-14-dev for sanitizers and fuzzer. Without
# libcurl the client of a conditioning service is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

step() { printf '\n== %s\n' "$*"; }

step "install"
debian() { # install a Debian package if that can be done
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 0
  apt-get install -y -qq "$1" >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq "$1" >/dev/null; }
}
[ -e /usr/include/gtest/gtest.h ] || debian libgtest-dev
echo '#include <curl/curl.h>' | c++ -E -x c++ - >/dev/null 2>&1 ||
  debian libcurl4-openssl-dev || echo "libcurl cannot be had: its client is left out"
command -v pkg-config >/dev/null || debian pkg-config || echo "pkg-config cannot be had: no test"
tests/cpp/fuzz/can_fuzz.sh ||
  { debian clang && debian "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev"; } ||
  echo "Clang's run-time library cannot be had"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -c constraints.txt ".[all]"
export PATH="$PWD/$venv/bin:$PATH"
case $venv in /*) export PATH="$venv/bin:$PATH" ;; esac

step "style and types"
ruff check .
ruff format --check .
find cpp tests examples -name '*.?pp' -print0 | xargs -0 clang-format --dry-run --Werror
codespell .
mypy

step "sanitizers, fuzzer, clang-tidy"
bash tests/cpp/checks.sh

step "tests"
# Two cores: one thread per test process keeps timings and results steady.
OMP_NUM_THREADS=1 pytest -n 2 --dist loadgroup --no-loadscope-reorder
