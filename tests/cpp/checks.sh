#!/usr/bin/env bash
# What compilers can find in the C++ code: sanitizers, the fuzzer, clang-tidy.
#
#   bash tests/cpp/checks.sh                           all of them, as tests/run.sh does
#   bash tests/cpp/checks.sh tidy                      one: address, thread, fuzz or tidy
#   FUZZ_SECONDS=3600 bash tests/cpp/checks.sh fuzz    what it finds is kept in build/checks
#
# Needs the extra `test` and GoogleTest. With Clang and its run-time library (Debian: clang and
# libclang-rt-14-dev) all is built by it; without, the sanitizers are the system compiler's and the
# fuzzer is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/build/checks
seconds=${FUZZ_SECONDS:-25}
checks=${*:-tidy address fuzz thread}
export UBSAN_OPTIONS=print_stacktrace=1 no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

wanted() { [[ " $checks " == *" $1 "* ]]; }

fuzzer=ON
compiler=clang++
if ! tests/cpp/fuzz/can_fuzz.sh; then
  echo "Clang's run-time library cannot be had: the fuzzer is left out"
  fuzzer=OFF
  compiler=c++
fi

configure() { # FOLDER SANITIZERS FUZZER [MORE...]
  local folder=$1 sanitizers=$2 fuzzers=$3
  shift 3
  cmake -G Ninja -S . -B "$build/$folder" -DCMAKE_CXX_COMPILER=$compiler -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DFASTCALOQ_SANITIZE="$sanitizers" \
    -DFASTCALOQ_BUILD_FUZZERS="$fuzzers" -DFASTCALOQ_BUILD_TESTS=ON -DFASTCALOQ_WERROR=ON \
    -DFASTCALOQ_SERVED=AUTO "$@" >"$build/$folder.log" || { cat "$build/$folder.log"; return 1; }
}

compile() { # FOLDER TARGETS: those of them that this configuration has
  local folder=$1 target targets=()
  shift
  for target in "$@"; do
    if ninja -C "$build/$folder" -t query "$target" >/dev/null 2>&1; then targets+=("$target"); fi
  done
  ninja -C "$build/$folder" --quiet "${targets[@]}"
}

test_all() { # FOLDER [COMMAND...]: runs its test programs, by a command if one is given
  local folder=$1 program
  shift
  find "$build/$folder/tests/cpp" -type f -perm -u+x \( -name '*_tests' -o -name '*_test' \) |
    while read -r program; do
      echo "-- ${program##*/}"
      (cd "$build/$folder" && "$@" "$program" --gtest_brief=1) >"$build/output" 2>&1 ||
        { cat "$build/output"; return 1; }
    done
}

mkdir -p "$build"
if wanted tidy || wanted address || wanted fuzz; then
  bash tests/get_onnxruntime.sh "$build/onnxruntime" >/dev/null || echo "its engine is left out"
  configure address address,undefined $fuzzer -DFASTCALOQ_BUILD_BENCH=ON \
    -DFASTCALOQ_ONNXRUNTIME=AUTO -DONNXRUNTIME_ROOT="$build/onnxruntime" \
    -DPython_EXECUTABLE="$(command -v python)"
fi

if wanted tidy; then
  echo "-- clang-tidy"
  quietly() { "$@" >"$build/tidy.log" 2>&1 || { cat "$build/tidy.log"; return 1; }; }
  quietly run-clang-tidy.py -quiet -j 2 -p "$build/address" \
    -extra-arg=-Wno-unknown-warning-option "^$PWD/cpp/"
  read -r -a python <<<"$(python -m pybind11 --includes)"
  quietly clang-tidy --quiet cpp/bindings/*.cpp -- -std=c++17 "${python[@]}" -Icpp/include \
    -Icpp/src -Icpp/src/kernels
fi

if wanted fuzz && [ $fuzzer = ON ]; then
  compile address model_fuzzer make_seeds
  mkdir -p "$build/corpus" "$build/found"
  "$build/address/tests/cpp/fuzz/make_seeds" "$build/corpus"
  "$build/address/tests/cpp/fuzz/model_fuzzer" "$build/corpus" tests/cpp/fuzz/found -seed=1 \
    -max_total_time="$seconds" -max_len=200000 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$build/found/" >"$build/fuzz.log" 2>&1 &
  fuzzing=$!
fi

if wanted address; then
  echo "-- with the address and undefined-behaviour sanitizers"
  compile address fastcaloq_tests simulation_tests simulation_allocation_test \
    destruction_order_test kernels_test kernels_allocation_test served_tests \
    fuzz_target_test
  test_all address
fi

if [ -n "${fuzzing:-}" ]; then
  wait "$fuzzing" || { tail -50 "$build/fuzz.log"; echo "the input is in $build/found"; exit 1; }
  echo "-- fuzzer: $(grep -E '^(Done|stat::number_of_executed)' "$build/fuzz.log" || tail -1 "$build/fuzz.log")"
fi

if wanted thread; then
  echo "-- with the thread sanitizer"
  configure thread thread OFF
  compile thread simulation_tests served_tests
  # Where addresses are very random, its map of memory does not fit.
  if setarch -R true 2>/dev/null; then test_all thread setarch -R; else test_all thread; fi
fi
