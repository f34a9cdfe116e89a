#!/bin/sh
# large-workers.sh: builds the worker programs that take half a minute each: `wasm`, an interpreter, and `sqlite`, a database
# in C. Only runs of all workloads, and tests, need them.
#
# Features of these crates must not reach the other programs, hence a target folder of their own. The programs are linked
# into place beside the others.
#
# SQLite is compiled from the sources that the crate libsqlite3-sys carries, by its build script and the C compiler that
# links everything else. The flags below make it freestanding: no threads, no files, no libc but the functions in
# programs/src/sqlite/system.rs, and its own allocator in memory that it is given. The last flag of a kind counts.
set -eu

build() { # PROGRAM, also the name of its feature
    CARGO_ENCODED_RUSTFLAGS="$(tools/remap-paths.sh)" cargo build --release -p worker-programs --features "$1" \
        --bin "$1" --bin "control-$1" --target-dir target/workers/large
    mkdir -p target/release
    ln -f "target/workers/large/release/$1" "target/workers/large/release/control-$1" target/release/
}

# Without the crate's own options: each would bring code that nothing here uses.
export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_API_ARMOR -USQLITE_ENABLE_COLUMN_METADATA -USQLITE_ENABLE_DBSTAT_VTAB \
    -USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_JSON1 \
    -USQLITE_ENABLE_LOAD_EXTENSION -USQLITE_ENABLE_MEMORY_MANAGEMENT -USQLITE_ENABLE_RTREE -USQLITE_ENABLE_STAT4 \
    -USQLITE_SOUNDEX -USQLITE_USE_URI -UHAVE_USLEEP -UHAVE_ISNAN -USQLITE_THREADSAFE -DSQLITE_THREADSAFE=0 \
    -DSQLITE_OS_OTHER=1 -DSQLITE_ENABLE_MEMSYS5 -DSQLITE_ZERO_MALLOC -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_TEMP_STORE=3 \
    -DSQLITE_DEFAULT_SYNCHRONOUS=0 -DSQLITE_DQS=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_LOCALTIME -DSQLITE_OMIT_WAL \
    -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_OMIT_DESERIALIZE \
    -DSQLITE_UNTESTABLE -DSQLITE_DISABLE_LFS -DNDEBUG"
# No contraction to fused operations, no stack protector (it reads thread-local storage), no checked libc functions.
export CFLAGS="-O2 -ffreestanding -fPIE -ffp-contract=off -fno-stack-protector -fno-asynchronous-unwind-tables \
    -fvisibility=hidden -U_FORTIFY_SOURCE"

build wasm
build sqlite
