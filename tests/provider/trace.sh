#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_ec_key
make_rsa_key
seq 1 10 >data

# in_order LINE...: the log has these lines behind each other, with others between them.
in_order() {
    local line rest
    rest=$(sed -n 's/^.* debug //p' "$seen")
    for line in "$@"; do
        [[ $'\n'$rest = *$'\n'"$line"* ]] || fail "no '$line' behind the others"
        rest=${rest#*"$line"}
    done
}

export SC_HSM_LOG=debug
check "a signature" openssl pkeyutl -sign -rawin -digest sha256 -inkey ec.pem -in data -out signature
in_order "decoder_decode: PEM to DER" "decoder_decode: EC" "keymgmt_load: EC, key 'web-ec' on the device" \
    "keymgmt_query_operation_name: EC" "signature_newctx: ECDSA" \
    "signature_digest_sign_init: EC, key 'web-ec' on the device" \
    "signature_freectx: EC, key 'web-ec' on the device" keymgmt_free
# From 4.0 on OpenSSL leaves its providers as they are when a program ends.
case $(openssl version) in
"OpenSSL 3."*) in_order keymgmt_free provider_teardown ;;
esac
says_nothing_of "$pin"
plain_openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in data -out secret
check "a decryption by URI" openssl pkeyutl -decrypt -inkey "sc-hsm:id=10?pin-value=$pin" -in secret
in_order store_open store_load "asym_cipher_decrypt_init: RSA, key 'web-rsa' on the device" \
    "asym_cipher_decrypt: RSA, key 'web-rsa' on the device"
says_nothing_of "$pin"
check "a software key" openssl genpkey -provider sc-hsm -provider default -algorithm EC \
    -propquery provider=sc-hsm -pkeyopt group:P-256
in_order "keymgmt_gen_init: EC" "keymgmt_gen: EC" "encoder_encode: EC software key"
SC_HSM_LOG=info check "at other levels nothing" \
    openssl dgst -sha256 -sign ec.pem -out signature data
says_nothing_of keymgmt_ signature_

# Each function of a dispatch table has its line.
check "no function is forgotten" python3 - "$SC_HSM_SOURCE/provider" <<'END'
import glob, re, sys
sources = {f: open(f).read() for f in glob.glob(sys.argv[1] + "/*.c")}
missing = []
for file, text in sources.items():
    for name in set(re.findall(r"OSSL_FUNC_[A-Z0-9_]+,\s*\\?\s*\(void \(\*\)\(void\)\)(\w+)\b(?!#)", text)):
        bodies = [m.group(1) for f, s in sources.items() if f == file or name.startswith("schsm_")
                  for m in re.finditer(r"\n[\w *]*\b%s\([^;{]*\)\n\{\n(.*?)\n\}\n" % name, s, re.S)]
        # What only calls another function of a table leaves that one's line.
        if bodies and not re.search(r"schsm_trace|schsm_(signature|agreement|kem)_\w+\(", bodies[0]):
            missing.append(file + ": " + name)
sys.exit("\n".join(missing) or 0)
END
