#!/bin/sh
# The Linux guest by itself: what `make run-linux-smp-process-scale` does, for people who come from shell harnesses.
set -eu

usage() {
    cat <<'TEXT'
usage: qemu/run-linux-smp-process-scale.sh [--help] [OPTION...]

Runs the workers of smp-process-scale as processes of a Linux guest on 1, 2 and 4 CPUs, judges every run, and prints and
keeps the results. OPTIONs go to `assay run`: --rounds N, --cpus LIST, --dry-run ...; with `--systems assay,native` our
own guest and processes of the host are run beside it and compared with it.

Environment:
  LINUX_SMP_SCALE_KERNEL              path of a bzImage; by default the distribution's cloud kernel, which is fetched
                                      into target/linux once, without root
  LINUX_SMP_SCALE_QEMU_TASKSET_CPUS   host CPUs of the Linux guest, as a list: 0,1 or 0-3
  CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS   host CPUs of our own guest, and of the Linux guest if the former is not set; if both
                                      guests run, the two must name the same CPUs

Exit codes are those of `assay run`: 0 the claim holds, 1 it does not, 3 the rounds decide nothing, 4 to 6 a run failed, its
evidence does not hold, or this machine cannot answer; `target/release/assay --help` lists all. 2 is also for what `make`
could not build.
TEXT
}

case ${1-} in
    -h | --help)
        usage
        exit 0
        ;;
esac

# The paths are the caller's; all else is found from the checkout's root.
case ${LINUX_SMP_SCALE_KERNEL-} in
    '' | /*) ;;
    *) export LINUX_SMP_SCALE_KERNEL="$PWD/$LINUX_SMP_SCALE_KERNEL" ;;
esac
cd "$(dirname "$0")/.."
make --no-print-directory build
exec target/release/assay run manifests/smp-process-scale.toml --systems linux "$@"
