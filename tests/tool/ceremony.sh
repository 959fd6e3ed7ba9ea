#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sample of a key ceremony is held with two devices, interrupted in every step; what its record
# tells is what OpenSC and OpenSSL see. A step that fails stops, and no plan runs that is not right.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
virtual_cards 2
check "the virtual cards' root" sc-hsm-sim --write-root root.cvc
configure "root=$work/root.cvc" pin-source=
mapfile -t serials <"$SC_HSM_VIRTUAL/serials"
export first=${serials[0]} second=${serials[1]}
# What is typed is nowhere to be found later.
export typed_pin=8642097 typed_so_pin=$so_pin alice="alice's long password" bob="bob's long password"
echo $typed_pin >pin
echo "$so_pin" >so-pin

# reader SERIAL: the number that OpenSC gives its reader.
reader() {
    opensc-tool --list-readers | grep -F "$1" | sed -n 's/^\([0-9]*\)  *Yes.*/\1/p'
}
# on SERIAL COMMAND...: our tool with that device.
on() {
    sc-hsm --serial "$1" --pin-source file:pin "${@:2}"
}

# --- the sample, as people hold it ----------------------------------------------------------------

# held HOW STEP [OPTION...]: holds the ceremony root-ca.json at a terminal, all questions answered, and
# interrupts that step: "key" by Ctrl-C where it waits for people, "typing" by Ctrl-C at its first
# question for a secret, "power" by a kill of the ceremony and of its command.
export preload=${SC_HSM_ASAN:+$SC_HSM_ASAN:}$SC_HSM_BUILD/tests/tool/quick_shares.so
held() {
    expect -f - -- "$@" <<'END'
set timeout $env(SC_HSM_PATIENCE)
lassign $argv how stop
spawn -noecho env LD_PRELOAD=$env(preload) sc-hsm ceremony root-ca.json {*}[lrange $argv 2 end]
set step 0
set running 0
proc cut_power {} {
    set ceremony [exp_pid]
    catch { exec kill -STOP $ceremony }
    catch { exec pkill -KILL -P $ceremony }
    exec kill -KILL $ceremony
}
proc answer {text} {
    global how stop step
    if {$how eq "typing" && $step == $stop} { send "\003" } else { send "$text\r" }
    exp_continue
}
expect {
    -re {device 'first': } { send "$env(first)\r"; exp_continue }
    -re {device 'second': } { send "$env(second)\r"; exp_continue }
    -re {type the word yes: } { set running 1; send "yes\r"; exp_continue }
    -re {once more, or done [^\r\n:]*: } { set running 1; send "again\r"; exp_continue }
    -re {\n([0-9]+)\. [A-Z][^\r\n]*\r\n} {
        set step $expect_out(1,string)
        if {$running && $how eq "power" && $step == $stop} { cut_power }
        exp_continue
    }
    -re {Press Enter when this is done: } {
        if {$how eq "key" && $step == $stop} { send "\003" } else { send "\r" }
        exp_continue
    }
    -re {type the serial number (\w+): } { send "$expect_out(1,string)\r"; exp_continue }
    -re {\n(new )?SO-PIN[^\r\n:]*: } { answer $env(typed_so_pin) }
    -re {\n(new )?PIN[^\r\n:]*: } { answer $env(typed_pin) }
    -re {assword \w+ share-alice[^\r\n:]*: } { answer $env(alice) }
    -re {assword \w+ share-bob[^\r\n:]*: } { answer $env(bob) }
    timeout { puts "NO END"; exit 92 }
    eof {}
}
lassign [wait] pid id error status signal
puts "it ended with status $status"
exit [expr {$status}]
END
}

