#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sc-hsm doctor names what is wrong with the set-up, and its cure works
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=patient.sh
. "$(dirname "$0")/patient.sh"
need setpriv
patient
checks=$(pin_checks)

# --- openssl.cnf ----------------------------------------------------------------------------------

as=(env "OPENSSL_CONF=$work/none.cnf")
sick "openssl.cnf is missing" configuration "none.cnf, which OPENSSL_CONF names.*no such file" \
    "correct or unset OPENSSL_CONF"
as=()
healthy "with the right OPENSSL_CONF"

printf '\nthis is nothing\n' >>"$OPENSSL_CONF"
line=$(wc -l <"$OPENSSL_CONF")
sick "a syntax error" configuration "openssl.cnf, line $line: missing equal sign" \
    "correct line $line of $OPENSSL_CONF"
edit d
healthy "without that line"

sed -i '/^openssl_conf/d' "$OPENSSL_CONF"
sick "nothing is configured" configuration "activates no providers" "'openssl_conf = openssl_init'"
sed -i '1i openssl_conf = openssl_init' "$OPENSSL_CONF"
healthy "with that line"

sed -i '/^sc-hsm = /d' "$OPENSSL_CONF"
sick "sc-hsm is not in the list" configuration "not among the providers" "add 'sc-hsm = sc_hsm_sect'"
edit 'a sc-hsm = sc_hsm_sect'
healthy "once it is"

sed -i 's/^\[sc_hsm_sect\]/[schsm]/' "$OPENSSL_CONF"
sick "its section is missing" configuration "no section \[sc_hsm_sect\]" "add a section \[sc_hsm_sect\]"
put_back

configure activate= # in every section
sick "no provider is active" provider "default is not active" "'activate = 1'"
finding error provider "sc-hsm is not active" "write 'activate = 1' in \[sc_hsm_sect\] of .*openssl.cnf, line"
put_back

sed -i '/^\[default_sect\]/,/^activate/{/^activate/d}' "$OPENSSL_CONF"
sick "the default provider is not active" provider "default is not active" "write 'activate = 1' in \[default_sect\]"
says "ok +module:"
edit 'a activate = 1'
healthy "with the default provider"

sed -i '/^default = /d' "$OPENSSL_CONF"
sick "the default provider is not in the list" provider "default is not active" \
    "add 'default = default_sect' to \[provider_sect\]"
edit 'a default = default_sect'
healthy "with it in the list"

sed -i '/^\[sc_hsm_sect\]/,$s/^activate.*//' "$OPENSSL_CONF"
sick "a section without activate" provider "sc-hsm is not active" "'activate = 1' in \[sc_hsm_sect\]"
edit 'a activate = 1'
healthy "with activate"

# --- the module -----------------------------------------------------------------------------------

configure "module=$work/nowhere.so"
sick "a path to no module" module "no $work/nowhere.so, where the setting module" \
    "correct module in \[sc_hsm_sect\] of .*openssl.cnf, line"
line=$(grep -n '^module' "$OPENSSL_CONF" | cut -d: -f1)
equal "the line is named" "$line" "${cure##*line }"
sed -i "${line}s|=.*|= $module|" "$OPENSSL_CONF"
healthy "with the right path"

echo "no library" >broken.so
configure "module=$work/broken.so"
sick "a module that does not load" module "broken.so does not load: .*(invalid ELF|file too short)" \
    "built for this machine"
put_back

configure module=
sick "a module that is not installed" module "there is no .*/sc-hsm.so" "'module = /path/to/sc-hsm.so'"
as=(env "OPENSSL_MODULES=$(dirname "$module")")
healthy "with OPENSSL_MODULES"
configure "module=sc-hsm.so"
healthy "with the file's name"
configure "module=sc-hsm"
sick "a module's name without its ending" module "there is no .*/sc-hsm, where" "correct module"
configure module=
as=(env "OPENSSL_MODULES=$work")
sick "a wrong OPENSSL_MODULES" module "$work/sc-hsm.so, where OPENSSL_MODULES" "module"
as=()
put_back

# --- settings -------------------------------------------------------------------------------------

# misspelt WRITTEN MEANT VALUE
misspelt() {
    configure "$1=$3"
    line=$(grep -n "^$1 " "$OPENSSL_CONF" | cut -d: -f1)
    sick "the name $1" setting "'$1' in \[sc_hsm_sect\] of $OPENSSL_CONF, line $line is unknown" "^write $2\$"
    edit "s/$1/${cure#write }/"
    healthy "with $2"
    put_back
}
misspelt secur-chanel secure-channel auto
misspelt min_pin_tries min-pin-tries 2
misspelt logs log error
configure my-own=1
healthy "with a name of the user's own"
configure my-own=

