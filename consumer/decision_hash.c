#include "consumer/decision_hash.h"

#include "consumer/key_form.h"

#include <string.h>

/* What comes before the key, which has no fixed length. */
#define OUTCOME_AT 0
#define REASON_AT  1
#define DIGEST_AT  2
#define FORM_AT    (DIGEST_AT + DIGEST_SHORT_SIZE)

struct key_hash decision_hash(const unsigned char *form, size_t form_len,
                              const unsigned char digest[DIGEST_SHORT_SIZE], enum outcome outcome,
                              enum reason reason)
{
    unsigned char bytes[FORM_AT + KEY_FORM_SIZE];
    size_t len = form_len < KEY_FORM_SIZE ? form_len : KEY_FORM_SIZE;

    bytes[OUTCOME_AT] = (unsigned char)outcome;
    bytes[REASON_AT] = (unsigned char)reason;
    memcpy(bytes + DIGEST_AT, digest, DIGEST_SHORT_SIZE);
    memcpy(bytes + FORM_AT, form, len);
    return key_hash(bytes, FORM_AT + len);
}
