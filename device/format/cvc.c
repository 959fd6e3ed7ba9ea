/* SPDX-License-Identifier: Apache-2.0 */
#include "cvc.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "cvc_tags.h"
#include "ecx.h"
#include "key_policy.h"
#include "spki.h"

#define CHR_SEQUENCE_LEN 5          /* the sequence number at the end of a CHR */
#define PICO_TERMINAL "ESPICOHSMTR" /* 19.5: what follows it is no sequence number */

/* id-TA 0.4.0.127.0.7.2.2.2, followed by one byte for RSA or ECDSA and one for the scheme */
static const uint8_t id_ta[] = { SCHSM_OID_TA };
#define ID_TA_RSA 1
#define ID_TA_ECDSA 2
#define ID_TA_LEN (sizeof(id_ta) + 2)

#define EXPONENT_BYTES_MAX 8 /* section 6.2 */

static const uint8_t oid_rsa[] = { SCHSM_OID_RSA };
static const uint8_t oid_ecdsa[] = { SCHSM_OID_ECDSA };
static const uint8_t oid_ecx[] = { SCHSM_OID_ECX };

/* Section 11.3: 1.3.6.1.4.1.24991.3.2.2 */
static const uint8_t oid_domain_uid[] = { SCHSM_OID_CARDCONTACT, 0x03, 0x02, 0x02 };

/* One member of a constructed element: where the content goes, and whether it must be there. */
struct member {
    struct schsm_view *value;
    uint32_t tag;
    bool required;
};

/*
 * Reads the children of an element. Those not in the table are skipped; one that is there twice is
 * malformed, since two readers could take different ones.
 */
static bool read_members(struct schsm_view content, const struct member *members, size_t count)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv tlv;

    schsm_tlv_read(&reader, content.data, content.len);
    while (schsm_tlv_next(&reader, &tlv)) {
        for (size_t i = 0; i < count; i++) {
            if (members[i].tag != tlv.tag) {
                continue;
            }
            if (members[i].value->data != NULL) {
                return false;
            }
            *members[i].value = tlv.value;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].required && members[i].value->len == 0) {
            return false;
        }
    }
    return !reader.malformed;
}

#define READ_MEMBERS(content, members)                                                             \
    read_members(content, members, sizeof(members) / sizeof((members)[0]))

static bool is_point(struct schsm_view point)
{
    return point.len % 2 == 1 && point.len > 1 && point.len <= SCHSM_POINT_MAX &&
           point.data[0] == 0x04;
}

/* Section 19.5: what are a, b and G elsewhere are n, the base point and the public key. */
static int take_ecx_key(struct schsm_view n, struct schsm_cvc_key *key, struct schsm_error *err)
{
    const struct schsm_ecx *curve = schsm_ecx_by_parameters(key->p, n, key->b);

    if (curve == NULL) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the curve of a CV certificate's key is not one that we know");
    }
    key->type = curve->type;
    key->n = n;
    key->point = key->g;
    key->g = key->b;
    key->b = (struct schsm_view){ NULL, 0 };
    return key->point.len == curve->public_len
               ? 1
               : schsm_fail_malformed(err, "the public key of a CV certificate");
}

/* 7F49 (section 11.2): tags 81 and 82 are p and a, or modulus and exponent */
static int parse_public_key(struct schsm_view content, struct schsm_cvc_key *key,
                            struct schsm_error *err)
{
    struct schsm_view first = { NULL, 0 }, second = { NULL, 0 };
    const struct member members[] = {
        { &key->oid, SCHSM_CVC_OID, true },      { &first, SCHSM_CVC_P, false },
        { &second, SCHSM_CVC_A, false },         { &key->b, SCHSM_CVC_B, false },
        { &key->g, SCHSM_CVC_G, false },         { &key->n, SCHSM_CVC_N, false },
        { &key->point, SCHSM_CVC_POINT, false },
    };