cp "$SC_HSM_SOURCE/examples/ceremony/root-ca.json" .
# waits_for STEP: for a secret, for people alone, or for nobody.
waits_for() {
    python3 -c 'import json, sys
step = json.load(open("root-ca.json"))["steps"][int(sys.argv[1]) - 1]
secret = " ".join(step.get("run", [])[:2]).startswith(("init", "dkek", "backup verify"))
print("secret" if secret else "people" if "say" in step else "nobody")' "$1"
}
steps=$(python3 -c 'import json; print(len(json.load(open("root-ca.json"))["steps"]))')
interrupted=0
for ((step = 1; step <= steps; step++)); do
    # In turn, as far as the step waits for something. A device that is logged in asks for no PIN.
    case $(waits_for "$step")-$((step % 3)) in
    secret-[02]) how=typing ;;
    nobody-* | people-0) how=power ;;
    *) how=key ;;
    esac
    held $how "$step" >"$seen" 2>&1 || true
    says_nothing_of "^NO END|The record is in"
    if [ $how = power ]; then
        # which may have come when the step was done; it is not made again then
        tail -n 1 root-ca.record.txt.journal | grep -q '"step begun"' && interrupted=$((interrupted + 1))
    else
        says "step $step \(.*\) was interrupted, and is run again"
        interrupted=$((interrupted + 1))
    fi
    echo "ok: step $step, interrupted: $how"
done
cp root-ca.record.txt.journal journal-before
check "the rest, and the record" held no 0
says "^The record is in root-ca.record.txt" "Steps 1 to 17 of $steps are done\. It goes on"
fails "the journal is gone" test -e root-ca.record.txt.journal
equal "every step was done once" "$(seq $((steps - 1)))" \
    "$(sed -n 's/^{"step":\([0-9]*\),.*"outcome":"done".*/\1/p' journal-before)"

# --- what its record tells ------------------------------------------------------------------------

record_says() {
    cp root-ca.record.txt "$seen"
    says "$@"
}
record_says "^Record of a key ceremony: Offline root CA of Example Ltd" "^Tool: +sc-hsm [0-9.]+$" \
    "^Library: +OpenSSL 3" "^ +first: $first, SmartCard-HSM [0-9.]+$|^Devices: +first: $first, SmartCard-HSM [0-9.]+$" \
    "second: $second, SmartCard-HSM" "SHA-256: +$(sha256sum <root-ca.json | cut -d ' ' -f 1)$" \
    "^Place: _+ +Date: _+"
equal "a line to sign for each of four" 4 "$(grep -c '^____' root-ca.record.txt)"
record_says "^Alice Example" "^Dave Example"
equal "each step is done" "$steps" "$(grep -Ec '^    20[0-9: +-]+ to 20[0-9: +-]+: done$' root-ca.record.txt)"
equal "each interruption is told" "$interrupted" "$(grep -c ': interrupted' root-ca.record.txt)"
says_nothing_of ": failed"
equal "80 columns" "" "$(awk 'length($0) > 80' root-ca.record.txt)"
equal "plain text" "" "$(tr -d '\n -~' <root-ca.record.txt)"

for file in root.crt root.pem share-alice.pbe root-backup/manifest.json; do
    check "the digest of $file" grep -q "$(sha256sum <"$file" | cut -d ' ' -f 1)" root-ca.record.txt
done
check "the root certificate, for OpenSSL" plain_openssl verify -check_ss_sig -CAfile root.crt root.crt
digest=$(plain_openssl x509 -in root.crt -noout -pubkey | plain_openssl pkey -pubin -outform DER |
    sha256sum | cut -d ' ' -f 1)
# made, proven, certified; compared; and at the end on each device, where the first proves it
[ "$(grep -c "$digest" root-ca.record.txt)" -ge 6 ] || fail "the root key's digest: $digest"
record_says "made on this device: yes" "maker is proven: yes" "certified by the device: yes"
for serial in "$first" "$second"; do
    check "$serial for sc-hsm-tool" opensc sc-hsm-tool --reader "$(reader "$serial")"
    kcv=$(sed -n 's/.*key check value *: \([0-9A-F]*\).*/\1/p' "$seen")
    equal "its DKEK is what the record tells" "$kcv" "$(sed -n 's/.*key check value: //p' \
        root-ca.record.txt | sort -u)"
    check "$serial for pkcs15-tool" opensc pkcs15-tool --reader "$(reader "$serial")" -D
    says "Private EC Key \[root\]" "Key ref *: 1 " "ID *: 10$" "X.509 Certificate \[root\]"
    opensc pkcs15-tool --reader "$(reader "$serial")" --read-certificate 10 >read.crt
    equal "its certificate" "$(plain_openssl x509 -in root.crt -outform DER | sha256sum)" \
        "$(plain_openssl x509 -in read.crt -outform DER | sha256sum)"
