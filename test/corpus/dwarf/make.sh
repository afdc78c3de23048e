#!/bin/sh
# Makes the files of this corpus again, and what LLVM's addr2line says of them (see README.md). Needs gcc, clang, lld, llvm, dwz, rustc.
set -eu
cd "$(dirname "$0")"
here=$PWD
gcc_out=gcc-$(gcc -dumpfullversion)
clang_out=clang-$(clang -dumpversion)
rust_out=rustc-$(rustc --version | cut -d' ' -f2)
mkdir -p "$gcc_out" "$clang_out" "$rust_out"
# The paths of this machine stay out of the files.
cd programs
map="-ffile-prefix-map=$PWD=/src"
plain="-nostdlib -static -Wl,--build-id=none,-z,noseparate-code,-z,max-page-size=4096 -fno-asynchronous-unwind-tables -fcf-protection=none"
for version in 2 3 4 5; do
  gcc -O2 -gdwarf-$version $map $plain inlined.c -o "../$gcc_out/c-v$version"
  g++ -O2 -gdwarf-$version $map $plain scopes.cc -o "../$gcc_out/cc-v$version"
done
g++ -O0 -g $map $plain scopes.cc -o "../$gcc_out/cc-O0"
gcc -O2 -g -gdwarf64 $map $plain inlined.c -o "../$gcc_out/c-wide"
g++ -O2 -g -fdebug-types-section $map $plain scopes.cc -o "../$gcc_out/cc-types"
objcopy --compress-debug-sections=zlib "../$gcc_out/cc-v5" "../$gcc_out/cc-zlib"
objcopy --compress-debug-sections=zlib-gnu "../$gcc_out/cc-v4" "../$gcc_out/cc-zlib-gnu"
objcopy --compress-debug-sections=zstd "../$gcc_out/cc-v5" "../$gcc_out/cc-zstd" || rm -f "../$gcc_out/cc-zstd"
for version in 3 4 5; do
  clang -O2 -gdwarf-$version $map -nostdlib -static -fuse-ld=lld -Wl,--build-id=none inlined.c -o "../$clang_out/c-v$version"
  clang++ -O2 -gdwarf-$version $map -nostdlib -static -fuse-ld=lld scopes.cc -o "../$clang_out/cc-v$version"
done
for target in powerpc64 mips armv7a i386; do
  clang++ -target $target-linux-gnu -O2 -gdwarf-5 $map -nostdlib -static -fuse-ld=lld scopes.cc -o "../$clang_out/cc-$target" || rm -f "../$clang_out/cc-$target"
done
for version in 4 5; do
  g++ -O2 -gdwarf-$version -gsplit-dwarf $map $plain -c scopes.cc -o "../$gcc_out/cc-split-v$version.o"
  g++ $plain "../$gcc_out/cc-split-v$version.o" -o "../$gcc_out/cc-split-v$version"
  rm "../$gcc_out/cc-split-v$version.o"
done
cd "../$clang_out"
for version in 4 5; do
  clang++ -O2 -gdwarf-$version -gsplit-dwarf -fdebug-compilation-dir=/src -c ../programs/scopes.cc -o cc-package-v$version.o
  clang++ -nostdlib -static -fuse-ld=lld cc-package-v$version.o -o cc-package-v$version
  llvm-dwp cc-package-v$version.dwo -o cc-package-v$version.dwp
  rm cc-package-v$version.o cc-package-v$version.dwo
done
cd "../$gcc_out"
cp cc-v4 dwz-a && cp cc-v3 dwz-b && cp cc-v5 dwz-c
dwz -L none -l none -m dwz-common.debug dwz-a dwz-b dwz-c || true
test -f dwz-common.debug || rm -f dwz-a dwz-b dwz-c
cd ../programs
rustc -O -g -C panic=abort -C link-args="-nostdlib -static -Wl,--build-id=none" --remap-path-prefix "$PWD=/src" nostd.rs -o "../$rust_out/nostd"
# Without symbols the names that judges tell are DWARF's.
cd "$here"
for file in "$gcc_out"/* "$clang_out"/* "$rust_out"/*; do
  case $file in *.dwo | *.dwp | *.debug | *.txt) continue ;; esac
  llvm-objcopy --remove-section=.comment --remove-section=.note.gnu.property --remove-section=.symtab "$file"
done
cd "$here/../../.."
node scripts/with-tools.mjs node test/judges/make-dwarf-expectations.ts
