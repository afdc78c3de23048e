#!/bin/bash
# Remakes this folder's profiles with the real tools. Needs go, node, npm, python3 with pip, g++, zstd, and Debian's
# google-perftools and libgoogle-perftools-dev. What comes out differs from run to run; tests depend on no value in it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/everflame-XXXXXX")
trap 'rm -rf "$work"' EXIT
GO=${GO:-$(command -v go || echo /usr/local/go/bin/go)}

go_version=$("$GO" env GOVERSION)
mkdir -p "$here/go-${go_version#go}" "$work/go"
cp "$here/programs/go/main.go" "$work/go/"
(cd "$work/go" && "$GO" mod init everflame.test/corpus && "$GO" build -o workload . && ./workload "$here/go-${go_version#go}")
gzip -dc "$here/go-${go_version#go}/cpu.pb.gz" >"$here/go-${go_version#go}/cpu-plain.pb"
zstd -qf19 "$here/go-${go_version#go}/cpu-plain.pb" -o "$here/go-${go_version#go}/cpu.pb.zst"

mkdir -p "$here/datadog-pprof-5.20.0" "$work/node"
cp "$here/programs/node/make.mjs" "$work/node/"
(cd "$work/node" && npm init -y >/dev/null && npm install --ignore-scripts @datadog/pprof@5.20.0 &&
  node make.mjs "$here/datadog-pprof-5.20.0")

cp "$here"/programs/python/*.py "$work/"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install austin-dist==3.7.0 austin-python==1.7.1 zprofile==1.0.13
mkdir -p "$here/austin-3.7.0" "$here/zprofile-1.0.13"
"$work/venv/bin/austin" -i 5ms -o "$work/austin.txt" python3 "$work/workload.py" 2
"$work/venv/bin/austin2pprof" "$work/austin.txt" "$here/austin-3.7.0/wall.pb"
"$work/venv/bin/python" "$work/zprofile-run.py" "$here/zprofile-1.0.13/cpu.pb.gz"

# gperftools writes its own format; Google's pprof converts it: native code with inlined lines, and the one writer that
# sets drop_frames and keep_frames.
mkdir -p "$here/gperftools-2.10"
cp "$here/programs/cpp/workload.cpp" "$work/"
(cd "$work" && g++ -O2 -g -o workload workload.cpp)
libs=/usr/lib/$(uname -m)-linux-gnu
LD_PRELOAD=$libs/libprofiler.so CPUPROFILE=$work/cpu.prof CPUPROFILE_FREQUENCY=250 "$work/workload" 2
"$GO" tool pprof -proto -output="$here/gperftools-2.10/cpu.pb.gz" "$work/workload" "$work/cpu.prof"
"$GO" tool pprof -symbolize=none -proto -output="$here/gperftools-2.10/cpu-unsymbolized.pb.gz" "$work/cpu.prof"
LD_PRELOAD=$libs/libtcmalloc.so HEAPPROFILE=$work/heap HEAP_PROFILE_ALLOCATION_INTERVAL=0 "$work/workload" 1
"$GO" tool pprof -proto -output="$here/gperftools-2.10/heap.pb.gz" "$work/workload" "$(ls "$work"/heap.*.heap | tail -1)"
