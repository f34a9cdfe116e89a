# toolchain.sh: finds or makes the Rust toolchain, and records it. Sourced by setup.sh.
#
# Two sources, in this order:
#   - rustup, where it has the toolchain or can download it;
#   - the distribution's rustc of the same version, which local-toolchain.sh lays out as rustup would.
# The choice is recorded in .toolchain/env, so that asking rustup, which may wait for a network, happens once.

toolchain_env=.toolchain/env
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

distribution_sysroot() {
    /usr/bin/rustc --print sysroot 2>/dev/null
}

# Tells whether SYSROOT can do all that the Makefile asks of it.
toolchain_complete() { # SYSROOT
    for tool in rustc cargo rustdoc cargo-clippy clippy-driver cargo-fmt rustfmt; do
        [ -x "$1/bin/$tool" ] || return 1
    done
    [ -x "$1/lib/rustlib/$triple/bin/llvm-objcopy" ] && [ -x "$1/lib/rustlib/$triple/bin/llvm-objdump" ] &&
        [ -d "$1/lib/rustlib/src/rust/library/core" ] && [ -d "$1/lib/rustlib/$target/lib" ]
}

# The first line of the record: for which version and checkout it was made, and of which rustc.
record_line() { # SYSROOT
    echo "# $channel $PWD $1 $(stat -Lc '%s %Y' /usr/bin/rustc 2>/dev/null || echo none)"
}

# Tells whether the record still holds: same checkout, same version, nothing taken away or upgraded since.
toolchain_recorded() {
    [ -r "$toolchain_env" ] || return 1
    IFS= read -r recorded < "$toolchain_env" || return 1
    caller_path=$PATH
    . "./$toolchain_env"
    PATH=$caller_path
    [ "$recorded" = "$(record_line "$RUSTUP_TOOLCHAIN")" ] && toolchain_complete "$RUSTUP_TOOLCHAIN"
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
        say "rustup has no complete Rust $channel, and RUSTUP_AUTO_INSTALL=0 says not to install it: trying the distribution's"
        return 1
    fi
    say "rustup toolchain install $channel"
    # shellcheck disable=SC2046 # lists of options; one retry, so that a machine without network is soon known as such
    RUSTUP_MAX_RETRIES=1 timeout 900 "$rustup" toolchain install "$channel" --profile minimal --no-self-update \
        $(printf -- '--component %s ' $(toml components)) $(printf -- '--target %s ' $(toml targets)) &&
        rustup_sysroot && return 0
    say "rustup cannot provide Rust $channel: trying the distribution's"
    return 1
}

rustup_sysroot() {
    sysroot=$(RUSTUP_AUTO_INSTALL=0 "$rustup" run "$channel" rustc --print sysroot 2>/dev/null) &&
        toolchain_complete "$sysroot"
}

# Sets `sysroot` to .toolchain, made out of the distribution's packages unless a good one is there.
toolchain_from_distribution() {
    sysroot=$PWD/.toolchain
    if toolchain_complete "$sysroot" && [ "$("$sysroot/bin/rustc" --version | cut -d' ' -f2)" = "$channel" ]; then
        return 0
    fi
    say "making a toolchain in .toolchain out of the distribution's Rust $channel (about a minute)"
    tools/local-toolchain.sh "$channel" "$sysroot" "$target" "$distribution_lld" "$distribution_objcopy"
}