done
for secret in "$typed_pin" "$typed_so_pin" "$alice" "$bob"; do
    fails "no secret in it" grep -F "$secret" root-ca.record.txt journal-before
done
ends 1 "a record is never written over" sc-hsm ceremony root-ca.json --yes
says "root-ca.record.txt is there already"

# --- a step that fails, and the same command again -------------------------------------------------

cat >small.json <<'END'
{"title": "Straße", "devices": {"one": null, "two": null}, "people": ["Алиса"], "steps": [
  {"title": "A key", "run": ["--serial", "{one}", "keygen", "--type", "ec:P-256", "--id", "20",
    "--label", "it's", "--pin-source", "file:pin"]},
  {"title": "Another key of that name", "run": ["keygen", "--serial", "{one}", "--type", "ec:P-256",
    "--label", "it's", "--pin-source", "file:pin"]},
  {"title": "Random bytes", "run": ["random", "32", "--serial", "{one}", "--out",
    "random"]},
  {"title": "The PIN", "run": ["verify-pin", "--serial", "{one}", "--pin-source", "file:pins/{serial}"]},
  {"title": "A look at the other", "run": ["status", "--serial", "{two}"], "files": ["later"]}]}
END
ends 2 "nobody is asked with --yes" sc-hsm ceremony small.json --yes
says "which device 'one' is" "\-\-device one=SERIAL"
chosen=(--device "one=$first" --device "two=$second")
ends 2 "the same device twice" sc-hsm ceremony small.json --yes --device "one=$first" --device "two=$first"
ends 2 "a device that the plan has not" sc-hsm ceremony small.json --yes --device "three=$first"
fails "no terminal" setsid -w sc-hsm ceremony small.json "${chosen[@]}"
says "no terminal to ask for confirmation at"
fails "nothing was begun" test -e small.record.txt.journal
# stops STEP STATUS WHAT OPTION...: the ceremony stops there, with that status.
stops() {
    local step=$1 status=0
    sc-hsm ceremony small.json --yes "${@:4}" >out 2>"$seen" </dev/null || status=$?
    equal "$3" "$2" "$status"
    says "^sc-hsm: step $step \(.*\) failed, and is run again when the same command"
    equal "one sentence" 1 "$(wc -l <"$seen")"
    says_nothing_of "$typed_pin"
}
mkdir pins
echo 111111 >"pins/$first"
stops 4 4 "a wrong PIN" "${chosen[@]}"
says "the PIN is wrong for device $first; 2 tries are left"
cp small.json changed.json
sed -i 's/A look/Another look/' small.json
ends 1 "a plan that was changed" sc-hsm ceremony small.json --yes
says "has changed since the ceremony began"
mv changed.json small.json
ends 2 "devices are chosen once" sc-hsm ceremony small.json --yes "${chosen[@]}"
cp pin "pins/$first"
stops 5 1 "no file for step 5"
says "later cannot be read"
echo short >later
stops 5 1 "a file that its digest would give away"
says "32 bytes"
# What a loss of power left of a line.
printf '{"step":5,"begun":"20' >>small.record.txt.journal
seq 100 >later
touch begun.txt.journal # by somebody who is still being asked
for record in small.record.txt begun.txt; do
    exec 7<$record.journal
    flock 7
    ends 1 "two at once" sc-hsm ceremony small.json --yes --record $record
    says "in another window"
    exec 7<&-
    check "the journal is there still" test -e $record.journal
