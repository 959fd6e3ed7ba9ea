# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Debian packages that the scripts of this tree need, and how they are installed.
# Sourced by examples/quickstart.sh and tests/run.sh.

# To build the provider, the tool and the virtual card.
# shellcheck disable=SC2034  # read by the scripts that source this file
packages_build=(gcc libc6-dev make cmake pkg-config libssl-dev libpcsclite-dev
    libjansson-dev libsmartcols-dev libp11-dev openssl)

# To use a token: the PC/SC daemon, its driver for USB tokens, and OpenSC's tools.
# shellcheck disable=SC2034
packages_token=(pcscd libccid opensc)

# To have a virtual card behind a private pcscd: the reader driver, systemd-socket-activate (no
# running systemd), unshare, nsenter and setsid, and ip.
# shellcheck disable=SC2034
packages_virtual=(pcscd opensc vsmartcard-vpcd systemd util-linux iproute2 procps)

# To run all tests.
# shellcheck disable=SC2034
packages_tests=(shellcheck clang clang-format clang-tidy clang-tools libclang-rt-14-dev valgrind strace
    expect man-db python3 libcmocka-dev nginx-light opensc-pkcs11 git ca-certificates
    openssh-client openssh-server apache2 curl haproxy openvpn postgresql stunnel4 debootstrap
    softhsm2 p11-kit p11-kit-modules pinentry-curses)

# package_installed NAME: true when dpkg has it configured.
package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: has apt install those that are missing, as root or through sudo; asks
# the network for nothing when all are there. With SC_HSM_NO_INSTALL in the environment it only says
# which are missing, and fails.
install_packages() {
    local missing=() as_root=() name
    for name in "$@"; do
        package_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ -n "${SC_HSM_NO_INSTALL:-}" ]; then
        echo "These packages are needed, and nothing may be installed here: ${missing[*]}" >&2
        return 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo "These packages are needed, and this is no Debian to install them: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "Run this as root, or install sudo: packages are missing: ${missing[*]}" >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "Installing packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}
