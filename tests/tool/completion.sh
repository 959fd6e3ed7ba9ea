#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bash, zsh and fish complete commands, options and their values; serial numbers, readers and names of
# objects are asked of the device, which nobody logs in to for that.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outcome.sh
. "$(dirname "$0")/outcome.sh"
admin_card
export SC_HSM_COMPLETION_WAIT=$SC_HSM_PATIENCE
mkdir folder
touch file-1 'file 2' folder/inside "$work/share"

check "a key" sc-hsm --pin-source file:pin keygen --type ec:P-256 --id 10 --label web
check "one with a label of two words" sc-hsm --pin-source file:pin keygen --type ec:P-256 --id 11 \
    --label 'two words'
check "one without a label" sc-hsm --pin-source file:pin keygen --type aes:128 --id 12
check "data" sc-hsm --pin-source file:pin data write pin --label note
reader=$(sc-hsm readers --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["readers"][0]["reader"])')

# --- the answers ---
# offers WHAT EXPECTED WORD...: the words that are offered for the last one, in one line.
offers() {
    local what=$1 expected=$2
    shift 2
    sc-hsm complete -- "$@" >answer 2>err || fail "$what: status $?"
    cat answer err >"$seen"
    [ ! -s err ] || fail "$what: something on standard error"
    equal "$what" "$expected" "$(cut -f 1 answer | paste -s -d ' ')"
}
files=$'^:files\t'
offers "commands" "status" sta
offers "commands of two words by the first" "dkek" dk
offers "then the second" "import-share" dkek im
offers "a command's sub-commands and what else it takes" "verify :folders" backup ''
offers "what follows the sub-command" ":folders :files" backup verify ''
offers "the command that is explained" "doctor domain" help "do"
offers "of two words" "change unblock" help pin ''
offers "nothing behind what there is not" "" no-such-command ''
offers "nothing behind an option that there is not" "" list --no-such-option ''
offers "options of a command and of all" "--policy --pkcs11-module --pin-source" list --p
offers "an option that was given is not offered again" "" --serial X list --serial
offers "one that repeats is" "--root" --root "$work/none" --roo
offers "commands behind an option with its value" "status" --reader x sta
offers "types of keys" "ec:P-192 ec:P-256 ec:P-384 ec:P-521" keygen --type ec:P
offers "in one word with the option" "--type=ed25519 --type=ed448" keygen --type=ed
offers "behind a letter" "rsa:2048 rsa:3072 rsa:4096" keygen -t r
offers "algorithms" "ecdh ecdh-authenticated ecdh-xkek" keygen --algorithms ecdh
offers "the last of several" "ecdsa,wrap" keygen --algorithms ecdsa,wr
offers "formats" "pem der ssh jwk reference" pubkey --format ''
offers "of certificates" "pem der" cert export --format ''
offers "pieces of configuration" "nginx" config ng
offers "sources" "file: fd:" --pin-source f
offers "files" ":files" keygen --out ''
says "$files$"
offers "behind what stands before their names" ":files" keygen --out=f
says "$files--out=$"
offers "in a source" ":files" --pin-source=file:x
says "$files--pin-source=file:$"
offers "folders" ":folders" restore ''
offers "a file for the second argument" ":files" wrap label=web ''
offers "nothing for the third" "" wrap label=web there ''
offers "no options behind --" ":files" doctor -- -
offers "nothing for free text" "" label ''

# Every option with a value, of every command: there is something to offer but for free text and numbers.
free=' N M T HEX TEXT SECONDS USER NAME ' asked=0
sc-hsm help >listed
mapfile -t commands < <(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z -]*[a-z]\).*/\1/p' listed |
    sed 's/  .*//')
[ "${#commands[@]}" -gt 60 ] || fail "there are ${#commands[@]} commands"
for command in "${commands[@]}"; do
    read -ra words <<<"$command"
    while read -r option argument; do
        asked=$((asked + 1))
        sc-hsm complete -- "${words[@]}" "--$option" '' >answer 2>"$seen" || fail "$command --$option"
        [ -s answer ] || [[ $free == *" $argument "* ]] ||
            fail "nothing is offered for --$option $argument of $command"
    done < <(sc-hsm help "${words[@]}" |
        sed -n '/^Options:/,/^$/s/^[ a-zV,-]*--\([a-z0-9-]*\) \([A-Z][A-Z-]*\)\>.*/\1 \2/p')
done
[ "$asked" -gt 80 ] || fail "only $asked options"
echo "ok: every option"

# --- of the device ---
offers "serial numbers" "$serial" --serial ''
offers "of the other device" "--to=$serial" copy label=web --to=
offers "readers" "$reader" --reader "$reader"
offers "keys by their labels" "label=web label=two%20words id=12" wrap ''
offers "keys by their ids" "id=10 id=11 id=12" pubkey id=1
offers "URIs" "sc-hsm:label=web" pubkey sc-hsm:label=w
offers "data" "label=note" data read ''
offers "no certificates" "" cert show ''
offers "objects of the device that is named" "" --serial OTHER wrap ''
tries=$(pin_tries)
checks=$(pin_checks)
PIN=000000 offers "a wrong PIN is not used" "label=note" --pin-source env:PIN data read ''
SC_HSM_PIN_SOURCE=env:PIN PIN=000000 offers "nor a configured one" "label=web" delete label=w
equal "no PIN was sent" "$checks" "$(pin_checks)"
equal "no try was spent" "$tries" "$(pin_tries)"
PCSCLITE_CSOCK_NAME=$work/none offers "nothing without PC/SC service" "" --serial ''
echo 'this is no configuration' >broken.cnf
OPENSSL_CONF=$work/broken.cnf offers "nothing with a broken configuration" "" wrap ''
virtual_hsm control 1 delay 600000 >/dev/null
SC_HSM_COMPLETION_WAIT=0 offers "nothing of a device that is slow" "" wrap ''
virtual_hsm control 1 clear >/dev/null

