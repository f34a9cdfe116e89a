#!/bin/sh
# local-toolchain.sh VERSION DIR TARGET LLD-CANDIDATES OBJCOPY-CANDIDATES
#
# Makes DIR look like a rustup toolchain with rust-src, llvm-tools, clippy, rustfmt and TARGET, out of a distribution's
# packages, for machines where rustup cannot download. Builds beside DIR and renames, so that DIR is never half made.
#
# Most of it is links. What a distribution does not have is the core and alloc of a bare-metal target: they are built
# from its library source.
set -eu
version=$1 dir=$2 target=$3 lld_candidates=$4 objcopy_candidates=$5
host=x86_64-unknown-linux-gnu
die() { echo "local-toolchain: $*" >&2; exit 1; }

found=$(/usr/bin/rustc --version 2>/dev/null | cut -d' ' -f2) || :
[ "$found" = "$version" ] || die "expected /usr/bin/rustc $version, found ${found:-none}"
sysroot=$(/usr/bin/rustc --print sysroot)
[ -d "$sysroot/lib/rustlib/src/rust/library/core" ] || die "expected library source in $sysroot/lib/rustlib/src"

new=$(mktemp -d "$dir.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$new"
bin=$new/bin lib=$new/lib/rustlib
mkdir -p "$bin" "$lib/$host/bin"
ln -s "$sysroot/lib/rustlib/$host/lib" "$lib/$host/lib"
ln -s "$sysroot/lib/rustlib/src" "$lib/src"

link_tool() { # NAME CANDIDATE...: the first that exists, as NAME among the target's own tools
    name=$1; shift
    for candidate; do
        [ -x "$candidate" ] || continue
        ln -s "$(readlink -f "$candidate")" "$lib/$host/bin/$name"
        return
    done
    die "expected one of these, for $name: $*"
}
# shellcheck disable=SC2086 # lists
link_tool rust-lld $lld_candidates
# shellcheck disable=SC2086 # lists
link_tool llvm-objcopy $objcopy_candidates
# Never run, but the loader's build takes a toolchain without it for one without LLVM tools.
link_tool llvm-objdump "$(dirname "$(readlink -f "$lib/$host/bin/llvm-objcopy")")/llvm-objdump"

# rustc and cargo must be told where they are; $0 is absolute, since both are found by PATH or by RUSTC. SYSROOT is
# what clippy-driver reads, which is not called through this rustc.
cat > "$bin/rustc" <<'WRAPPER'
#!/bin/sh
exec /usr/bin/rustc --sysroot "${0%/bin/*}" "$@"
WRAPPER
cat > "$bin/cargo" <<'WRAPPER'
#!/bin/sh
SYSROOT=${0%/bin/*}
export SYSROOT PATH="$SYSROOT/bin:$PATH" RUSTC="$SYSROOT/bin/rustc"
exec /usr/bin/cargo "$@"
WRAPPER
chmod +x "$bin/rustc" "$bin/cargo"
for tool in rustdoc clippy-driver cargo-clippy rustfmt cargo-fmt; do
    [ -x "/usr/bin/$tool" ] || die "expected /usr/bin/$tool"
    ln -s "/usr/bin/$tool" "$bin/$tool"
done

work=$new/work
mkdir -p "$work/src"
echo '#![no_std]' > "$work/src/lib.rs"
printf '[package]\nname = "stub"\nedition = "2021"\n[workspace]\n' > "$work/Cargo.toml"
# Without a RUSTUP_TOOLCHAIN or flags of the caller's, which would be built into every kernel.
(cd "$work" && env -u RUSTUP_TOOLCHAIN -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_TARGET_DIR RUSTC_BOOTSTRAP=1 \
    "$bin/cargo" build --quiet --release --target "$target" --target-dir "$work/target" \
    -Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem)
mkdir -p "$lib/$target/lib"
rm "$work/target/$target/release/deps/"libstub-*.rlib
cp "$work/target/$target/release/deps/"lib*.rlib "$lib/$target/lib/"
rm -rf "$work"

rm -rf "$dir"
mv -T "$new" "$dir"
trap - EXIT
