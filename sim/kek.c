/* SPDX-License-Identifier: Apache-2.0 */
#include "kek.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

bool sim_kek_is_ready(const struct sim_domain *domain)
{
    if (!domain->created) {
        return false;
    }
    return domain->is_xkek ? domain->is_agreed : domain->outstanding == 0;
}

bool sim_kek_check_value(const struct sim_domain *domain, uint8_t kcv[SIM_KCV_LEN])
{
    uint8_t digest[32];
    bool ok =
        EVP_Q_digest(NULL, "SHA256", NULL, domain->kek, sizeof(domain->kek), digest, NULL) == 1;
    if (ok) {
        memcpy(kcv, digest, SIM_KCV_LEN);
    }
    return ok;
}

bool sim_kek_derive(const struct sim_domain *domain, enum sim_kek_use use, uint8_t key[SIM_KEK_LEN])
{
    uint8_t input[SIM_KEK_LEN + 4] = { 0 };
    memcpy(input, domain->kek, SIM_KEK_LEN);
    input[sizeof(input) - 1] = (uint8_t)use;
    bool ok = EVP_Q_digest(NULL, "SHA256", NULL, input, sizeof(input), key, NULL) == 1;
    OPENSSL_cleanse(input, sizeof(input));
    return ok;
}
