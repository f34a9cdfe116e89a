# packages.sh: which programs are missing, and the distribution's packages that bring them. Sourced by setup.sh.

# Parallel lists: what somebody without apt has to find, and what apt calls it.
missing_programs='' missing_packages=''

need() { # PACKAGE DESCRIPTION
    missing_packages="$missing_packages $1"
    missing_programs="$missing_programs
    $2"
}

has() { command -v "$1" >/dev/null 2>&1; }

exists() { # FILE...: true where one of them is there
    for file; do [ ! -e "$file" ] || return 0; done
    return 1
}

need_host_programs() {
    has cc || need 'gcc libc6-dev' 'cc, a C compiler, to link with'
    has qemu-system-x86_64 || need qemu-system-x86 'qemu-system-x86_64, 7.2 or later'
    has xorriso || need xorriso xorriso
    exists /usr/share/ovmf/OVMF.fd /usr/share/OVMF/OVMF_CODE*.fd /usr/share/edk2/x64/OVMF*.fd \
        /usr/share/edk2/ovmf/OVMF*.fd /usr/share/qemu/ovmf-x86_64*.bin || need ovmf 'OVMF, the UEFI firmware for QEMU'
}

need_fuzz_programs() {
    has c++ || need g++ 'c++, a C++ compiler, for libFuzzer'
}

need_image_programs() {
    has qemu-img || need qemu-utils 'qemu-img, for qcow2 and VMDK'
}

# What the tests look at images with; each of them passes over those that are not there.
need_image_readers() {
    has file || need file file
    has sgdisk || need gdisk sgdisk
    has mdir || need mtools 'mdir, of mtools'
    has 7z || need p7zip-full 7z
    has vhdiinfo || need libvhdi-utils 'vhdiinfo, of libvhdi'
    has qcowinfo || need libqcow-utils 'qcowinfo, of libqcow'
    has vmdkinfo || need libvmdk-utils 'vmdkinfo, of libvmdk'
}

need_distribution_rust() {
    [ "$(distribution_version rustc)" = "$channel" ] || need rustc-web "rustc $channel"
    [ "$(distribution_version cargo)" = "$channel" ] || need cargo-web "cargo $channel"
    exists /usr/lib/rustlib/src/rust/library/core "$(distribution_sysroot)/lib/rustlib/src/rust/library/core" ||
        need rust-web-src "the library source of Rust $channel"
    exists /usr/bin/cargo-clippy || need rust-web-clippy clippy
    exists /usr/bin/cargo-fmt || need rustfmt-web rustfmt
    # shellcheck disable=SC2086 # a list
    exists $distribution_lld || need lld-22 'lld, preferably that of LLVM 22 (the LLVM of rustc 1.96)'
    # shellcheck disable=SC2086 # a list
    exists $distribution_objcopy || need llvm llvm-objcopy
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
    # A fresh machine has no package lists, and old lists name versions that are no longer there.
    say 'apt-get update'
    # A third-party source that fails says nothing about the packages wanted: apt-get install will tell.
    apt-get update -q </dev/null || say 'apt-get update failed for some source; going on'
    say "installing: $*"
    removed=$(apt-get install --simulate --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p')
    # shellcheck disable=SC2086 # lines to words
    [ -z "$removed" ] || say 'removing what apt finds in conflict with that:' $removed
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null ||
        die "apt-get could not install: $*
These programs are missing:$missing_programs"
}
