#!/bin/sh
# reproducible.sh [--all]: builds a copy of this checkout in another folder and compares the bytes.
#
# Without an option: kernel and workers, by this checkout's toolchain, against its own build of them, which must be up to
# date. Takes half a minute of CPU time.
#
# With --all: two copies in folders of different lengths, each with its own toolchain and image tool. Compares kernel,
# workers (the large ones too), Linux twin, and an ISO and a UEFI disk made from them. Takes twelve minutes.
#
# A copy has the files that git tracks, as they are now, and another cargo home. Exit status: 0 the same bytes, 1 other
# bytes, 2 a build failed.
set -eu
cd "${0%/*}/.."
say() { echo "reproducible: $*"; }
die() { echo "reproducible: $*" >&2; exit 2; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/assay-reproducible.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cargo_home=${CARGO_HOME:-$HOME/.cargo}

copy_to() { # FOLDER: the tracked files, and beside it a cargo home with the same downloads
    mkdir -p "$1" "$1.cargo"
    # A file that was removed and not yet committed is still in git's list.
    git ls-files --deleted > "$folder/deleted"
    git ls-files | grep -Fxv -f "$folder/deleted" | tar -c -T - | tar -x -C "$1"
    for part in registry git config config.toml; do
        [ ! -e "$cargo_home/$part" ] || ln -s "$cargo_home/$part" "$1.cargo/$part"
    done
}

build_in() { # FOLDER TARGET...: by the recipes of its own Makefile
    copy=$1
    shift
    env -u MAKEFLAGS -u MAKELEVEL CARGO_HOME="$copy.cargo" make --no-print-directory -C "$copy" "$@" \
        > "$copy.log" 2>&1 </dev/null && return
    tail -n 30 "$copy.log" >&2
    die "make $* failed in a copy of this checkout"
}

# The files to compare: kernel with and without symbols, and the workers, which are all other programs.
list_built() { # FOLDER
    cd "$1/target"
    ls kernel/assay-kernel x86_64-unknown-none/kernel/assay-kernel
    find release release/avx2 release/sha-ni -maxdepth 1 -type f -perm -u+x ! -name 'assay*' | sort
}

compare() { # FOLDER FOLDER, which has the list
    (cd "$1/target" && xargs sha256sum) < "$folder/list" > "$folder/one" || die "a file is missing in $1"
    (cd "$2/target" && xargs sha256sum) < "$folder/list" > "$folder/other" || die "a file is missing in $2"
    if ! diff "$folder/one" "$folder/other"; then
        say "the bytes depend on the folder: $1, $2"
        exit 1
    fi
    say "the same bytes from two folders, in $(wc -l < "$folder/list") files"
}

case ${1-} in
    '')
        other=$folder/another-folder
        copy_to "$other"
        # The toolchain without its record, which names this checkout. rustup's toolchain is not here, and needs no copy.
        mkdir "$other/.toolchain"
        for part in bin lib layout; do
            [ ! -e ".toolchain/$part" ] || cp -a ".toolchain/$part" "$other/.toolchain/$part"
        done
        build_in "$other" kernel workers
        (list_built "$other") > "$folder/list"
        compare "$PWD" "$other"
        ;;
    --all)
        one=$folder/one other=$folder/a/longer/path/to/another
        for checkout in "$one" "$other"; do
            copy_to "$checkout"
            build_in "$checkout" kernel large-workers twin image-tool
            target=$checkout/target
            "$target/release/assay-image" --kernel "$target/kernel/assay-kernel" --ramdisk "$target/release/primes" \
                --iso "$target/assay.iso" --uefi "$target/assay.uefi" >/dev/null || die 'the image tool failed'
        done
        (list_built "$other") > "$folder/list"
        printf '%s\n' x86_64-unknown-linux-gnu/release/assay-twin assay.iso assay.uefi >> "$folder/list"
        compare "$one" "$other"
        ;;
    *) die "no such option: $1" ;;
esac
