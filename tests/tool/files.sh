#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm shows files, random numbers and single commands
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
need opensc-explorer cmp
admin_card
make_ec_key
self_signed ec
plain_openssl x509 -in ec.crt -outform DER -out ec.der
p11 --login --pin "$pin" --write-object ec.der --type cert --id 20 --label web >out 2>&1
p11 --login --pin "$pin" --write-object ec.der --type cert --id 99 --label ca >out 2>&1
printf 'in the clear' >public
printf 'behind the PIN' >private
p11 --login --pin "$pin" --write-object public --type data --label a >out 2>&1
p11 --login --pin "$pin" --write-object private --type data --label b --private >out 2>&1

configure pin-source= # from here on it is typed, or given by an option

# --- label ----------------------------------------------------------------------------------------

check "a label" sc-hsm --pin-source file:pin label "A rather long label for a card"
says "Device $serial is now labelled A rather long label"
check "a shorter one" sc-hsm --pin-source file:pin label "Büro"
check "as pkcs15-tool shows it" opensc pkcs15-tool --list-info
says "Büro"
says_nothing_of "rather"
check "nothing of the longer one is left" sc-hsm cat 2F03 --out token
equal "its length" "$(stat -c %s token)" "$(($(od -An -tu1 -j1 -N1 token) + 2))"
check "typed" typed "PIN.*:=$pin" -- bash -c 'opensc-tool --reader 0 --card-driver default \
    --send-apdu 00A404000BE82B0601040181C31F020100 >/dev/null; sc-hsm label typed'
equal "as JSON" "('$serial', 'web')" \
    "$(json '(d["serial"], d["label"])' sc-hsm --json --pin-source file:pin label web)"
ends 2 "no label" sc-hsm label
ends 2 "an empty label" sc-hsm label ""
ends 2 "a label of 33 bytes" sc-hsm label 123456789012345678901234567890123
raw_apdus >/dev/null 2>&1
ends 4 "a wrong PIN" sc-hsm --pin-source file:wrong-pin label x
says "2 tries are left"
check "the right one gives the tries back" p11 --login --pin "$pin" --list-objects
raw_apdus >/dev/null 2>&1
ends 1 "no PIN, no terminal" setsid -w sc-hsm label x
equal "the label is as it was" web "$(status 's["label"]')"

# --- ls, cat --------------------------------------------------------------------------------------

raw_apdus >/dev/null 2>&1
check "the files" sc-hsm ls
says "^2F02 +[0-9]+ +device certificates" "^2F03 +[0-9]+ +token information" \
    "^CC00 +- +device authentication key +-$" "^CC01 +- +key +1$" \
    "^C401 +[0-9]+ +description of a key +1$" \
    "^CE01 +$(stat -c %s ec.der) +certificate or request of a key +1$" \
    "^CA00 +$(stat -c %s ec.der) +certificate without a key +0$" "^C800 +[0-9]+ +description of a cert" \
    "^CF00 +12 +data +0$" "^CD01 +14 +data, read with the PIN +1$" "^C900 .*description of data"
equal "in the order of their ids, each once" "$(sed 1d "$seen" | cut -d' ' -f1 | sort -u)" \
    "$(sed 1d "$seen" | cut -d' ' -f1)"
sed 1d "$seen" | cut -d' ' -f1 | grep -v '^CC' >ours
printf 'ls\nquit\n' | opensc opensc-explorer --reader 0 >explored 2>&1
for file in $(<ours); do
    grep -qi "$file" explored || fail "opensc-explorer does not know $file"
done
equal "as JSON" "{'file': 'CF00', 'bytes': 12, 'type': 'data', 'number': 0}" \
    "$(json '[f for f in d["files"] if f["file"] == "CF00"][0]' sc-hsm --json ls)"

check "a file as bytes and characters" sc-hsm cat CF00
says "^00000000: 69 6E 20 74 68 65 20 63 6C 65 61 72 +in the clear$"
check "a file into a file" bash -c "umask 022 && sc-hsm cat CE01 --out copy.der"
same_bytes "the certificate" ec.der copy.der
equal "for everybody" 644 "$(stat -c %a copy.der)"
ends 1 "no file is overwritten" sc-hsm cat 2F03 --out copy.der
same_bytes "it is as it was" ec.der copy.der
check "unless that is wanted" sc-hsm cat 2F03 --out copy.der --overwrite
sc-hsm cat ca00 --out - >copy.der
same_bytes "standard output" ec.der copy.der
equal "as JSON" "$(printf 'in the clear' | od -An -tx1 | tr -d ' \n')" \
    "$(json 'd["hex"]' sc-hsm --json cat CF00)"
raw_apdus >/dev/null 2>&1
ends 1 "private data without a PIN" setsid -w sc-hsm cat CD01
ends 4 "private data with a wrong PIN" sc-hsm --pin-source file:wrong-pin cat CD01
says "2 tries are left"
check "private data" sc-hsm --pin-source file:pin cat CD01 --out copy
same_bytes "private data" private copy
equal "for the owner alone" 600 "$(stat -c %a copy)"
ends 1 "a file that is not there" sc-hsm cat CE77
says "$serial, file CE77" "there is no such file"
ends 1 "a key" sc-hsm cat CC01
says "no device gives one out"
for wrong in "" "CE1 x" CE 12345 CEG1 0xCE; do
    # shellcheck disable=SC2086  # words on purpose
    ends 2 "cat $wrong" sc-hsm cat $wrong
