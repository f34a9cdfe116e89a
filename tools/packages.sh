# packages.sh: which programs are missing, and the distribution's packages that contain them. Sourced by setup.sh.

# Parallel lists: what to install without apt, and the names of apt's packages for it.
missing_programs='' missing_packages=''

need() { # PACKAGE DESCRIPTION
    missing_packages="$missing_packages $1"
    missing_programs="$missing_programs
    $2"
}

has() { command -v "$1" >/dev/null 2>&1; }

exists() { # FILE...: true if one of them exists
    for file; do [ ! -e "$file" ] || return 0; done
    return 1
}

need_run_programs() {
    has cc || need 'gcc libc6-dev' 'cc, a C compiler, to link with'
    has qemu-system-x86_64 || need qemu-system-x86 'qemu-system-x86_64, 7.2 or later'
}

need_test_programs() {
    need_image_programs
    exists /usr/share/ovmf/OVMF.fd /usr/share/OVMF/OVMF_CODE*.fd /usr/share/edk2/x64/OVMF*.fd \
        /usr/share/edk2/ovmf/OVMF*.fd /usr/share/qemu/ovmf-x86_64*.bin || need ovmf 'OVMF, the UEFI firmware for QEMU'
}

need_fuzz_programs() {
    has c++ || need g++ 'c++, a C++ compiler, for libFuzzer'
}

need_image_programs() {
    has xorriso || need xorriso 'xorriso, for the ISO'
    has qemu-img || need qemu-utils 'qemu-img, for qcow2 and VMDK'
}

# The programs that the tests inspect images with; each test skips those that are missing.
need_image_readers() {
    has file || need file file
    has sgdisk || need gdisk sgdisk
    has mdir || need mtools 'mdir, of mtools'
    has 7z || need p7zip-full 7z
    has vhdiinfo || need libvhdi-utils 'vhdiinfo, of libvhdi'
    has qcowinfo || need libqcow-utils 'qcowinfo, of libqcow'
    has vmdkinfo || need libvmdk-utils 'vmdkinfo, of libvmdk'
}

need_readers_of_exports() {
    python3 -c 'import venv, ensurepip' 2>/dev/null || need 'python3 python3-venv' 'python3 with venv, for readers from PyPI'
    has node || need nodejs 'node, for a reader from npm'
    has npm || need npm 'npm, to install it'
}

need_browser() {
    has chromium || has chromium-browser || has google-chrome || need chromium 'chromium, a browser'
    has node || need nodejs 'node, for the script that drives it'
    has npm || need npm 'npm, for two packages of that script'
}

need_distribution_rust() {
    [ "$(distribution_version rustc)" = "$channel" ] || need rustc-web "rustc $channel"
    [ "$(distribution_version cargo)" = "$channel" ] || need cargo-web "cargo $channel"
    # With apt, local-toolchain.sh unpacks the part of this package that is needed: all 46,000 files take 20 seconds.
    [ -n "$(distribution_library)" ] || has apt-get || need rust-web-src "the library source of Rust $channel"
    # shellcheck disable=SC2086 # a list
    exists $distribution_lld || need lld-22 'lld, preferably that of LLVM 22 (the LLVM of rustc 1.96)'
    # shellcheck disable=SC2086 # a list
    exists $distribution_objcopy || need llvm llvm-objcopy
}

# The parts of the distribution's Rust that only the tests use. rustup installs them with the rest.
need_distribution_tools() {
    [ "$level" = test ] || return 0
    exists /usr/bin/cargo-clippy || need rust-web-clippy clippy
    exists /usr/bin/cargo-fmt || need rustfmt-web rustfmt
}

install_needed() {
    [ -n "$missing_packages" ] || return 0
    if ! has apt-get; then
        die "these programs are missing, and there is no apt-get to install them with:$missing_programs"
    fi
    # shellcheck disable=SC2086 # a list of packages
    set -- $missing_packages
    if [ "$(id -u)" != 0 ]; then
        die "some programs are missing, and only root can install them. Run this, then make again:
    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
    fi

    export DEBIAN_FRONTEND=noninteractive
    log=target/setup.log
    mkdir -p target
    : > "$log"
    # A fresh machine has no package lists, and old lists name versions that are gone.
    say 'reading the package lists (about 5 s)'
    # A third-party source that fails need not matter for these packages. If it does, apt-get install says so.
    apt-get update -q </dev/null >> "$log" 2>&1 || say "apt-get update failed for some source (see $log); going on"
    removed=$(apt-get install --simulate --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p')
    # shellcheck disable=SC2086 # lines to words
    [ -z "$removed" ] || say 'removing packages that conflict with the ones needed:' $removed
    say "installing $* (about $((5 + 4 * $#)) s)"
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null >> "$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "apt-get could not install: $* (all it printed is in $log)
These programs are missing:$missing_programs"
    }
}
