# toolchain.sh: finds or makes the Rust toolchain, and records it. Sourced by setup.sh.
#
# Two sources, in this order:
#   - rustup, if it has the toolchain or can download it;
#   - the distribution's rustc of the same version, which local-toolchain.sh lays out as rustup would.
# The choice is recorded in .toolchain/env, so that rustup, which may wait for a network, is asked once.

toolchain_env=.toolchain/env
local_toolchain=$PWD/.toolchain
target=x86_64-unknown-none
triple=x86_64-unknown-linux-gnu

toml() { # KEY: a string or the words of a one-line array in rust-toolchain.toml
    sed -n "s/^$1 = //p" rust-toolchain.toml | tr -d '[]",'
}
channel=$(toml channel)

# Where a distribution keeps its linker and llvm-objcopy, best first: the version that belongs to rustc, then any.
distribution_lld='/usr/bin/rust-lld /usr/bin/lld-22 /usr/bin/lld'
distribution_objcopy='/usr/bin/llvm-objcopy-22 /usr/bin/llvm-objcopy'

distribution_version() { # rustc | cargo
    "/usr/bin/$1" --version 2>/dev/null | cut -d' ' -f2
}

# Prints the folder of the installed library source, if there is one.
distribution_library() {
    for folder in /usr/lib/rustlib/src/rust "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust"; do
        if [ -d "$folder/library/core" ]; then
            echo "$folder"
            return
        fi
    done
}

# Whether SYSROOT can build everything that the Makefile builds.
toolchain_builds() { # SYSROOT
    for tool in rustc cargo; do
        [ -x "$1/bin/$tool" ] || return 1
    done
    [ -x "$1/lib/rustlib/$triple/bin/llvm-objcopy" ] && [ -x "$1/lib/rustlib/$triple/bin/llvm-objdump" ] &&
        [ -d "$1/lib/rustlib/src/rust/library/core" ] && [ -d "$1/lib/rustlib/$target/lib" ]
}

# Whether SYSROOT can also format, lint and document.
toolchain_lints() { # SYSROOT
    for tool in rustdoc cargo-clippy clippy-driver cargo-fmt rustfmt; do
        [ -x "$1/bin/$tool" ] || return 1
    done
}

# The first line of the record: the version, the checkout, the toolchain, the distribution's rustc, and the script that
# lays it out.
record_line() { # SYSROOT
    echo "# $channel $PWD $1 $(stat -Lc '%s %Y' /usr/bin/rustc 2>/dev/null || echo none) $(layout)"
}

layout() {
    cksum < tools/local-toolchain.sh | tr ' ' -
}

# Whether the record still holds: same checkout, same version, nothing removed or upgraded since.
toolchain_recorded() {
    [ -r "$toolchain_env" ] || return 1
    IFS= read -r recorded < "$toolchain_env" || return 1
    caller_path=$PATH
    . "./$toolchain_env"
    PATH=$caller_path
    sysroot=$RUSTUP_TOOLCHAIN
    [ "$recorded" = "$(record_line "$sysroot")" ] && toolchain_builds "$sysroot"
}

toolchain_is_rustups() {
    [ "$sysroot" != "$local_toolchain" ]
}

toolchain_record() {
    mkdir -p "${toolchain_env%/*}"
    {
        record_line "$sysroot"
        echo "export RUSTUP_TOOLCHAIN='$sysroot'"
        echo "export PATH='$sysroot/bin':\"\$PATH\""
        echo "export ASSAY_OBJCOPY='$sysroot/lib/rustlib/$triple/bin/llvm-objcopy'"
    } > "$toolchain_env.$$"
    mv "$toolchain_env.$$" "$toolchain_env"
}

# Sets `sysroot` to rustup's toolchain, which is installed if it is missing and rustup may and can do so.
toolchain_from_rustup() {
    rustup=$(command -v rustup || echo "${CARGO_HOME:-${HOME:-}/.cargo}/bin/rustup")
    [ -x "$rustup" ] || return 1
    ! rustup_sysroot || return 0
    if [ "${RUSTUP_AUTO_INSTALL:-1}" = 0 ]; then
        say "rustup has no complete Rust $channel and RUSTUP_AUTO_INSTALL=0 forbids a download; trying the distribution's"
        return 1
    fi
    say "rustup toolchain install $channel (half a minute, or as long as the network takes)"
    # One retry, so that a machine without network is soon known as such.
    # shellcheck disable=SC2046 # lists of options
    RUSTUP_MAX_RETRIES=1 timeout 900 "$rustup" toolchain install "$channel" --profile minimal --no-self-update \
        $(printf -- '--component %s ' $(toml components)) $(printf -- '--target %s ' $(toml targets)) &&
        rustup_sysroot && return 0
    say "rustup cannot provide Rust $channel; trying the distribution's"
    return 1
}

rustup_sysroot() {
    sysroot=$(RUSTUP_AUTO_INSTALL=0 "$rustup" run "$channel" rustc --print sysroot 2>/dev/null) &&
        toolchain_builds "$sysroot" && toolchain_lints "$sysroot"
}

# Sets `sysroot` to .toolchain, which is made from the distribution's packages unless a good one is there.
toolchain_from_distribution() {
    sysroot=$local_toolchain
    if toolchain_builds "$sysroot" && [ "$("$sysroot/bin/rustc" --version | cut -d' ' -f2)" = "$channel" ] &&
        [ "$(cat "$sysroot/layout" 2>/dev/null)" = "$(layout)" ]; then
        return 0
    fi
    say "making a toolchain in .toolchain from the distribution's Rust $channel (about 20 s)"
    tools/local-toolchain.sh "$channel" "$sysroot" "$target" "$distribution_lld" "$distribution_objcopy" \
        "$(distribution_library)"
    layout > "$sysroot/layout"
}
