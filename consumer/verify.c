#include "consumer/verify.h"

#include "common/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void on_finding(void *user, enum store_check check, const char *text)
{
    struct verify_report *report = user;
    char *copy = report->shown_count < VERIFY_SHOWN_MAX ? strdup(text) : NULL;

    if (copy) {
        report->shown[report->shown_count++] = (struct verify_finding){check, copy};
    }
}

void verify_print(FILE *out, const struct verify_report *report)
{
    const struct store_proof *proof = &report->proof;
    int64_t found = store_proof_found(proof);
    char digest[2 * KEY_HASH_SIZE + 1];

    for (size_t i = 0; i < report->shown_count; i++) {
        fprintf(out, "%s: %s\n", store_check_name(report->shown[i].check), report->shown[i].text);
    }
    if (found > (int64_t)report->shown_count) {
        fprintf(out, "and %" PRId64 " more\n", found - (int64_t)report->shown_count);
    }
    fprintf(out, "%scheck              looked at           wrong\n", found > 0 ? "\n" : "");
    for (int i = 0; i < STORE_CHECK_COUNT; i++) {
        fprintf(out, "%-12s %15" PRId64 " %15" PRId64 "\n", store_check_name((enum store_check)i),
                proof->looked_at[i], proof->found[i]);
    }
    fprintf(out, "\n%-12s %s\n", "digest", digest_hex(digest, proof->digest, KEY_HASH_SIZE));
    fprintf(out, "%-12s %s\n", "the ledger", found == 0 ? "is whole" : "is NOT whole");
}

static int print(const struct verify_report *report, bool json, struct error *err)
{
    if (!json) {
        verify_print(stdout, report);
    } else if (verify_print_json(stdout, report) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return store_proof_found(&report->proof) == 0 ? EX_OK : VERIFY_WRONG;
}

int verify(const struct options *options, struct error *err)
{
    struct verify_report report = {.shown_count = 0};
    int result = store_sqlite_verify(options->db, on_finding, &report, &report.proof, err);
    int code = result == 0 ? print(&report, options->json, err) : err->code;

    for (size_t i = 0; i < report.shown_count; i++) {
        free(report.shown[i].text);
    }
    return code;
}
