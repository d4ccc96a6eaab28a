#include "tests/checker/collect.h"

#include "tests/checker/kafka.h"
#include "tests/checker/lines.h"
#include "tests/checker/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* A file that gets its name when it is whole. */
struct output {
    char path[PATH_MAX];
    char unfinished[PATH_MAX + 8];
    FILE *file;
    int64_t *records; /* by partition */
};

static int output_open(struct output *output, const char *dir, const char *name,
                       struct fault *fault)
{
    snprintf(output->path, sizeof(output->path), "%s/%s", dir, name);
    snprintf(output->unfinished, sizeof(output->unfinished), "%s.part", output->path);
    unlink(output->path); /* an older one must not be taken for the new one */
    output->file = fopen(output->unfinished, "w");
    return output->file ? 0
                        : fault_set(fault, EX_IOERR, "%s: %s", output->unfinished, strerror(errno));
}

/* Closes it; with result 0 it becomes the file. */
static int output_end(struct output *output, int result, struct fault *fault)
{
    bool is_written = !ferror(output->file);

    is_written = fclose(output->file) == 0 && is_written;
    if (result == 0 && (!is_written || rename(output->unfinished, output->path) != 0)) {
        result = fault_set(fault, EX_IOERR, "%s: %s", output->path, strerror(errno));
    }
    if (result != 0) {
        unlink(output->unfinished);
    }
    return result;
}

static void write_message(void *user, const struct kafka_message *message)
{
    struct output *output = user;

    fprintf(output->file,
            "{\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"timestamp_ms\":%" PRId64 ",",
            message->partition, message->offset, message->timestamp_ms);
    line_put_bytes(output->file, "key", message->key, message->key_len);
    fputc(',', output->file);
    line_put_bytes(output->file, "value", message->value, message->value_len);
    fputs("}\n", output->file);
    output->records[message->partition]++;
}

static int collect_topic(struct kafka *kafka, const char *topic, int partitions, const char *dir,
                         const char *name, struct fault *fault)
{
    struct kafka_ends *ends = memory_new((size_t)partitions, sizeof(*ends));
    struct output output = {.records = memory_new((size_t)partitions, sizeof(*output.records))};
    int result = output_open(&output, dir, name, fault);

    if (result == 0) {
        result = kafka_find_ends(kafka, topic, partitions, ends, fault);
        if (result == 0) {
            result = kafka_read(kafka, topic, partitions, ends, write_message, &output, fault);
        }
        for (int i = 0; i < partitions; i++) {
            fprintf(output.file,
                    "{\"partition\":%d,\"low\":%" PRId64 ",\"high\":%" PRId64
                    ",\"records\":%" PRId64 "}\n",
                    i, ends[i].low, ends[i].high, output.records[i]);
        }
        result = output_end(&output, result, fault);
    }
    free(output.records);
    free(ends);
    return result;
}

static void write_committed(void *user, int32_t partition, int64_t offset, const char *metadata,
                            size_t metadata_len)
{
    FILE *file = user;

    fprintf(file, "{\"partition\":%" PRId32 ",", partition);
    if (offset < 0) {
        fputs("\"offset\":null,", file);
    } else {
        fprintf(file, "\"offset\":%" PRId64 ",", offset);
    }
    line_put_bytes(file, "metadata", metadata, metadata_len);
    fputs("}\n", file);
}

static int collect_committed(struct kafka *kafka, const char *topic, int partitions,
                             const char *dir, struct fault *fault)
{
    struct output output;
    int result = output_open(&output, dir, "committed.jsonl", fault);

    if (result == 0) {
        result =
            kafka_read_committed(kafka, topic, partitions, write_committed, output.file, fault);
        result = output_end(&output, result, fault);
    }
    return result;
}

static int collect_outcomes(struct kafka *kafka, const struct collect_options *options,
                            struct fault *fault)
{
    char name[512];
    char path[PATH_MAX];
    int partitions;

    snprintf(name, sizeof(name), "%s.outcomes", options->topic);
    const char *topic = options->outcomes ? options->outcomes : name;
    if (kafka_partitions(kafka, topic, &partitions, fault) != 0) {
        return -1;
    }
    if (partitions == 0) {
        snprintf(path, sizeof(path), "%s/outcomes.jsonl", options->into);
        unlink(path);
        return 0;
    }
    return collect_topic(kafka, topic, partitions, options->into, "outcomes.jsonl", fault);
}

static int collect_all(struct kafka *kafka, const struct collect_options *options,
                       struct fault *fault)
{
    int partitions;

    if (kafka_partitions(kafka, options->topic, &partitions, fault) != 0) {
        return -1;
    }
    if (partitions == 0) {
        return fault_set(fault, EX_UNAVAILABLE, "there is no topic \"%s\"", options->topic);
    }
    /* Committed offsets first: read last, they could pass the ends of a topic that still grows. */
    if (collect_committed(kafka, options->topic, partitions, options->into, fault) != 0 ||
        collect_topic(kafka, options->topic, partitions, options->into, "topic.jsonl", fault) !=
            0) {
        return -1;
    }
    return collect_outcomes(kafka, options, fault);
}

int collect(const struct collect_options *options, struct fault *fault)
{
    struct kafka *kafka = NULL;

    if (mkdir(options->into, 0777) != 0 && errno != EEXIST) {
        return fault_set(fault, EX_IOERR, "%s: %s", options->into, strerror(errno));
    }
    int result = kafka_open(&kafka, options->brokers, options->group, options->timeout_ms, fault);
    if (result == 0) {
        result = collect_all(kafka, options, fault);
    }
    kafka_close(kafka);
    return result;
}
