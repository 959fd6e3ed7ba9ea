/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#define PART_MAX 1024 /* bytes of one TYPE=VALUE */

/* Takes one TYPE=VALUE up to the next separator, which *end becomes; its value without the
 * backslashes. False where it is too long or has no value. */
static bool take_part(const char *text, char part[PART_MAX], const char **value, const char **end)
{
    size_t len = 0;

    *value = NULL;
    while (*text != '\0' && *text != '/' && *text != '+') {
        if (*text == '\\' && text[1] != '\0') {
            text++;
        } else if (*text == '=' && *value == NULL) {
            part[len++] = '\0';
            *value = part + len;
            text++;
            continue;
        }
        if (len + 2 > PART_MAX) {
            return false;
        }
        part[len++] = *text++;
    }
    part[len] = '\0';
    *end = text;
    return *value != NULL && len + 2 <= PART_MAX;
}

static X509_NAME *fail_subject(X509_NAME *name, const char *text, struct schsm_error *err)
{
    X509_NAME_free(name);
    ERR_clear_error();
    schsm_fail(err, SCHSM_REASON_ARGUMENT,
               "--subject: '%.80s' is no name such as /C=DE/O=Example/CN=www.example.org", text);
    return NULL;
}

X509_NAME *schsm_subject_parse(const char *text, struct schsm_error *err)
{
    X509_NAME *name = X509_NAME_new();
    const char *at = text, *value = NULL;
    char part[PART_MAX + 2];
    int set = 0;

    if (name == NULL) {
        schsm_fail_memory(err);
        return NULL;
    }
    if (*at != '/') {
        return fail_subject(name, text, err);
    }
    while (*at != '\0' && at[1] != '\0') {
        set = *at == '+' ? -1 : 0; /* -1: of one part with the one before */
        if (!take_part(at + 1, part, &value, &at) || value[0] == '\0' ||
            !X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                        -1, set)) {
            return fail_subject(name, text, err);
        }
    }
    return *at == '\0' || X509_NAME_entry_count(name) == 0 ? name : fail_subject(name, text, err);
}

/* --- alternative names --------------------------------------------------------------------- */

/* RFC 5280, 4.2.1.6: all but addresses are IA5; what is none of these steers a reader astray. */
static bool is_plain(const char *value)
{
    const char *at = value;

    while (*at > ' ' && *at < 0x7F) {
        at++;
    }
    return *value != '\0' && *at == '\0';
}

static bool fits_dns(const char *value)
{
    return is_plain(value) && strpbrk(value, ":/@,") == NULL;
}

static bool fits_email(const char *value)
{
    return is_plain(value) && value[0] != '@' && strchr(value, '@') != NULL;
}

static bool fits_uri(const char *value)
{
    return is_plain(value) && value[0] != ':' && strchr(value, ':') != NULL;
}

static const struct kind {
    const char *prefix;
    int type;
    bool (*fits)(const char *value); /* NULL: an address */
} kinds[] = {
    { "DNS:", GEN_DNS, fits_dns },
    { "IP:", GEN_IPADD, NULL },
    { "email:", GEN_EMAIL, fits_email },
    { "URI:", GEN_URI, fits_uri },
};

static ASN1_STRING *encode_value(const struct kind *kind, const char *value)
{
    ASN1_STRING *string;

    if (kind->fits == NULL) {
        return a2i_IPADDRESS(value);
    }
    string = kind->fits(value) ? ASN1_IA5STRING_new() : NULL;
    if (string != NULL && !ASN1_STRING_set(string, value, -1)) {
        ASN1_STRING_free(string);
        string = NULL;
    }
    return string;
}

static bool add_name(GENERAL_NAMES *names, const char *text)
{
    const struct kind *kind = NULL;
    GENERAL_NAME *name = NULL;
    ASN1_STRING *value = NULL;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
            kind = &kinds[i];
        }
    }
    value = kind != NULL ? encode_value(kind, text + strlen(kind->prefix)) : NULL;
    name = value != NULL ? GENERAL_NAME_new() : NULL;
    if (name == NULL) {
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, kind->type, value);
    if (!sk_GENERAL_NAME_push(names, name)) {
        GENERAL_NAME_free(name);
        return false;
    }
    return true;
}

int schsm_subject_names(const struct schsm_tool *tool, GENERAL_NAMES **names,
                        struct schsm_error *err)
{
    const char *texts[SCHSM_TOOL_SETTINGS_MAX];
    size_t count = schsm_tool_settings(tool, "san", texts, SCHSM_TOOL_SETTINGS_MAX);

    *names = count > 0 ? sk_GENERAL_NAME_new_null() : NULL;
    if (count > 0 && *names == NULL) {
        return schsm_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_name(*names, texts[i])) {
            ERR_clear_error();
            return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                              "--san: '%.80s' is none of DNS:NAME, IP:ADDRESS, email:ADDRESS, "
                              "URI:URI",
                              texts[i]);
        }
    }
    return 1;
}
