/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pkcs11: URI of RFC 7512, translated into ours. It reaches devices without a PKCS#11 module:
 *
 *     object            label
 *     id                id, as bytes: what is not percent-encoded is a byte as well
 *     type              type: private, public, cert, data, secret-key
 *     serial            serial: OpenSC's module gives a token the device's serial number
 *     token             the device's label as OpenSC's module shows it, with " (UserPIN)" or
 *                       without; or the label of a token of the module that is configured
 *     slot-description  reader: OpenSC's module gives a slot the reader's name
 *     manufacturer      what OpenSC's module says of our devices; another one is taken
 *     model             beside serial or token, which tell more, and refused by itself
 *     library-*         ignored: they say which module reaches the token, and here
 *     module-name       none does
 *     module-path
 *     pin-source        a path, or a file: URI; or another source that we know
 *     pin-value         the PIN
 *
 * All else is refused, slot-id too: it counts the slots of one module.
 */
#ifndef SCHSM_KEYMGMT_PKCS11_URI_H
#define SCHSM_KEYMGMT_PKCS11_URI_H

#include "base/error.h"
#include "uri.h"

#define SCHSM_PKCS11_URI_SCHEME "pkcs11"

/* As schsm_uri_parse. */
int schsm_pkcs11_uri_parse(struct schsm_uri *uri, const char *text, struct schsm_error *err);

/* Either scheme. The store alone takes both: a reference and the tool have URIs of ours. */
int schsm_uri_parse_any(struct schsm_uri *uri, const char *text, struct schsm_error *err);

#endif
