/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "apdu.h"
#include "elements.h"
#include "pico.h"

static void put_lean(struct sim_buf *out, struct sim_slice value)
{
    while (value.len > 0 && value.data[0] == 0) {
        sim_slice_take(&value, 1, NULL);
    }
    sim_element_put(out, value);
}

/* Whether a is p - 3, as on the curves of NIST: their last bytes tell, and the others are equal. */
static bool is_minus_three(struct sim_slice a, struct sim_slice p)
{
    return a.len > 0 && a.len == p.len && memcmp(a.data, p.data, a.len - 1) == 0 &&
           p.data[p.len - 1] == a.data[a.len - 1] + 3;
}

/* As mbed TLS keeps the numbers of a curve (section 19.5). */
static bool put_lean_elements(struct sim_buf *out, const struct sim_curve_params *params,
                              const BIGNUM *d, const struct sim_buf *point)
{
    const struct sim_slice none = { 0 };
    put_lean(out, is_minus_three(params->a, params->p) ? none : params->a);
    put_lean(out, params->b);
    put_lean(out, params->p);
    put_lean(out, params->order);
    sim_element_put(out, params->generator);
    bool ok = sim_element_put_number(out, d, (size_t)BN_num_bytes(d));
    sim_element_put(out, sim_buf_slice(point));
    return ok;
}

bool sim_ec_put_elements(struct sim_buf *out, const struct sim_key *key, bool lean)
{
    struct sim_curve_storage storage;
    struct sim_curve_params params;
    struct sim_buf point = { 0 };
    BIGNUM *d = NULL;
    bool ok = sim_curve_load_params(key->curve, &storage, &params) &&
              EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
              sim_key_put_point(key, &point);
    if (ok && lean) {
        ok = put_lean_elements(out, &params, d, &point);
    } else if (ok) {
        sim_element_put(out, params.a);
        sim_element_put(out, params.b);
        sim_element_put(out, params.p);
        sim_element_put(out, params.order);
        sim_element_put(out, params.generator);
        ok = sim_element_put_number(out, d, key->size);
        sim_element_put(out, sim_buf_slice(&point));
    }
    BN_clear_free(d);
    sim_buf_free(&point);
    return ok && !out->failed;
}

/* A value that may lack leading zeros, as long as the field. */
static struct sim_slice padded(struct sim_slice value, uint8_t to[SIM_MAX_FIELD], size_t len)
{
    if (value.len > len) {
        return value; /* longer than any curve's */
    }
    memset(to, 0, len);
    if (value.len > 0) {
        memcpy(to + len - value.len, value.data, value.len);
    }
    return (struct sim_slice){ to, len };
}

/* p - 3, where p is a curve's: its last byte is not less than 3. */
static struct sim_slice minus_three(struct sim_slice p, uint8_t to[SIM_MAX_FIELD])
{
    memcpy(to, p.data, p.len);
    to[p.len - 1] = (uint8_t)(to[p.len - 1] - 3);
    return (struct sim_slice){ to, p.len };
}

/*
 * The curve with these parameters, which may lack leading zeros. An empty a is 0, or p - 3 as the
 * Pico HSM writes it (section 19.5): the other parameters tell which. What genuine cards make of
 * that is not known [?].
 */
static const struct sim_curve *curve_by_elements(struct sim_curve_params params)
{
    struct sim_curve_storage storage;
    const struct sim_curve *curve;
    bool no_a = params.a.len == 0;
    params.a = padded(params.a, storage.a, params.p.len);
    params.b = padded(params.b, storage.b, params.p.len);
    params.order = padded(params.order, storage.order, params.p.len);
    curve = sim_curve_by_params(&params);
    if (curve == NULL && no_a && params.p.len > 0) {
        params.a = minus_three(params.p, storage.a);
        curve = sim_curve_by_params(&params);
    }
    return curve;
}

static const struct sim_curve *take_curve(struct sim_slice *in, bool by_prime, bool *complete)
{
    struct sim_curve_params params;
    *complete = sim_element_take(in, SIM_MAX_FIELD, &params.a) &&
                sim_element_take(in, SIM_MAX_FIELD, &params.b) &&
                sim_element_take(in, SIM_MAX_FIELD, &params.p) &&
                sim_element_take(in, SIM_MAX_FIELD, &params.order) &&
                sim_element_take(in, 1 + 2 * SIM_MAX_FIELD, &params.generator);
    if (!*complete) {
        return NULL;
    }
    return by_prime ? sim_pico_curve_by_prime(params.p) : curve_by_elements(params);
}

uint16_t sim_ec_from_elements(struct sim_slice in, unsigned bits, bool lean, EVP_PKEY **pkey)
{
    bool complete;
    struct sim_slice point;
    unsigned char *own = NULL;
    BIGNUM *d = NULL;
    const struct sim_curve *curve = take_curve(&in, lean, &complete);
    uint16_t sw = SIM_SW_WRONG_DATA;
    if (curve == NULL) {
        return complete ? SIM_SW_NOT_SUPPORTED : SIM_SW_WRONG_DATA;
    }
    d = sim_element_take_number(&in, curve->field_bytes);
    /* P-521 is also called 528 bits long (section 14.2) */
    if (d == NULL || !sim_element_take(&in, 1 + 2 * curve->field_bytes, &point) ||
        (bits != curve->bits && bits != 8 * curve->field_bytes)) {
        goto out;
    }
    *pkey = sim_curve_key(curve, d);
    if (*pkey == NULL) {
        goto out;
    }
    size_t own_len = EVP_PKEY_get1_encoded_public_key(*pkey, &own);
    if (sim_slice_equal((struct sim_slice){ own, own_len }, point)) {
        sw = SIM_SW_OK;
    } else {
        EVP_PKEY_free(*pkey);
        *pkey = NULL;
    }
out:
    OPENSSL_free(own);
    BN_clear_free(d);
    return sw;
}
