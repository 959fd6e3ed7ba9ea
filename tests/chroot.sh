# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Chroots of releases of Debian, made by debootstrap, kept, brought up to date and used again.
# Sourced by tests/matrix.sh, tests/cross.sh and tests/packages.sh, which need root, debootstrap and
# the network, and none of which ctest runs. What is tested is the last commit.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mirror=${SC_HSM_MIRROR:-http://deb.debian.org/debian}
chroot= # the folder of the one at work
log=    # where its steps write

# usage: prints the header comment of the script that sourced this file.
usage() {
    sed -n '3,/^set -/{/^#/{s/^# \{0,1\}//;p}}' "$0"
}

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# not_here WHY: nothing is wrong, but nothing can be tested either.
not_here() {
    echo "NOT TESTED: $*"
    exit 77
}

# own_namespaces ARGUMENT...: the script once more, with these arguments, in namespaces of our own,
# where no mount and no process can be left behind, whatever happens.
own_namespaces() {
    [ "$(id -u)" = 0 ] || not_here "debootstrap and chroot want root"
    command -v debootstrap >/dev/null || not_here "debootstrap is not installed"
    [ -z "${SC_HSM_CHROOTS:-}" ] || return 0
    unshare --mount --pid --fork mount -t tmpfs none /mnt 2>/dev/null ||
        not_here "this machine does not permit mounts in a namespace of our own"
    SC_HSM_CHROOTS=yes exec unshare --mount --pid --fork --kill-child bash "$0" "$@"
}

# inside COMMAND...: in the chroot, with nothing of our environment.
inside() {
    env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$chroot" "$@"
}

# make_chroot SUITE
make_chroot() {
    rm -rf --one-file-system "$chroot" "$chroot.new"
    debootstrap --variant=minbase "$1" "$chroot.new" "$mirror"
    # Servers that apt installs stay off; the tests run their own.
    printf '#!/bin/sh\nexit 101\n' >"$chroot.new/usr/sbin/policy-rc.d"
    chmod 755 "$chroot.new/usr/sbin/policy-rc.d"
    mv "$chroot.new" "$chroot"
}

# The chroot becomes a mount point, or its tests could make no namespaces of their own.
mount_chroot() {
    mount --bind "$chroot" "$chroot"
    mount -t proc none "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount -t tmpfs none "$chroot/run"
    mkdir "$chroot/run/systemd" # which systemd-ask-password takes for granted
    mount -t tmpfs none "$chroot/tmp"
    chmod 1777 "$chroot/tmp"
    cp -L /etc/resolv.conf "$chroot/etc/resolv.conf"
    # How this machine fetches packages (proxy, age of lists) holds inside as well.
    if command -v apt-config >/dev/null; then
        apt-config dump | grep '^Acquire::' | grep -v IndexTargets \
            >"$chroot/etc/apt/apt.conf.d/90fetching" || true
    fi
}

update_chroot() {
    inside dpkg --configure -a # what an interrupted run left
    inside apt-get update -q
    inside apt-get -q -y dist-upgrade
}

# The last commit. Servers that never are root have to get at the module.
fetch_tree() {
    rm -rf --one-file-system "$chroot/srv/sc-hsm"
    git clone --quiet --no-hardlinks "$root" "$chroot/srv/sc-hsm"
    git -C "$chroot/srv/sc-hsm" log -1 --format='%h %s'
}

# step WHAT COMMAND...: with its output in the log; nothing after a step that failed. Its success is
# told by $failed and not by its status: where that is asked, bash stops minding failures inside.
failed=
step() {
    local what=$1 status=0
    shift
    [ -z "$failed" ] || return 0
    echo "== $what" >>"$log"
    set +e
    (
        set -e
        "$@"
    ) >>"$log" 2>&1 </dev/null
    status=$?
    set -e
    [ $status = 0 ] || failed=$what
}

# take_chroot FOLDER SUITE FRESH: from now on it is the one at work, alone; made where it is not
# there or FRESH is yes, mounted, with the last commit in it. What goes wrong is in $failed.
take_chroot() {
    chroot=$1 log=$1.log failed=
    mkdir -p "$(dirname "$1")"
    exec {lock}>"$1.lock"
    flock --nonblock "$lock" || die "another ${0##*/} is at work on $1"
    : >"$log"
    if [ "$3" = yes ] || [ ! -d "$chroot" ]; then
        step "debootstrap" make_chroot "$2"
    fi
    step "mounting" mount_chroot
    step "the clone" fetch_tree
}

leave_chroot() {
    umount --recursive "$chroot" 2>/dev/null || true
    exec {lock}>&-
}
