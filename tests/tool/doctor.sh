#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm doctor looks at all, for a service too, and spends no PIN try unasked
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=patient.sh
. "$(dirname "$0")/patient.sh"
need setpriv
patient

# --- what it tells where all is well --------------------------------------------------------------

doctor ec.pem
for what in openssl configuration setting module provider service rights reader device pin-source \
    reference signature; do
    says "^ok +$what: "
done
says "OpenSSL 3|OpenSSL 4" "sc-hsm in \[sc_hsm_sect\]" "$module, version" "SmartCard-HSM $serial: " \
    'no DKEK' "file:$pin_file can be read" "made with key 'web-ec', and verified"
says_nothing_of "$pin"
equal "the same for programs" "(True, 0, 0, True)" \
    "$(json "(d['well'], d['errors'], d['warnings'], all(f['level'] == 'ok' and f['cure'] is None
        and f['what'] and f['sentence'] for f in d['findings']))" sc-hsm --json doctor ec.pem)"
configure waite=5
sc-hsm --json doctor >out.json 2>err && fail "an error ends with 0"
equal "an error for programs" "(False, [('setting', 'write wait')])" "$(python3 -c 'import json
d = json.load(open("out.json"))
print((d["well"], [(f["what"], f["cure"]) for f in d["findings"] if f["level"] == "error"]))')"
put_back

# --- tries ----------------------------------------------------------------------------------------

raw_apdus >/dev/null 2>&1
checks=$(pin_checks)
configure pin-source=
healthy "without a PIN"
says "signature: not tried: there is no PIN in the configuration"
configure pin-source=prompt
healthy "with a person"
says "pin-source: prompt: a person is asked" "signature: not tried"
equal "no PIN was sent" "$checks" "$(pin_checks)"
configure pin-source=
healthy "with a PIN by option" --pin-source "file:$pin_file"
says "signature: made with"
equal "one PIN was sent" $((checks + 1)) "$(pin_checks)"
put_back
check "a key with a counter" sc-hsm keygen --type ec:P-256 --id 30 --label counted --use-count 5 --pin-source file:pin
check "the other key is deleted" sc-hsm delete "id=20;type=private" --yes --pin-source file:pin
healthy "with a key that counts its uses"
says "signature: not tried: device $serial shows no key for it"
check "the counted key goes" sc-hsm delete "id=30;type=private" --yes --pin-source file:pin
make_ec_key

# --- for a service --------------------------------------------------------------------------------

mkdir -p units/web.service.d
chmod 644 "$OPENSSL_CONF"
cat >units/web.service <<END
# a service
[Unit]
Description=web
[Service]
User=root
Environment=A=1 "B=two words" PCSCLITE_CSOCK_NAME=$work/old
ExecStart=/bin/true \\
    User=nobody
END
cat >units/web.service.d/10-hsm.conf <<END
[Service]
User=nobody
EnvironmentFile=-$work/not-there
EnvironmentFile=$work/web.env
END
cat >units/numbered.service <<END
[Service]
User=4294967296
END
sick "a number that is no user's, and root's in its last 32 bits" unit "there is no user 4294967296" "make that user" \
    --service numbered --units units