    if (!READ_MEMBERS(content, members)) {
        return schsm_fail_malformed(err, "the public key of a CV certificate");
    }
    if (schsm_view_equal(key->oid, (struct schsm_view){ oid_ecx, sizeof(oid_ecx) })) {
        key->p = first;
        return take_ecx_key(second, key, err);
    }
    if (key->oid.len != ID_TA_LEN || memcmp(key->oid.data, id_ta, sizeof(id_ta)) != 0) {
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the algorithm of a CV certificate's key is not one that we know");
    }
    switch (key->oid.data[sizeof(id_ta)]) {
    case ID_TA_RSA:
        key->type = SCHSM_KEY_RSA;
        key->modulus = first;
        key->exponent = second;
        if (first.len == 0 || second.len == 0 || second.len > first.len ||
            first.data[first.len - 1] % 2 == 0) {
            return schsm_fail_malformed(err, "the RSA key of a CV certificate");
        }
        return 1;
    case ID_TA_ECDSA:
        key->type = SCHSM_KEY_EC;
        key->p = first;
        key->a = second;
        if (!is_point(key->point)) {
            return schsm_fail_malformed(err, "the EC key of a CV certificate");
        }
        return 1;
    default:
        return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                          "the algorithm of a CV certificate's key is neither RSA nor EC");
    }
}

int schsm_cvc_parse(const uint8_t *data, size_t len, struct schsm_cvc *cvc, struct schsm_error *err)
{
    static const char what[] = "a CV certificate";
    struct schsm_view body = { NULL, 0 }, key = { NULL, 0 }, chat = { NULL, 0 };
    const struct member outer[] = {
        { &body, SCHSM_CVC_BODY, true },
        { &cvc->signature, SCHSM_CVC_SIGNATURE, true },
    };
    const struct member inner[] = {
        { &cvc->car, SCHSM_CVC_CAR, false },
        { &key, SCHSM_CVC_KEY, true },
        { &cvc->chr, SCHSM_CVC_CHR, true },
        { &chat, SCHSM_CVC_CHAT, false },
        { &cvc->effective, SCHSM_CVC_EFFECTIVE, false },
        { &cvc->expires, SCHSM_CVC_EXPIRES, false },
        { &cvc->extensions, SCHSM_CVC_EXTENSIONS, false },
    };
    const struct member role[] = { { &cvc->role, SCHSM_CVC_ROLE, false } };
    struct schsm_tlv certificate, signed_part;

    memset(cvc, 0, sizeof(*cvc));
    if (!schsm_tlv_first(data, len, &certificate) || certificate.tag != SCHSM_CVC_CERTIFICATE ||
        !READ_MEMBERS(certificate.value, outer) || !READ_MEMBERS(body, inner) ||
        !READ_MEMBERS(chat, role)) {
        return schsm_fail_malformed(err, what);
    }
    if (!schsm_tlv_find(certificate.value.data, certificate.value.len, SCHSM_CVC_BODY,
                        &signed_part)) {
        return schsm_fail_malformed(err, what);
    }
    cvc->whole = certificate.whole;
    cvc->body = signed_part.whole;
    return parse_public_key(key, &cvc->key, err);
}

/* What is behind the authenticated request that a Pico HSM begins file 2F02 with (19.5): its own
 * certificate follows. */
static struct schsm_view behind_request(const uint8_t *file, size_t len)
{
    struct schsm_tlv first;

    if (schsm_tlv_first(file, len, &first) && first.tag == SCHSM_CVC_REQUEST) {
        return (struct schsm_view){ file + first.whole.len, len - first.whole.len };
    }
    return (struct schsm_view){ file, len };
}

int schsm_cvc_parse_chain(const uint8_t *file, size_t len, struct schsm_cvc *device,
                          struct schsm_cvc *issuer, struct schsm_error *err)
{
    struct schsm_view chain = behind_request(file, len);

    memset(issuer, 0, sizeof(*issuer));
    if (!schsm_cvc_parse(chain.data, chain.len, device, err)) {
        return schsm_fail_context(err, "device certificate");
    }
    file = chain.data + device->whole.len;
    len = chain.len - device->whole.len;
    /* A file on a device may have bytes of a former content behind its certificates. */
    if (len >= 2 && file[0] == SCHSM_CVC_CERTIFICATE >> 8 &&
        file[1] == (SCHSM_CVC_CERTIFICATE & 0xFF) && !schsm_cvc_parse(file, len, issuer, err)) {
        return schsm_fail_context(err, "device issuer's certificate");
    }
    return 1;
}

int schsm_cvc_parse_request(const uint8_t *data, size_t len, struct schsm_cvc_request *request,
                            struct schsm_error *err)
{
    static const char what[] = "a key's authenticated request";
    struct schsm_tlv_reader reader;
    struct schsm_tlv outer, inner, car, signature;

