/* SPDX-License-Identifier: Apache-2.0 */
/* The library that this machine's programs use, and ourselves. */
#include "tool/doctor.h"

#include <openssl/crypto.h>

void schsm_doctor_versions(struct schsm_doctor *doctor)
{
    if (OPENSSL_version_major() < 3) {
        schsm_doctor_find(doctor, SCHSM_FINDING_ERROR, "openssl",
                          "%s is here, and providers need 3.0 or later",
                          OpenSSL_version(OPENSSL_VERSION));
        schsm_doctor_cure(doctor, "install OpenSSL 3.0 or later");
        return;
    }
    schsm_doctor_find(doctor, SCHSM_FINDING_OK, "openssl", "OpenSSL %s, sc-hsm " SC_HSM_VERSION,
                      OpenSSL_version(OPENSSL_VERSION_STRING));
}
