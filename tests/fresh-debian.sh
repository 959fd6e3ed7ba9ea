#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Proves the two commands of the README on a fresh Debian 12: makes one in a folder with
# debootstrap, clones this repository (what is committed) into it, and runs there
#
#     examples/quickstart.sh
#     tests/run.sh
#
# usage: tests/fresh-debian.sh [--mirror URL] [--suite NAME] [--host-apt] [--keep] [COMMAND...]
#
# --mirror    where Debian comes from; default $SC_HSM_MIRROR, or http://deb.debian.org/debian
# --suite     another Debian; default bookworm
# --host-apt  take the sources and settings of apt, and the name resolution, from this machine
# --keep      leave the folder for a look (its name is printed)
# COMMAND     run these instead, each one in the clone
#
# Needs root, debootstrap and the network. It is not one of ctest's tests.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mirror=${SC_HSM_MIRROR:-http://deb.debian.org/debian}
suite=bookworm
host_apt=no
keep=no
commands=()

die() {
    echo "fresh-debian.sh: $*" >&2
    exit 1
}

original=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --mirror) mirror=${2:?--mirror needs a URL} && shift ;;
    --suite) suite=${2:?--suite needs a name} && shift ;;
    --host-apt) host_apt=yes ;;
    --keep) keep=yes ;;
    -h | --help)
        sed -n '3,/^set -/{/^#/{s/^# \{0,1\}//;p}}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) die "unknown option $1" ;;
    *) commands+=("$1") ;;
    esac
    shift
done
[ ${#commands[@]} -gt 0 ] || commands=(examples/quickstart.sh tests/run.sh)
[ "$(id -u)" = 0 ] || die "run this as root: debootstrap and chroot need it"
command -v debootstrap >/dev/null || die "install debootstrap first"

# In namespaces of our own no mount and no process can be left behind, whatever happens.
if [ -z "${SC_HSM_FRESH:-}" ]; then
    SC_HSM_FRESH=yes exec unshare --mount --pid --fork --kill-child \
        bash "${BASH_SOURCE[0]}" ${original[@]+"${original[@]}"}
fi

fresh=$(mktemp -d "${TMPDIR:-/tmp}/sc-hsm-fresh.XXXXXX")
# It becomes a root folder, which everybody may enter.
chmod 755 "$fresh"
at_end() {
    local status=$?
    if [ $keep = yes ]; then
        echo "kept: $fresh"
    else
        umount --lazy --recursive "$fresh/proc" "$fresh/dev" 2>/dev/null || true
        rm -rf --one-file-system "$fresh"
    fi
    exit $status
}
trap at_end EXIT
trap 'exit 1' INT TERM HUP

make_debian() {
    echo "== Debian $suite from $mirror in $fresh"
    debootstrap --variant=minbase "$suite" "$fresh" "$mirror" >"$fresh.log" 2>&1 || {
        tail -5 "$fresh.log" >&2
        rm -f "$fresh.log"
        die "debootstrap failed"
    }
    rm -f "$fresh.log"
    if [ $host_apt = yes ]; then
        rm -rf "$fresh/etc/apt"
        cp -a /etc/apt "$fresh/etc/apt"
        # Keys that these sources name may be anywhere.
        cp -a /usr/share/keyrings/. "$fresh/usr/share/keyrings/"
        cp -L /etc/hosts /etc/resolv.conf "$fresh/etc/"
    fi
    mount -t proc none "$fresh/proc"
    mount --rbind /dev "$fresh/dev"
}

# inside COMMAND...: in the new Debian, with nothing of our environment.
inside() {
    env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$fresh" "$@"
}

make_debian
git clone --quiet --no-hardlinks "$root" "$fresh/root/sc-hsm"
echo "== clone of $(git -C "$fresh/root/sc-hsm" log -1 --format='%h %s')"
for command in "${commands[@]}"; do
    echo "== $command"
    start=$SECONDS
    inside bash -c "cd /root/sc-hsm && $command" </dev/null || die "$command failed in Debian $suite"
    echo "== $command: well, $((SECONDS - start)) s"
done