    memset(request, 0, sizeof(*request));
    if (!schsm_tlv_first(data, len, &outer) || outer.tag != SCHSM_CVC_REQUEST) {
        return schsm_fail_malformed(err, what);
    }
    schsm_tlv_read(&reader, outer.value.data, outer.value.len);
    if (!schsm_tlv_next(&reader, &inner) || inner.tag != SCHSM_CVC_CERTIFICATE ||
        !schsm_tlv_next(&reader, &car) || car.tag != SCHSM_CVC_CAR ||
        !schsm_tlv_next(&reader, &signature) || signature.tag != SCHSM_CVC_SIGNATURE) {
        return schsm_fail_malformed(err, what);
    }
    request->whole = outer.whole;
    request->outer_signed.data = inner.whole.data;
    request->outer_signed.len = inner.whole.len + car.whole.len;
    request->outer_car = car.value;
    request->outer_signature = signature.value;
    return schsm_cvc_parse(inner.whole.data, inner.whole.len, &request->cvc, err);
}

void schsm_cvc_domain_uid(const struct schsm_cvc *cvc, struct schsm_view *uid)
{
    struct schsm_tlv_reader reader;
    struct schsm_tlv extension;

    *uid = (struct schsm_view){ NULL, 0 };
    schsm_tlv_read(&reader, cvc->extensions.data, cvc->extensions.len);
    while (schsm_tlv_next(&reader, &extension)) {
        const struct schsm_view expected = { oid_domain_uid, sizeof(oid_domain_uid) };
        struct schsm_view oid = { NULL, 0 }, value = { NULL, 0 };
        const struct member members[] = { { &oid, SCHSM_CVC_OID, true },
                                          { &value, SCHSM_CVC_DOMAIN_UID, true } };

        if (extension.tag == SCHSM_CVC_EXTENSION && READ_MEMBERS(extension.value, members) &&
            schsm_view_equal(oid, expected) && value.len <= SCHSM_DOMAIN_UID_MAX) {
            *uid = value;
            return;
        }
    }
}

bool schsm_cvc_name(struct schsm_view name, char *text, size_t size)
{
    if (name.len >= size) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] <= 0x20 || name.data[i] >= 0x7F) {
            return false;
        }
        text[i] = (char)name.data[i];
    }
    text[name.len] = '\0';
    return true;
}

int schsm_cvc_holder(const struct schsm_cvc *cvc, char *name, size_t size, struct schsm_error *err)
{
    return (cvc->chr.len > 0 && schsm_cvc_name(cvc->chr, name, size)) ||
           schsm_fail_malformed(err, "the holder's name in a CV certificate");
}

int schsm_cvc_serial(const uint8_t *file, size_t len, char *serial, size_t size,
                     struct schsm_error *err)
{
    struct schsm_view chain = behind_request(file, len);
    struct schsm_cvc cvc;
    char name[SCHSM_SERIAL_MAX + CHR_SEQUENCE_LEN + 1];
    size_t serial_len;

    if (!schsm_cvc_parse(chain.data, chain.len, &cvc, err) ||
        !schsm_cvc_holder(&cvc, name, sizeof(name), err)) {
        return schsm_fail_context(err, "device certificate");
    }
    serial_len = strlen(name) > CHR_SEQUENCE_LEN ? strlen(name) - CHR_SEQUENCE_LEN : 0;
    if (strncmp(name, PICO_TERMINAL, strlen(PICO_TERMINAL)) == 0) {
        serial_len = strlen(name);
    }
    if (serial_len == 0 || serial_len >= size) {
        return schsm_fail_malformed(err, "the serial number in the device certificate");
    }
    memcpy(serial, name, serial_len);
    serial[serial_len] = '\0';
    return 1;
}

int schsm_cvc_curve(const struct schsm_cvc_key *key, const struct schsm_curve *inherited,
                    const struct schsm_curve **curve, struct schsm_error *err)
{
    *curve = key->p.len == 0 ? inherited
                             : schsm_curve_by_parameters(key->p, key->a, key->b, key->g, key->n);
    if (*curve != NULL) {
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      key->p.len == 0
                          ? "the EC key has no domain parameters"
                          : "the EC key's domain parameters are not those of a curve that we know");
}

static bool point_is_on_curve(const struct schsm_curve *curve, struct schsm_view encoded)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curve->nid);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    bool on_curve;

    (void)ERR_set_mark();
    on_curve = point != NULL && encoded.len == 1 + 2 * curve->field_len &&
               EC_POINT_oct2point(group, point, encoded.data, encoded.len, NULL) == 1;
    (void)ERR_pop_to_mark(); /* our own error says it */
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return on_curve;
}

