#!/bin/sh
# test-dist.sh: what `make dist` made, tried as by someone who has the archive and nothing else.
#
#   1. Packing it again gives the same bytes.
#   2. It unpacks, SHA256SUMS holds, everything is of owner 0 and of one time.
#   3. In a root folder that has the archive and nothing else (no shell, no library, no cargo), or without root in an
#      environment that names nothing, `assay` finds its files from another folder.
#   4. Its ISO boots, and `assay` reads the log there.
#
# Exit status: 0 all of it, 1 not. Needs what `make dist` needs, and QEMU.
set -eu
cd "${0%/*}/.."
say() { echo "test-dist: $*"; }
die() { echo "test-dist: $*" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/assay-dist.XXXXXX")
guest=''
clean() {
    [ -z "$guest" ] || kill "$guest" 2>/dev/null || :
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

made=$(ls target/dist/assay-*.tar.gz) || die 'make dist has not been run'
cp "$made" "$folder/first.tar.gz"
tools/dist.sh pack > /dev/null
cmp "$made" "$folder/first.tar.gz" || die 'packed twice, it has other bytes'
say "packed twice, the same $(wc -c < "$made") bytes"

tar -tvzf "$made" > "$folder/list"
others=$(awk '{ print $2, $4, $5 }' "$folder/list" | sort -u)
[ "$(echo "$others" | wc -l)" = 1 ] || die "several owners or times: $others"
name=$(basename "$made" .tar.gz)
tar -xzf "$made" -C "$folder"
(cd "$folder/$name" && sha256sum --quiet --check SHA256SUMS) || die 'SHA256SUMS does not hold'
say "unpacked: $(wc -l < "$folder/$name/SHA256SUMS") files, SHA256SUMS holds, $others"

if [ "$(id -u)" = 0 ] && chroot / /bin/true 2>/dev/null; then
    # Nothing but the archive and a place for temporary files.
    mkdir "$folder/tmp"
    chroot=$(command -v chroot)
    assay() { env -i HOME=/tmp "$chroot" "$folder" "/$name/bin/assay" "$@"; }
    here=/
    where='in a root folder of its own'
else
    assay() { env -i HOME="$folder/tmp" "$folder/$name/bin/assay" "$@"; }
    here=$folder/
    where='without an environment'
fi
assay --version > "$folder/version" || die 'it does not run'
assay run --help > "$folder/help"
grep -q "/lib/assay/assay-kernel\]" "$folder/help" || die 'it does not find the kernel beside itself'
say "runs $where: $(cat "$folder/version")"

log=$folder/serial.log
timeout -k 5 570 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 256 -display none -monitor none \
    -cdrom "$folder/$name/images/smp-process-sweep.iso" -serial "file:$log" -no-reboot &
guest=$!
seconds=0
until grep -q 'ev=end' "$log" 2>/dev/null; do
    kill -0 "$guest" 2>/dev/null || die 'QEMU ended before the log did'
    [ "$seconds" -lt 560 ] || die 'no end in the log'
    sleep 1
    seconds=$((seconds + 1))
done
kill "$guest"
wait "$guest" 2>/dev/null || :
guest=''
# What the host did to it may make a part invalid. That it is read and judged is what is tried.
code=0
assay parse "${here}serial.log" > "$folder/parsed" 2>&1 || code=$?
case $code in 0 | 1 | 3 | 5 | 6 | 11 | 75) ;; *) cat "$folder/parsed" >&2; die "assay parse ended with $code" ;; esac
grep -q '^workers ' "$folder/parsed" || { cat "$folder/parsed" >&2; die 'no table'; }
say "its ISO booted in $seconds s, and its log was judged $where (exit code $code)"
sed -n '/^workers /,/^$/p' "$folder/parsed"
