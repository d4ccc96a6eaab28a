#include "producer/version.h"

#include "common/digest.h"
#include "common/kafka_conf.h"
#include "producer/source.h"
#include "producer/summary_json.h"

#include <stdio.h>
#include <sysexits.h>

int version_print(void)
{
    printf("pay %s\n", PAY_VERSION);
    printf("librdkafka %s\n", kafka_conf_library_version());
    printf("cJSON %s\n", summary_json_library_version());
    printf("libcsv %s\n", source_csv_library_version());
    printf("OpenSSL %s\n", digest_library_version());
    return EX_OK;
}