int schsm_cvc_likely_curve(const struct schsm_cvc_key *key, const struct schsm_curve **curve,
                           struct schsm_error *err)
{
    const struct schsm_curve *usual = schsm_curve_by_nid(NID_brainpoolP256r1);

    if (key->p.len > 0) {
        return schsm_cvc_curve(key, NULL, curve, err);
    }
    *curve = usual;
    for (size_t i = 0; *curve != NULL; i++) {
        if (point_is_on_curve(*curve, key->point)) {
            return 1;
        }
        *curve = schsm_curve_at(i);
    }
    return schsm_fail(err, SCHSM_REASON_UNSUPPORTED,
                      "the EC key has no domain parameters, and is on none of the device's curves");
}

static int encode_ec(const struct schsm_cvc_key *key, const struct schsm_curve *inherited,
                     uint8_t **spki, size_t *spki_len, struct schsm_error *err)
{
    const struct schsm_curve *curve;
    uint8_t oid[SCHSM_CURVE_OID_MAX];

    if (!schsm_cvc_curve(key, inherited, &curve, err)) {
        return 0;
    }
    if (!point_is_on_curve(curve, key->point)) {
        return schsm_fail(err, SCHSM_REASON_DEVICE_DATA,
                          "the public key is not a point on the curve %s", curve->name);
    }
    return schsm_spki_ec((struct schsm_view){ oid, schsm_curve_oid(curve, oid) }, key->point, spki,
                         spki_len, err);
}

int schsm_cvc_public_key(const struct schsm_cvc_key *key, const struct schsm_curve *inherited,
                         uint8_t **spki, size_t *spki_len, struct schsm_error *err)
{
    const struct schsm_ecx *ecx = schsm_ecx_by_type(key->type);

    if (ecx != NULL) {
        return schsm_spki_ecx(ecx, key->point, spki, spki_len, err);
    }
    if (key->type == SCHSM_KEY_EC) {
        return encode_ec(key, inherited, spki, spki_len, err);
    }
    return schsm_spki_rsa(key->modulus, key->exponent, spki, spki_len, err);
}

static int put_rsa_wanted(struct schsm_tlv_writer *writer, const struct schsm_cvc_generate *spec,
                          struct schsm_error *err)
{
    static const uint8_t f4[] = { 0x01, 0x00, 0x01 };
    static const unsigned int sizes[] = { SCHSM_RSA_SIZES };
    bool known = false;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        known = known || sizes[i] == spec->bits;
    }
    if (!known) {
        return schsm_fail(
            err, SCHSM_REASON_ARGUMENT,
            "the device makes RSA keys of 1024, 1536, 2048, 3072 or 4096 bits, not of %u",
            spec->bits);
    }
    if (spec->exponent != NULL &&
        (spec->exponent_len == 0 || spec->exponent_len > EXPONENT_BYTES_MAX ||
         spec->exponent[0] == 0 || spec->exponent[spec->exponent_len - 1] % 2 == 0 ||
         (spec->exponent_len == 1 && spec->exponent[0] == 1))) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the RSA public exponent must be odd, above 1 and at most 64 bits long");
    }
    schsm_tlv_put(writer, SCHSM_CVC_OID, oid_rsa, sizeof(oid_rsa));
    if (spec->exponent == NULL) {
        schsm_tlv_put(writer, SCHSM_CVC_EXPONENT, f4, sizeof(f4));
    } else {
        schsm_tlv_put(writer, SCHSM_CVC_EXPONENT, spec->exponent, spec->exponent_len);
    }
    schsm_tlv_put_integer(writer, spec->bits);
    return 1;
}

int schsm_cvc_put_ec_key(struct schsm_tlv_writer *writer, const struct schsm_curve *curve,
                         const uint8_t *point, struct schsm_error *err)
{
    struct schsm_curve_parameters domain;

    if (!schsm_curve_parameters(curve, &domain, err)) {
        return 0;
    }
    schsm_tlv_put(writer, SCHSM_CVC_OID, oid_ecdsa, sizeof(oid_ecdsa));
    schsm_tlv_put(writer, SCHSM_CVC_P, domain.p, domain.field_len);
    schsm_tlv_put(writer, SCHSM_CVC_A, domain.a, domain.field_len);
    schsm_tlv_put(writer, SCHSM_CVC_B, domain.b, domain.field_len);
    schsm_tlv_put(writer, SCHSM_CVC_G, domain.g, 1 + 2 * domain.field_len);
    schsm_tlv_put(writer, SCHSM_CVC_N, domain.n, domain.field_len);
    if (point != NULL) {
        schsm_tlv_put(writer, SCHSM_CVC_POINT, point, 1 + 2 * domain.field_len);
    }
    schsm_tlv_put_byte(writer, SCHSM_CVC_COFACTOR, 1);
    return 1;
}