sick "its environment file is missing" unit "web.env" "correct EnvironmentFile" --service web --units units
printf '# of the service\nPCSCLITE_CSOCK_NAME=%s\nOPENSSL_CONF="%s"\n' "$PCSCLITE_CSOCK_NAME" "$OPENSSL_CONF" >web.env
sick "its user may not read the PIN" pin-source "permission denied" "chown nobody $pin_file" --service web --units units
says "^ok +unit: web.service, as user nobody" "user nobody"
take_cure
healthy "the service" --service web.service --units units
says "signature: made with"
for variable in PCSCLITE_CSOCK_NAME OPENSSL_CONF SC_HSM_VIRTUAL; do as+=("$variable=/nowhere"); done
as=(env "${as[@]}")
healthy "whatever the environment of the caller is" --service web --units units
as=()
chown 0 "$pin_file"
printf '[Service]\nUser=\nRestrictAddressFamilies=AF_INET AF_INET6\n' >units/web.service.d/20-more.conf
sick "it may not use the sockets of pcscd" unit "AF_UNIX" "RestrictAddressFamilies=AF_UNIX" --service web --units units
says "as user root"
echo "RestrictAddressFamilies=AF_UNIX" >>units/web.service.d/20-more.conf
healthy "with that family, too" --service web --units units
echo "User=there-is-no-such-user" >>units/web.service.d/20-more.conf
sick "it has no such user" unit "no user there-is-no-such-user" "make that user" --service web --units units
rm units/web.service.d/20-more.conf
configure pin-source=credential:hsm
sick "it has no such credential" pin-source "no CREDENTIALS_DIRECTORY" \
    "drop-in with 'LoadCredential=hsm:PATH' .*systemctl edit web.service" --service web --units units
printf '[Service]\nUser=\nLoadCredential=hsm:%s/hsm.pin\n' "$work" >units/web.service.d/20-pin.conf
sick "its credential comes from nowhere" unit "no $work/hsm.pin, which LoadCredential=hsm:" "install -m 600" \
    --service web --units units
take_cure
uneasy "it does not run" pin-source "gets the credential hsm when it starts" "systemctl start web.service" \
    --service web --units units
rm units/web.service.d/20-pin.conf
put_back
chmod 644 "$OPENSSL_CONF"
mkdir -m 755 empty
printf '[Service]\nRootDirectory=%s\n' "$work/empty" >units/web.service.d/30-root.conf
# Leaks cannot be looked for in there, and the search for them never ends.
as=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0")
sick "it has another root directory" configuration "openssl.cnf.*no such file" "OPENSSL_CONF" --service web --units units
finding error service "root directory \(chroot\)" "show it the folder of $PCSCLITE_CSOCK_NAME: .*BindPaths="
says "in $work/empty"
as=()
rm units/web.service.d/30-root.conf
as=(setpriv --reuid nobody --clear-groups)
printf '[Service]\nUser=root\n' >units/web.service.d/30-root.conf
chmod -R a+rX units web.env
doctor --service web --units units
finding warning unit "only root can look" "sudo sc-hsm doctor --service web"
as=()
rm units/web.service.d/30-root.conf
sick "there is no such unit" unit "no unit file units/other.service" "correct the name" --service other --units units
says_nothing_of "pin-source"

# systemd's own answer, as systemctl gives it.
cat >"$work/.bin/systemctl" <<END
#!/bin/sh
echo "LoadState=loaded
User=
Environment=PCSCLITE_CSOCK_NAME=$PCSCLITE_CSOCK_NAME
EnvironmentFiles=$work/not-there (ignore_errors=yes)
EnvironmentFiles=$work/web.env (ignore_errors=no)"
END
chmod +x "$work/.bin/systemctl"
healthy "as systemd tells it" --service web
printf '#!/bin/sh\necho LoadState=not-found\n' >"$work/.bin/systemctl"
sick "systemd does not know it" unit "systemd has no service web.service" "correct the name" --service web
printf '#!/bin/sh\nexit 1\n' >"$work/.bin/systemctl"
sick "there is no systemd" unit "systemd does not run here" "folder of its unit file by --units" --service web
fails "a folder and no service" sc-hsm doctor --units units
says "needs --service"

# --- several devices, and none --------------------------------------------------------------------

eval "$(virtual_hsm stop)"
virtual_cards 2
uneasy "two devices" device "2 devices are connected, and no setting says which" "setting serial or reader"
configure "serial=$(sed -n 2p "$SC_HSM_VIRTUAL/serials")"
healthy "one of them is named"
eval "$(virtual_hsm stop)"
virtual_cards 0
sick "no reader" reader "no smart card reader or token is connected" "plug in the reader"
