#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# However many programs, workers and keys there are: one try for each PIN that somebody gave, none of
# the last ones, and the right PIN is used as soon as it is there.
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
seq 1 100 >data

# Programs that know nothing of each other, all at once, each with a wrong pass phrase.
configure pin-source=
for number in 1 2 3 4 5 6; do
    openssl dgst -sha256 -sign rsa.pem -passin "pass:11111$number" -out "signature.$number" data \
        >"said.$number" 2>&1 &
done
wait
cat said.* >"$seen"
says '(1|2) (PIN )?(try|tries) (is |are )?left' 'too few|only 1 PIN try'
equal "six programs with wrong PINs leave a try" 1 "$(pin_tries)"
configure min-pin-tries=1
check "the right one sets the counter back" openssl dgst -sha256 -sign rsa.pem \
    -passin "pass:$pin" -out signature data
equal "the counter" 3 "$(pin_tries)"

# Workers of one program, whose PIN is wrong: one of them asks, the others know.
echo 111111 >pin.file
configure "pin-source=file:$work/pin.file" login=use cache-pin=yes
raw_apdus >"$seen"
checks=$(pin_checks)
fails "eight workers with a wrong PIN" "$programs/sign_forked" rsa.pem 8 2 late
equal "one try was spent" 2 "$(pin_tries)"
equal "by one VERIFY" 1 $(($(pin_checks) - checks))

# A program that goes on while the PIN is changed, in the file and on the device.
echo "$pin" >pin.file
configure login= min-pin-tries=
coproc SIGNER { "$programs/sign_steps" rsa.pem 2>&1; }
signer=$! # bash forgets SIGNER_PID when it ends
eval "exec 8<&${SIGNER[0]}- 9>&${SIGNER[1]}-"
read -r -t 60 -u 8 line
equal "a program" ready "$line"
signs() {
    echo go >&9
    read -r -t 60 -u 8 line || fail "$1: no answer"
    equal "$1" signed "$line"
}
signs "it signs"
echo 222222 >new.pin
check "the PIN is changed" sc-hsm --pin-source "file:$pin_file" pin change \
    --new-pin-source "file:$work/new.pin"
cp new.pin pin.file
raw_apdus >"$seen"
signs "it signs with the PIN that stands in the file now"
equal "and no try was spent" 3 "$(pin_tries)"

# A PIN that was refused, and is the right one later.
echo 333333 >pin.file
raw_apdus >"$seen"
echo go >&9
read -r -t 60 -u 8 line
echo "$line" >"$seen"
says '^failed: PIN incorrect'
equal "one try" 2 "$(pin_tries)"
check "it becomes the device's" sc-hsm --pin-source "file:$work/new.pin" pin change \
    --new-pin-source "file:$work/pin.file"
raw_apdus >"$seen"
signs "it signs with the PIN that was refused before"
exec 9>&- 8<&-
wait "$signer" || fail "sign_steps ended badly"

# A key reference file is data: it says nothing of PINs.
echo "$pin" >"$work/new.pin"
check "a reference" openssl pkey -in rsa.pem -outform DER -out rsa.der
python3 - <<'END'
der = open("rsa.der", "rb").read()
import re
uri = re.search(rb"sc-hsm:[ -~]*id=10", der).group()
tail = b"?pin-source=file:/nowhere"
for query in (b"?pin-source=file:/nowhere", b"?pin-value=111111"):
    # the outer length has two bytes, the text's one
    at = der.index(uri)
    start = at - 2
    body = der[4:start] + bytes([0x0C, len(uri + query)]) + uri + query + der[at + len(uri):]
    open("query%d.der" % len(query), "wb").write(b"\x30\x82" + len(body).to_bytes(2, "big") + body)
END
checks=$(pin_checks)
for file in query*.der; do
    fails "a reference with a query, $file" openssl pkey -in "$file" -inform DER -noout
done
equal "no PIN was sent for it" "$checks" "$(pin_checks)"
