#!/bin/sh
# dist.sh stage|install PREFIX|pack: puts what was built into the tree that people get.
#
#   stage           target/dist/root: bin, lib/assay and share, as below a PREFIX
#   install PREFIX  that tree copied to $DESTDIR$PREFIX
#   pack            that tree, an ISO and SHA256SUMS in target/dist/assay-VERSION-x86_64-linux.tar.gz
#
# The archive has the same bytes whenever it is made of the same files: sorted, owner 0, fixed modes and one time, which is
# SOURCE_DATE_EPOCH, else that of the files in an ISO of ours (2000-01-01). host-parser/lab/src/places.rs reads the layout.
set -eu
cd "${0%/*}/.."
die() { echo "dist: $*" >&2; exit 2; }

dist=target/dist
root=$dist/root
static=target/static/x86_64-unknown-linux-gnu/release
epoch=${SOURCE_DATE_EPOCH:-946684800}
export LC_ALL=C

put() { # MODE FILE TO
    [ -f "$2" ] || die "$2 is missing; make builds it"
    install -D -m "$1" "$2" "$root/$3"
}

stage() {
    rm -rf "$root"
    put 755 $static/assay bin/assay
    put 755 $static/assay-keep lib/assay/assay-keep
    put 755 target/release/assay-image lib/assay/assay-image
    put 755 target/x86_64-unknown-linux-gnu/release/assay-twin lib/assay/assay-twin
    put 644 target/kernel/assay-kernel lib/assay/assay-kernel
    put 644 target/x86_64-unknown-none/kernel/assay-kernel lib/assay/assay-kernel.symbols
    # The programs of user-workers, and no tool that was linked beside them.
    for source in user-workers/programs/src/bin/*.rs; do
        name=${source##*/}
        put 644 "target/release/${name%.rs}" "lib/assay/workers/${name%.rs}"
    done
    for folder in avx2 sha-ni; do
        for program in target/release/$folder/*; do
            put 644 "$program" "lib/assay/workers/$folder/${program##*/}"
        done
    done
    find manifests -name '*.toml' | while read -r manifest; do put 644 "$manifest" "lib/assay/$manifest"; done
    for page in README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT docs/*.md; do
        put 644 "$page" "share/doc/assay/$page"
    done
    $static/assay dev pages $root/share
    $static/assay-keep pages $root/share
    find $root/share -type f -exec chmod 644 {} +
    find $root -type d -exec chmod 755 {} +
}

# The default experiment of `assay image`, by the staged tool and from the staged files.
iso() {
    $root/bin/assay image --format iso --out $dist/iso > $dist/iso.log || die "no ISO was made: $dist/iso.log"
    ls $dist/iso/*.iso
}

pack() {
    version=$($root/bin/assay --version | cut -d ' ' -f 2)
    name=assay-$version-x86_64-linux
    rm -rf "${dist:?}/$name" $dist/iso
    cp -a $root "$dist/$name"
    install -D -m 644 "$(iso)" "$dist/$name/images/smp-process-sweep.iso"
    (cd "$dist/$name" && find . -type f ! -name SHA256SUMS | sort | cut -c 3- | xargs -d '\n' sha256sum > SHA256SUMS)
    chmod 644 "$dist/$name/SHA256SUMS"
    tar -C $dist --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -c "$name" |
        gzip -9 -n > "$dist/$name.tar.gz.new"
    mv "$dist/$name.tar.gz.new" "$dist/$name.tar.gz"
    rm -rf "${dist:?}/$name" $dist/iso
    echo "$dist/$name.tar.gz: $(wc -c < "$dist/$name.tar.gz") bytes"
    sha256sum "$dist/$name.tar.gz" | cut -d ' ' -f 1
}

case ${1-} in
    stage) stage ;;
    pack) stage; pack ;;
    install)
        [ -n "${2-}" ] || die 'install: which PREFIX?'
        case $2 in /*) ;; *) die "PREFIX=$2: not an absolute path" ;; esac
        stage
        to=${DESTDIR-}$2
        mkdir -p "$to"
        cp -R $root/. "$to"
        echo "installed below $to: bin/assay, lib/assay, share"
        ;;
    *) die 'expected stage, install PREFIX or pack' ;;
esac
