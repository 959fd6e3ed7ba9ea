#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SSH logs in with keys on the card, ours and OpenSC's, through OpenSC's PKCS#11 module.
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/servers/server.sh
. "$SC_HSM_SOURCE/tests/servers/server.sh"
PATH=$PATH:/usr/sbin
need ssh ssh-keygen ssh-keyscan sshd
opensc_card
check "an RSA key" p11_user --keypairgen --key-type rsa:2048 --id 10 --label ssh-rsa
echo "$pin" >pin
check "an EC key, made by us" sc-hsm --pin-source file:pin keygen --type ec:P-256 --id 11 \
    --label ssh-ec
check "our line for it" sc-hsm pubkey label=ssh-ec --format ssh --out ssh-ec.pub
check "another key, which opens nothing" p11_user --keypairgen --key-type EC:prime256v1 --id 12 \
    --label other

check "ssh-keygen shows the keys on the card" ssh-keygen -D "$opensc_module"
says '^ssh-rsa ' '^ecdsa-sha2-nistp256 '
equal "three of them" 3 "$(grep -c '^[se]' "$seen")"
grep ssh-rsa "$seen" >ssh-rsa.pub
equal "our line has the key that ssh-keygen sees" "$(cut -d ' ' -f 1,2 ssh-ec.pub)" \
    "$(grep ssh-ec "$seen" | cut -d ' ' -f 1,2)"
plain_openssl rand -hex 8 >greeting

# A server of this test's own, for the user who runs it. As root it wants a folder of its own name.
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host_key
port=$(free_port 1)
cat >sshd_config <<END
ListenAddress 127.0.0.1
Port $port
HostKey $work/host_key
PidFile $work/sshd.pid
AuthorizedKeysFile $work/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
ForceCommand cat $work/greeting
END
: >authorized_keys
check "the server's configuration" "$(command -v sshd)" -t -f "$work/sshd_config"
# Newer servers punish who failed to log in, for a while; older ones know no such option.
lenient=(-o PerSourcePenalties=no)
"$(command -v sshd)" -t -f "$work/sshd_config" "${lenient[@]}" 2>/dev/null || lenient=()
"$(command -v sshd)" -D -e -f "$work/sshd_config" ${lenient[@]+"${lenient[@]}"} 2>server.log &
server=$!
at_end() {
    kill $server 2>/dev/null
    wait $server 2>/dev/null
}
wait_for "the server listens" ssh-keyscan -p "$port" 127.0.0.1
echo "[127.0.0.1]:$port $(cat host_key.pub)" >known_hosts

# The PIN comes from a program, as from a desktop's dialog.
printf '#!/bin/sh\necho asked >>"%s"\ncat "%s"\n' "$work/asked" "$work/pin" >askpass
chmod +x askpass

# log_in: by the first key on the card that the server knows.
log_in() {
    rm -f asked
    SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ends_by_itself ssh -F none -p "$port" \
        -o "PKCS11Provider=$opensc_module" -o "UserKnownHostsFile=$work/known_hosts" \
        -T -o IdentityAgent=none -o PasswordAuthentication=no "$(id -un)@127.0.0.1" ||
        return 1 # where ssh says 255
}

fails "no key is known yet" log_in
says 'Permission denied'
for label in ssh-rsa ssh-ec; do
    cp "$label.pub" authorized_keys
    check "login with the key $label" log_in
    says "^$(cat greeting)\$"
    [ -s asked ] || fail "no PIN was asked for"
done
echo 111111 >pin
fails "a wrong PIN opens nothing" log_in
equal "and costs a try" 2 "$(pin_tries)"
echo "$pin" >pin
check "the right one does" log_in
says "^$(cat greeting)\$"
equal "and gives it back" 3 "$(pin_tries)"