# bad KEY VALUE GOOD REGEX
bad() {
    configure "$1=$2"
    line=$(grep -n "^$1 " "$OPENSSL_CONF" | cut -d: -f1)
    sick "$1 = $2" setting "'$1' in \[sc_hsm_sect\] of $OPENSSL_CONF, line $line: $4" "correct $1"
    edit "s/=.*/= $3/"
    healthy "$1 = $3"
    put_back
}
bad wait long 5 "'long' is not a number"
bad login maybe use "'maybe' is none of load, use, never"
configure pin-source=disk:/x
sick "an unknown PIN source" setting "'disk:' is none of file:PATH" "correct pin-source"
put_back

configure pin-source= "pin=$pin"
chmod 644 "$OPENSSL_CONF"
uneasy "a PIN in a file for all" setting "the PIN stands in .*line [0-9]+, which every user may read" \
    "pin-source = file:PATH"
says_nothing_of "$pin"
chmod 600 "$OPENSSL_CONF"
healthy "with the PIN in a file for one"
put_back

mkdir logs
configure log=error "log-file=$work/logs/here/log"
sick "a log that cannot be written" log "logs/here/log cannot be written: no such file" "make its folder"
mkdir logs/here
healthy "with the log's folder"
put_back

configure "pkcs11-module=$work/no-module.so"
sick "a PKCS#11 module that is not there" pkcs11-module "no-module.so" "correct pkcs11-module"
put_back

# --- the PIN's file -------------------------------------------------------------------------------

chmod 644 "$pin_file"
sick "a PIN file for all" pin-source "mode 644 lets every user at it" "chmod 600"
take_cure
healthy "with mode 600"

mv "$pin_file" pin.away
sick "no PIN file" pin-source "cannot be read: no such file" "install -m 600 /dev/null $pin_file"
take_cure
sick "an empty PIN file" pin-source "is empty" "write nothing but the PIN"
cat pin.away >"$pin_file"
healthy "with the PIN in it"
echo more >>"$pin_file"
sick "a second line" pin-source "more than one line" "nothing but the PIN"
cat pin.away >"$pin_file"

configure pin-source=env:NO_SUCH_PIN
sick "a variable that is not there" pin-source "no variable NO_SUCH_PIN" "pin-source"
as=(env "NO_SUCH_PIN=$pin")
healthy "with the variable"
as=()
configure pin-source=credential:hsm
sick "a credential without systemd" pin-source "no CREDENTIALS_DIRECTORY" "LoadCredential=hsm:PATH"
mkdir credentials
cp "$pin_file" credentials/hsm
as=(env "CREDENTIALS_DIRECTORY=$work/credentials")
healthy "with the credential"
as=()
put_back

# --- another user, and the service ----------------------------------------------------------------

chmod 711 "$SC_HSM_VIRTUAL"
chmod 644 "$OPENSSL_CONF"
as=(setpriv --reuid nobody --clear-groups)
sick "a user who may not read the PIN" pin-source "pin cannot be read: permission denied" "chown nobody $pin_file"
take_cure
healthy "as nobody"
chmod 600 "$SC_HSM_VIRTUAL/pcscd.comm"
sick "a user who may not use the socket" service "user nobody may not use the socket" \
    "give user nobody the right to write to $SC_HSM_VIRTUAL/pcscd.comm"
chmod 666 "$SC_HSM_VIRTUAL/pcscd.comm"
healthy "with that right"
chmod 700 "$(dirname "$module")"
sick "a user who may not enter the module's folder" module "nobody may not enter $(dirname "$module") .* the setting module" \
    "chmod a\+x $(dirname "$module")'"
take_cure
chmod 600 "$module"
sick "a user who may not read the module" module "nobody may not read $module, where" "chmod a\+r $module'"
take_cure
healthy "with both rights"
chmod 600 "$OPENSSL_CONF"
sick "a user who may not read openssl.cnf" configuration "openssl.cnf.*permission denied" "chmod a\+r"
take_cure
healthy "with that right, too"
chmod 600 "$OPENSSL_CONF"
chown 0 "$pin_file"

as=(env "PCSCLITE_CSOCK_NAME=$work/nowhere")
sick "a socket that is not there" service "does not answer at the socket $work/nowhere" \
    "correct PCSCLITE_CSOCK_NAME, unset it"
as=()
healthy "with the right socket"
virtual_hsm service kill
sick "pcscd is dead" service "does not answer" "start the pcscd of"
virtual_hsm service start
healthy "with pcscd"

equal "no try was spent" 3 "$(raw_apdus >/dev/null 2>&1; pin_tries)"
[ "$(pin_checks)" -gt "$checks" ] || fail "no test signature was made"
