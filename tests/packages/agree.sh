#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debian/, the RPM spec, the changelog and CMake name one version, and the same things to build with;
# the licence is told for every file; the module says which library it loads.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
need python3 objcopy
tree=$SC_HSM_SOURCE

# --- one version ---
version=$(sed -n 's/^project(sc-hsm VERSION \([0-9.]*\) .*/\1/p' "$tree/CMakeLists.txt")
[ -n "$version" ] || fail "project() names no version"
equal "CHANGELOG.md" "$version" "$(sed -n 's/^## \([0-9.]*\) - .*/\1/p' "$tree/CHANGELOG.md" | head -n 1)"
equal "debian/changelog" "$version" "$(sed -n '1s/^sc-hsm (\(.*\)) .*/\1/p' "$tree/debian/changelog")"
equal "the RPM spec" "$version" "$(sed -n 's/^Version: *//p' "$tree/packaging/sc-hsm.spec")"
equal "sc-hsm" "sc-hsm $version" "$("$SC_HSM_BUILD/bin/sc-hsm" --version)"
equal "sc-hsm-sim" "sc-hsm-sim $version" "$("$SC_HSM_BUILD/bin/sc-hsm-sim" --version)"
date=$(sed -n 's/^## [0-9.]* - //p' "$tree/CHANGELOG.md" | head -n 1)
for page in sc-hsm.1 sc-hsm-sim.1 OSSL_PROVIDER-sc-hsm.7; do
    check "the date of $page" grep -q "^\.TH [^ ]* ${page##*.} $date \"sc-hsm $version\"" "$SC_HSM_BUILD/share/$page"
done
equal "debian's date" "$date" "$(date -u -d "$(sed -n 's/^ -- .*>  //p' "$tree/debian/changelog" | head -n 1)" +%Y-%m-%d)"

# --- what is needed to build ---
# The packages of what CMake asks pkg-config for, by their names in Debian.
needed() {
    local file name
    while read -r file; do
        sed -n 's/.*pkg_check_modules([A-Z0-9]* [A-Z]* \(IMPORTED_TARGET \)\{0,1\}\([a-z0-9-]*\).*/\2/p' "$file"
    done < <(find "$tree" -path "$tree/build*" -prune -o \( -name CMakeLists.txt -o -path "$tree/cmake/*.cmake" \) \
        ! -path "$tree/bench/*" -print) | sort -u |
        while read -r name; do
            case $name in
            libcrypto | libssl | openssl) echo libssl-dev ;;
            libpcsclite | libp11 | lib*) echo "$name-dev" ;;
            *) echo "lib$name-dev" ;;
            esac
        done | sort -u
}
mapfile -t packages < <(needed)
[ ${#packages[@]} -ge 5 ] || fail "only ${packages[*]} were found"
# shellcheck source-path=SCRIPTDIR source=../../examples/packages.sh
. "$tree/examples/packages.sh"
for package in "${packages[@]}"; do
    check "debian/control names $package" grep -Eq "^ +$package( |,|\$)" "$tree/debian/control"
    equal "so does examples/packages.sh" "$package" \
        "$(printf '%s\n' "${packages_build[@]}" "${packages_tests[@]}" | grep -x -e "$package" | head -n 1)"
done
for module in libcrypto libpcsclite smartcols jansson libp11 cmocka; do
    check "the RPM spec names $module" grep -q "^BuildRequires: .*pkgconfig($module)" "$tree/packaging/sc-hsm.spec"
done

# --- packages ---
expected="openssl-provider-sc-hsm sc-hsm-sim sc-hsm-tools"
equal "debian/control has three packages" "$expected" \
    "$(sed -n 's/^Package: //p' "$tree/debian/control" | sort | tr '\n' ' ' | sed 's/ $//')"
equal "so has the RPM spec" "$expected" \
    "$(sed -n 's/^%files -n //p; s/^%files \([a-z]\)/sc-hsm-\1/p' "$tree/packaging/sc-hsm.spec" | sort | tr '\n' ' ' | sed 's/ $//')"
for package in $expected; do
    check "debian/rules fills $package" grep -q "debian/$package " "$tree/debian/rules"
done
while read -r file; do
    [ -e "$tree/$file" ] || fail "debian/*.docs names $file, which is not there"
done < <(cat "$tree"/debian/*.docs)
if command -v rpmspec >/dev/null; then
    check "rpmspec reads the spec" rpmspec --parse "$tree/packaging/sc-hsm.spec"
    says_nothing_of warning
fi

# --- licence ---
same_bytes "the licence is there under the name that REUSE wants" "$tree/LICENSE" "$tree/LICENSES/Apache-2.0.txt"
if command -v reuse >/dev/null && [ -d "$tree/.git" ]; then
    check "reuse lint" reuse --root "$tree" lint
fi
equal "GitHub does what .ci/run does" ".ci/run" "$(sed -n 's/^ *run: \(\.ci.*\)/\1/p' "$tree/.github/workflows/ci.yml")"

# --- what is loaded at run time ---
library=$(sed -n 's/.*SC_HSM_LIBP11=\\*"*\(libp11[^"\\ ]*\).*/\1/p' "$SC_HSM_BUILD/compile_commands.json" | head -n 1)
if [ -n "$library" ]; then
    for file in lib/sc-hsm.so bin/sc-hsm; do
        check "$file tells that it loads $library" python3 - "$SC_HSM_BUILD/$file" "$library" <<'END'
import json, os, struct, subprocess, sys, tempfile
with tempfile.NamedTemporaryFile() as note:
    subprocess.run(["objcopy", "--dump-section", ".note.dlopen=" + note.name, sys.argv[1],
                    note.name + ".copy"], check=True)
    os.unlink(note.name + ".copy")
    data = open(note.name, "rb").read()
order = "<" if open(sys.argv[1], "rb").read(6)[5] == 1 else ">"
name_len, length, kind = struct.unpack(order + "III", data[:12])
assert kind == 0x407C0C0A and data[12:12 + name_len] == b"FDO\0", data
said = json.loads(data[16:16 + length].rstrip(b"\0"))
assert [one["soname"] for one in said] == [[sys.argv[2]]], said
END
    done
fi
