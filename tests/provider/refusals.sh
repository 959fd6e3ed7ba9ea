#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../lib.sh"
virtual_card
make_rsa_key
make_ec_key

# --- the private part stays where it is --------------------------------------------------------

stays="private key stays on the SmartCard-HSM"
for key in rsa.pem sc-hsm:id=10; do
    fails "pkey -traditional with $key" openssl pkey -in "$key" -traditional -out x
    says "$stays"
    fails "rsa -traditional with $key" openssl rsa -in "$key" -traditional -out x
    says "$stays"
    fails "pkcs12 with $key" openssl pkcs12 -export -inkey "$key" -nocerts -passout pass:x -out x
    says "$stays"
done
fails "pkcs8" openssl pkcs8 -topk8 -in rsa.pem -nocrypt -out x
says "$stays"
fails "encrypted pkcs8" openssl pkcs8 -topk8 -in rsa.pem -passout pass:abcd -out x
says "$stays"
fails "pkey -traditional with an EC key" openssl pkey -in ec.pem -traditional -out x
says "$stays"
fails "pkcs8 with an EC key" openssl pkcs8 -topk8 -in ec.pem -nocrypt -out x
says "$stays"

# What can be written is the reference.
# reference WHAT COMMAND...: writes the reference to the file x.
reference() {
    rm -f x
    check "$@" -out x
    check "it is the reference" grep -q 'BEGIN SC-HSM PRIVATE KEY' x
    check "and loads" openssl pkey -in x -noout
}
reference "pkey with a URI" openssl pkey -in sc-hsm:id=10
reference "pkey, encrypted" openssl pkey -in rsa.pem -aes256 -passout pass:abcd
reference "rsa" openssl rsa -in rsa.pem
reference "ec" openssl ec -in ec.pem
check "the reference in DER" openssl asn1parse -strictpem -in rsa.pem -noout -out x
check "it loads" openssl pkey -inform DER -in x -noout
check "a compressed public key" openssl ec -in ec.pem -conv_form compressed -pubout -out x
check "the judge reads it" plain_openssl pkey -pubin -in x -noout

# --- generation --------------------------------------------------------------------------------

before=$(files)

# pkeyopts OPTION...: as options of openssl genpkey, in the array of that name.
pkeyopts() {
    local option
    pkeyopts=()
    for option in "$@"; do
        pkeyopts+=(-pkeyopt "$option")
    done
}

# refused SENTENCE OPTION...: no RSA key with these, asked for by property and by name.
refused() {
    local sentence=$1
    shift
    pkeyopts "$@"
    fails "RSA by property with $*" openssl genpkey -algorithm RSA -propquery provider=sc-hsm \
        -pkeyopt label:none "${pkeyopts[@]}" -out x
    says "$sentence"
    fails "SC-HSM-RSA with $*" openssl genpkey -algorithm SC-HSM-RSA "${pkeyopts[@]}" -out x
    says "$sentence"
}
refused "key size too small" rsa_keygen_bits:100
refused "1024, 1536, 2048, 3072 or 4096 bits, not of 3000" rsa_keygen_bits:3000
refused "public exponent must be odd" rsa_keygen_pubexp:4
refused "two primes, not of 3" rsa_keygen_primes:3
refused "id: 'zz' is neither hex digits" id:zz
refused "already has this id" id:10
refused "key-ref: '300' is not a number from 1 to 255" key-ref:300
refused "key-ref: 'x' is not a number" key-ref:x
refused "algorithms: 'x' is neither" algorithms:x
refused "use-count: '0' is not a number" use-count:0
refused "key-domain: '256' is not a number" key-domain:256
refused "key-domain: 'x' is not a number" key-domain:x
refused "no device with serial number NOSUCH" serial:NOSUCH
refused "none of file:PATH" pin-source:bla:
fails "an unknown option" openssl genpkey -algorithm SC-HSM-RSA -pkeyopt nonsense:1 -out x
says "nonsense"

refused_ec() {
    local sentence=$1
    shift
    pkeyopts "$@"
    fails "SC-HSM-EC with $*" openssl genpkey -algorithm SC-HSM-EC "${pkeyopts[@]}" -out x
    says "$sentence"
}
refused_ec "which curve\? Give one with"
refused_ec "'nosuch' is not a curve that OpenSSL knows" group:nosuch
refused_ec "'P-999' is not a curve that OpenSSL knows" ec_paramgen_curve:P-999
refused_ec "no keys on this curve" group:sect163k1
refused_ec "names its curve" group:P-256 ec_param_enc:explicit
equal "the card is as it was" "$before" "$(files)"