/* Section 19.5. */
static int put_ecx_wanted(struct schsm_tlv_writer *writer, enum schsm_key_type type,
                          struct schsm_error *err)
{
    const struct schsm_ecx *curve = schsm_ecx_by_type(type);

    if (curve == NULL) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "this is no type of a key pair");
    }
    schsm_tlv_put(writer, SCHSM_CVC_OID, oid_ecdsa, sizeof(oid_ecdsa));
    schsm_tlv_put(writer, SCHSM_CVC_P, curve->p.data, curve->p.len);
    schsm_tlv_put(writer, SCHSM_CVC_ECX_BASE, curve->base.data, curve->base.len);
    return 1;
}

/* Section 15.5: the extension by which another device finds the domain. */
static int put_domain_uid(struct schsm_tlv_writer *writer, const struct schsm_cvc_generate *spec,
                          struct schsm_error *err)
{
    size_t extensions, extension;

    if (spec->domain_uid == NULL) {
        return 1;
    }
    if (spec->domain_uid_len == 0 || spec->domain_uid_len > SCHSM_DOMAIN_UID_MAX) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT, "a key domain's UID has 1 to %d bytes",
                          SCHSM_DOMAIN_UID_MAX);
    }
    extensions = schsm_tlv_begin(writer, SCHSM_CVC_EXTENSIONS);
    extension = schsm_tlv_begin(writer, SCHSM_CVC_EXTENSION);
    schsm_tlv_put(writer, SCHSM_CVC_OID, oid_domain_uid, sizeof(oid_domain_uid));
    schsm_tlv_put(writer, SCHSM_CVC_DOMAIN_UID, spec->domain_uid, spec->domain_uid_len);
    schsm_tlv_end(writer, extension);
    schsm_tlv_end(writer, extensions);
    return 1;
}

static bool name_fits(const char *name)
{
    return name == NULL || (*name != '\0' && strlen(name) <= SCHSM_CVC_NAME_MAX);
}

int schsm_cvc_build_generate(const struct schsm_cvc_generate *spec, uint8_t *out, size_t *out_len,
                             struct schsm_error *err)
{
    struct schsm_tlv_writer writer;
    size_t key;
    int ok;

    if (!name_fits(spec->car) || !name_fits(spec->chr)) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "a name in a certificate request has 1 to %d characters",
                          SCHSM_CVC_NAME_MAX);
    }
    schsm_tlv_write(&writer, out, *out_len);
    schsm_tlv_put_byte(&writer, SCHSM_CVC_PROFILE, 0);
    schsm_tlv_put_text(&writer, SCHSM_CVC_CAR, spec->car == NULL ? "UTCA00001" : spec->car);
    key = schsm_tlv_begin(&writer, SCHSM_CVC_KEY);
    switch (spec->type) {
    case SCHSM_KEY_RSA:
        ok = put_rsa_wanted(&writer, spec, err);
        break;
    case SCHSM_KEY_EC:
        ok = spec->curve != NULL
                 ? schsm_cvc_put_ec_key(&writer, spec->curve, NULL, err)
                 : schsm_fail(err, SCHSM_REASON_ARGUMENT, "an EC key needs a curve of the device");
        break;
    default:
        ok = put_ecx_wanted(&writer, spec->type, err);
    }
    if (!ok) {
        return 0;
    }
    schsm_tlv_end(&writer, key);
    schsm_tlv_put_text(&writer, SCHSM_CVC_CHR, spec->chr == NULL ? "UTCDUMMY00001" : spec->chr);
    if (!put_domain_uid(&writer, spec, err) ||
        !schsm_key_policy_put(&writer, spec->algorithms, spec->algorithms_len, spec->use_count,
                              spec->key_domain, err)) {
        return 0;
    }
    if (writer.failed) {
        return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                          "the buffer for a key's request is too small");
    }
    *out_len = writer.len;
    return 1;
}
