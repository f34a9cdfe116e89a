#!/bin/sh
# local-toolchain.sh VERSION DIR TARGET LLD-CANDIDATES OBJCOPY-CANDIDATES LIBRARY-SOURCE
#
# Makes DIR look like a rustup toolchain with rust-src, llvm-tools, clippy, rustfmt and TARGET, from a distribution's
# packages, for machines on which rustup cannot download. Builds beside DIR and renames, so that DIR is never half made.
#
# Most of it is links. A distribution lacks the core and alloc of a bare-metal target: they are built from its library
# source. LIBRARY-SOURCE is the folder with `library/`; if it is empty, that folder is unpacked from Debian's package,
# which needs no root, 5 seconds instead of 20, and 60 MB instead of 340.
set -eu
version=$1 dir=$2 target=$3 lld_candidates=$4 objcopy_candidates=$5 library_source=$6
host=x86_64-unknown-linux-gnu
die() { echo "local-toolchain: $*" >&2; exit 1; }

found=$(/usr/bin/rustc --version 2>/dev/null | cut -d' ' -f2) || :
[ "$found" = "$version" ] || die "expected /usr/bin/rustc $version, found ${found:-none}"
sysroot=$(/usr/bin/rustc --print sysroot)

new=$(mktemp -d "$dir.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$new"
bin=$new/bin lib=$new/lib/rustlib
mkdir -p "$bin" "$lib/$host/bin"
ln -s "$sysroot/lib/rustlib/$host/lib" "$lib/$host/lib"

unpack_library() { # PACKAGE: its library/, as FOLDER/rust/library
    mkdir -p "$lib/src/rust" "$new/package"
    package_version=$(dpkg-query -W -f '${Version}' rustc-web) || die "expected the package rustc-web"
    (cd "$new/package" && apt-get download -q -o APT::Sandbox::User=root "$1=$package_version" >/dev/null) ||
        die "cannot download $1 $package_version; install that package, then make again"
    # The names in the archive begin with ./usr/src/rustc-VERSION/.
    dpkg-deb --fsys-tarfile "$new/package/"*.deb |
        tar -x -C "$lib/src/rust" --strip-components=4 --wildcards './usr/src/rustc-*/library'
    rm -r "$new/package"
}
if [ -n "$library_source" ]; then
    ln -s "${library_source%/rust}" "$lib/src"
else
    unpack_library rust-web-src
fi
[ -d "$lib/src/rust/library/core" ] || die "expected library/core in ${library_source:-the package rust-web-src}"

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

# rustc and cargo have to be given their sysroot. $0 is absolute, since both are found by PATH or by RUSTC.
# clippy-driver, which does not call this rustc, reads SYSROOT.
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
# Links to nothing until the packages for the tests are installed (packages.sh).
for tool in rustdoc clippy-driver cargo-clippy rustfmt cargo-fmt; do
    ln -s "/usr/bin/$tool" "$bin/$tool"
done

# The package is at the top of the toolchain and the source below it, so that cargo names the crates by relative paths.
# With the paths renamed, core has no path of this machine in it, and the kernel's bytes do not depend on the checkout's
# folder.
mkdir -p "$new/stub"
echo '#![no_std]' > "$new/stub/lib.rs"
printf '[package]\nname = "stub"\nedition = "2021"\n[lib]\npath = "stub/lib.rs"\n[workspace]\n' > "$new/Cargo.toml"
separator=$(printf '\037')
flags=--remap-path-prefix=$new=.
for source in "$lib/src/rust" lib/rustlib/src/rust; do
    flags=$flags$separator--remap-path-prefix=$source=/rust
done
# Without the caller's choices, which would be built into every kernel.
(cd "$new" && env -u RUSTUP_TOOLCHAIN -u CARGO_TARGET_DIR RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS="$flags" \
    "$bin/cargo" build --quiet --release --target "$target" --target-dir "$new/target" \
    -Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem)
mkdir -p "$lib/$target/lib"
rm "$new/target/$target/release/deps/"libstub-*.rlib
cp "$new/target/$target/release/deps/"lib*.rlib "$lib/$target/lib/"
rm -rf "$new/target" "$new/stub" "$new/Cargo.toml" "$new/Cargo.lock"

rm -rf "$dir"
mv -T "$new" "$dir"
trap - EXIT