done
ends 2 "ls of something" sc-hsm ls 2F02

# --- random ---------------------------------------------------------------------------------------

check "random numbers" sc-hsm random 16
says "^[0-9a-f]{32}$"
equal "never the same" 2 "$( (sc-hsm random 16 && sc-hsm random 16) | sort -u | wc -l)"
check "many" sc-hsm random 5000 --out many
equal "many" 5000 "$(stat -c %s many)"
[ "$(gzip -c many | wc -c)" -gt 4900 ] || fail "these are not random"
equal "for the owner alone" 600 "$(stat -c %a many)"
ends 1 "no file is overwritten" sc-hsm random 1 -o many
equal "one byte" 1 "$(sc-hsm random 1 --out - | wc -c)"
equal "with a file, its name as JSON" "(5, 'five')" \
    "$(json '(d["bytes"], d["file"])' sc-hsm --json random 5 --out five)"
equal "which has them" 5 "$(stat -c %s five)"
equal "as JSON" "(3, 6)" "$(json '(d["bytes"], len(d["hex"]))' sc-hsm --json random 3)"
for wrong in "" 0 -1 1x 0x10 1048577 99999999999999999999 "1 2"; do
    # shellcheck disable=SC2086  # words on purpose
    ends 2 "random $wrong" sc-hsm random $wrong
done
ends 1 "a folder that is not there" sc-hsm random 1 --out none/there

# --- apdu -----------------------------------------------------------------------------------------

raw_apdus >/dev/null 2>&1
check "single commands" sc-hsm apdu 0084000008 "00 B1 CF 00 04 54 02 00 00 00" 00:20:00:81 \
    00B1CE77045402000000 80FF000000 --yes
says "^GET CHALLENGE: 9000, success$" "^[0-9a-f]{16}$" "^READ BINARY: (9000|6282), " \
    "^$(printf 'in the clear' | od -An -tx1 | tr -d ' \n')$" "^VERIFY: 63C3, " \
    "^READ BINARY: 6A82, there is no such file$" "^command: 6D00, "
equal "as JSON" "[('GET CHALLENGE', 16, '9000', 'success')]" \
    "$(json '[(r["command"], len(r["response"]), r["status_word"], r["meaning"])
              for r in d["responses"]]' sc-hsm --json apdu 0084000008)"
check "with a login" sc-hsm --pin-source file:pin apdu --login 00B1CD01045402000000 00200081
says "^$(printf 'behind the PIN' | od -An -tx1 | tr -d ' \n')$" "^VERIFY: 9000"
check "the applet is selected" sc-hsm apdu 00A4040007A0000000031010 0084000008
check "and again afterwards" sc-hsm apdu 00200081
says "^VERIFY: (63C|9000)"
raw_apdus >/dev/null 2>&1
pin_hex=$(printf %s "$pin" | od -An -tx1 | tr -d ' \n')
ends 2 "a PIN in the command line" sc-hsm apdu "0020008106$pin_hex"
says "carries a PIN" "standard input"
says_nothing_of "$pin_hex"
equal "it was not sent" 3 "$(pin_tries)"
ends 1 "a try of the PIN, unconfirmed" bash -c 'echo 0020008106'"$pin_hex"' | setsid -w sc-hsm apdu -'
says "may change or erase.*spend a PIN's tries or a key's uses"
equal "it was not sent" 3 "$(pin_tries)"
check "from standard input" bash -c 'sc-hsm apdu --yes - <<END
# log in
0020008106'"$pin_hex"'

00B1CD01045402000000
END'
says "^VERIFY: 9000" "^$(printf 'behind the PIN' | od -An -tx1 | tr -d ' \n')$"
before=$(files)
ends 1 "what changes something, unconfirmed" setsid -w sc-hsm apdu 00E4020002CF00
says "may change or erase"
for command in 80520300 80520400 00D7CF0007540200005301AA 80740193 00460500 80FF0000 806801A00100 806201210100 8078011801AA00 8072019200; do
    ends 1 "$command, unconfirmed" setsid -w sc-hsm --pin-source file:pin apdu --login "$command"
    says "may change or erase"
done
ends 2 "INITIALIZE" sc-hsm apdu --yes 8050000001AA
says "carries a PIN"
equal "nothing was changed" "$before" "$(files)"
fails "the wrong serial number" typed "serial number.*:=x" -- sc-hsm apdu 00E4020002CF00
equal "nothing was changed" "$before" "$(files)"
check "confirmed" typed "serial number.*:=$serial" -- sc-hsm --pin-source file:pin apdu --login \
    00E4020002CF00
says "DELETE FILE: 9000"
check "with --yes" sc-hsm --pin-source file:pin apdu --login --yes 00E4020002C900
ends 1 "it is gone" sc-hsm cat CF00
for wrong in "" 00 0 zz 002000810000 00B1CF0004540200; do
    # shellcheck disable=SC2086  # words on purpose
    ends 2 "apdu $wrong" sc-hsm apdu $wrong
done
ends 2 "nothing on standard input" sc-hsm apdu -
for command in ls "cat 2F02" "random 8" "apdu 00200081" "label x"; do
    # shellcheck disable=SC2086  # words on purpose
    ends 3 "$command on no device" sc-hsm --serial DENK0000001 $command
done