# --- bash ---
# completes WHAT EXPECTED LINE: what bash offers at the end of the line, quoted as it stands then, by words
# parted as bash does.
cat >complete.bash <<'END'
. "$1"
COMP_LINE=$2 COMP_POINT=${#2}
mapfile -t COMP_WORDS < <(grep -oE '[:=]+|([^[:blank:]:=\\]|\\.)+' <<<"$COMP_LINE")
case $COMP_LINE in
*[[:blank:]]) COMP_WORDS+=('') ;;
esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_sc_hsm sc-hsm
printf '%s\n' "${COMPREPLY[@]}" | sort
END
check "help prints bash's by itself" sc-hsm help --completion
cp "$seen" sc-hsm.bash
equal "as it is built" "$(cat "$SC_HSM_BUILD/share/sc-hsm.bash")" "$(cat sc-hsm.bash)"
check "for each shell" sc-hsm help --completion fish
fails "no other" sc-hsm help --completion csh
says "'csh': bash, zsh or fish"
completes() {
    bash complete.bash sc-hsm.bash "$3" >"$seen" 2>&1 || fail "bash, $1: status $?"
    equal "bash, $1" "$2" "$(paste -s -d '|' "$seen")"
}
completes "a command" "status" "sc-hsm sta"
completes "behind blanks, and an option with its value" "status" "sc-hsm   --reader x sta"
completes "an option" "--reader" "sc-hsm list --rea"
completes "what follows =" "ed25519|ed448" "sc-hsm keygen --type=ed"
completes "and :" "P-192|P-256|P-384|P-521" "sc-hsm keygen --type ec:P"
completes "a reader with blanks" "$(printf %q "$reader")" "sc-hsm --reader $(printf %q "$reader")"
completes "a name" "web" "sc-hsm wrap label=w"
completes "a URI" "web" "sc-hsm wrap sc-hsm:label=w"
completes "sources" "env:" "sc-hsm --pin-source e"
completes "a source's file" "file 2|file-1" "sc-hsm --pin-source file:fil"
completes "right behind the colon" "folder/inside" "sc-hsm --pin-source file:folder/"
completes "a file" "file 2|file-1" "sc-hsm wrap label=web fi"
completes "an option's file" "folder/inside" "sc-hsm keygen --out=folder/"
completes "a sub-command" "verify" "sc-hsm backup v"
completes "beside folders" "folder" "sc-hsm backup f"
completes "nothing" "" "sc-hsm random "

# --- zsh and fish, where they are ---
shells=
if type -P zsh >"$seen"; then
    # What zsh's own functions are told, without a terminal.
    cat >complete.zsh <<'END'
_describe() { print -r -- "${@[3]}: ${(j:|:)${(P)4}}" "${@[5,-1]}" }
_files() { print -r -- files "$@" }
compset() { print -r -- without "$2" }
compdef() { : }
. $1
words=("${@[2,-1]}") CURRENT=$(($# - 1)) PREFIX=${@[-1]}
_sc_hsm
END
    completes_zsh() {
        zsh -f complete.zsh "$SC_HSM_BUILD/share/_sc-hsm" sc-hsm "${@:3}" >"$seen" 2>&1 ||
            fail "zsh, $1: status $?"
        equal "zsh, $1" "$2" "$(cat "$seen")"
    }
    completes_zsh "a name" 'value: label=web:private key, EC 256' wrap label=w
    completes_zsh "colons" 'value: ec\:P-192|ec\:P-256|ec\:P-384|ec\:P-521' keygen --type ec:P
    completes_zsh "sources" "value: env\\: -S " --pin-source e
    completes_zsh "a reader with blanks" "value: $reader:SmartCard-HSM" --reader "$reader"
    completes_zsh "folders" "files -/" restore ''
    completes_zsh "files behind a source" $'without file:\nfiles' --pin-source file:x
    completes_zsh "nothing" "" random ''
else
    shells+=" zsh"
fi
if type -P fish >"$seen"; then
    completes_fish() {
        fish --no-config -c "source '$SC_HSM_BUILD/share/sc-hsm.fish'; complete -C '$3'" \
            >"$seen" 2>&1 || fail "fish, $1: status $?"
        equal "fish, $1" "$2" "$(cut -f 1 "$seen" | paste -s -d '|')"
    }
    completes_fish "a command" "status" "sc-hsm sta"
    completes_fish "an option" "--reader" "sc-hsm list --rea"
    completes_fish "a name" "label=web" "sc-hsm wrap label=w"
    completes_fish "in one word" "--type=ed448|--type=ed25519" "sc-hsm keygen --type=ed"
    completes_fish "a source's file" "file:file 2|file:file-1" "sc-hsm --pin-source file:fil"
    completes_fish "nothing" "" "sc-hsm random "
else
    shells+=" fish"
fi
[ -z "$shells" ] || echo "left out, because it is not installed:$shells"
