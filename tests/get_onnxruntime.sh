#!/usr/bin/env bash
# Makes a prefix with ONNX Runtime's headers and shared library, to build the component `onnxruntime`:
#
#   bash tests/get_onnxruntime.sh PREFIX    then: cmake -DONNXRUNTIME_ROOT=PREFIX ...
#
# The library is that of the installed Python package onnxruntime, whose C ABI is stable and which has no
# headers. Those are taken from the system (libonnxruntime-dev) or, where its release has no such
# package, from a later Debian's: fetched from where the machine's own packages come from, and unpacked,
# not installed. The state of the machine's package manager is not touched.
#
# Exit status 3, and why on standard error: they cannot be had here.
set -euo pipefail
prefix=${1:?usage: get_onnxruntime.sh PREFIX}
later=${LATER_DEBIAN:-trixie} # the first Debian with the package

give_up() {
  echo "ONNX Runtime cannot be had: $*" >&2
  exit 3
}

library=$("${PYTHON:-python3}" - <<'END'
import importlib.util, pathlib
spec = importlib.util.find_spec("onnxruntime")
if spec and spec.origin:
    print(*sorted(pathlib.Path(spec.origin).parent.glob("capi/libonnxruntime.so.[0-9]*"))[:1])
END
)
[ -n "$library" ] || give_up "the Python package onnxruntime is not installed, or has no library"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find_headers() {
  find "$1" -name onnxruntime_cxx_api.h -printf '%h\n' 2>/dev/null | head -n 1
}
headers=$(find_headers /usr/include)
if [ -z "$headers" ]; then
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || give_up "no headers on this machine, and no $tool to fetch them"
  done
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # Where this machine's packages come from, and by whose key they are signed.
  apt-get indextargets --format '$(SITE) $(RELEASE) $(SIGNED_BY)' 'Identifier: Packages' |
    while read -r site suite key; do
      [ "$suite" = "$release" ] || continue
      case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
      echo "deb [signed-by=$key] $site $later main"
    done | sort -u >"$work/sources.list"
  [ -s "$work/sources.list" ] || give_up "the machine's package sources name no '$release'"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  cat >"$work/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
END
  apt() { (cd "$work" && apt-get -qq -c "$work/apt.conf" "$@" >"$work/log" 2>&1); }
  apt update && apt download libonnxruntime-dev ||
    give_up "libonnxruntime-dev of Debian $later: $(tail -n 1 "$work/log")"
  dpkg-deb -x "$work"/libonnxruntime-dev_*.deb "$work/unpacked"
  headers=$(find_headers "$work/unpacked")
fi

mkdir -p "$prefix/include" "$prefix/lib"
cp "$headers"/*.h "$prefix/include/"
ln -sf "$library" "$prefix/lib/libonnxruntime.so.1"
ln -sf libonnxruntime.so.1 "$prefix/lib/libonnxruntime.so"