done
sc-hsm --json ceremony small.json --yes >record.json 2>"$seen" || fail "it does not go on"
python3 - <<'END' || fail "the record for programs"
import json
record = json.load(open("record.json"))
assert record["title"] == "Straße" and record["people"] == ["Алиса"]
assert [[attempt["outcome"] for attempt in step["attempts"]] for step in record["steps"]] == \
    [["done"], ["done"], ["done"], ["failed", "done"], ["failed", "failed", "done"]], record["steps"]
assert "2 keys on device" in record["steps"][1]["messages"][0], record["steps"][1]
assert record["steps"][2]["facts"] == {"bytes": 32, "file": "random"}, record["steps"][2]
assert record["steps"][0]["facts"]["label"] == "it's"
assert record["devices"][1]["kind"] == "SmartCard-HSM"
assert any(one.get("label") == "it's" and one["attestation"]["made_on_device"]
           for one in record["state"][0]["objects"]), record["state"]
END
cp small.record.txt "$seen"
says "^Record of a key ceremony: Straße" "note: 2 keys on device" "^Алиса" ": failed: later cannot$" ": failed: the PIN is$" \
    "public key, SHA-256"
check "the command as a shell takes it" grep -F "'it'\\''s'" small.record.txt
# An end right before the journal goes.
sha256sum <small.record.txt | cut -d ' ' -f 1 >digest
plan_digest=$(sha256sum <small.json | cut -d ' ' -f 1)
{
    printf '{"kind":"begun","plan":"%s","devices":{"one":"%s","two":"%s"}}\n' "$plan_digest" "$first" "$second"
    printf '{"kind":"record","plan":"%s","sha256":"%s"}\n' "$plan_digest" "$(cat digest)"
} >small.record.txt.journal
check "the very end again" sc-hsm ceremony small.json --yes
says "The record in small.record.txt is whole"
fails "the journal is gone" test -e small.record.txt.journal
for damage in x '{}' '{"kind":"step","step":9,"plan":"'"$plan_digest"'","outcome":"done"}'; do
    echo "$damage" >other.txt.journal
    ends 1 "a damaged journal" sc-hsm ceremony small.json --yes --record other.txt
    says "journal other.txt.journal is damaged in line 1"
done

# A service's end, or that of a session, in the middle of a command.
echo '{"title": "A look", "steps": [{"title": "Look", "run": ["status", "--serial", "'"$first"'"]}]}' >look.json
for signal in TERM HUP; do
    sc-hsm-sim --control "$SC_HSM_VIRTUAL/card-1.control" --tell "delay 600000" >/dev/null
    before=$(grep -c '^! .* befalls' "$SC_HSM_VIRTUAL/card-1.log" || true)
    sc-hsm ceremony look.json --yes >"$work/look.out" 2>&1 </dev/null &
    ceremony=$!
    wait_for "the command is under way" eval \
        "[ \$(grep -c '^! .* befalls' '$SC_HSM_VIRTUAL/card-1.log') -gt $before ]"
    kill -$signal $ceremony
    status=0
    wait $ceremony || status=$?
    sc-hsm-sim --control "$SC_HSM_VIRTUAL/card-1.control" --tell clear >/dev/null
    cp look.out "$seen"
    equal "ended by SIG$signal" $((128 + $(kill -l $signal))) "$status"
    says "step 1 \(Look\) was interrupted, and is run again"
done
fails "neither again nor done" typed "once more, or done .*: =yes" -- sc-hsm ceremony look.json
says "That step was under way" "nothing was done: that was neither"
check "and done, as people saw" typed "once more, or done .*: =done" -- sc-hsm ceremony look.json
equal "which its record tells" "interrupted interrupted done" \
    "$(sed -n 's/^    20.*: \(interrupted\|done\).*/\1/p' look.record.txt | paste -s -d ' ')"
check "and what people said" grep -q "note: nothing tells how this step ended; those who are" look.record.txt

# --- plans that are not right -----------------------------------------------------------------------

mkdir refused
cd refused
check "plans that are not right" python3 "$here/ceremony_plans.py"
equal "none of them left anything" "plan.json" "$(ls)"
