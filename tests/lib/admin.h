/*
 * What an administrator may do to a topic and a group on Kafka while payd is stopped or runs. Each
 * call waits until it is done, and asserts that it was.
 */
#ifndef TESTS_LIB_ADMIN_H
#define TESTS_LIB_ADMIN_H

#include "tests/lib/scene.h"

#include <stdint.h>

/* Where the scene's partition begins, and where it ends: the offset that comes next. */
int64_t admin_low(const struct scene *scene, int partition);
int64_t admin_high(const struct scene *scene, int partition);

/* Remove the records of a partition of the scene's topic below an offset, as retention would. */
void admin_delete_records(const struct scene *scene, int partition, int64_t before);

/* Make a topic have so many partitions in all. */
void admin_grow_topic(const struct scene *scene, const char *topic, int partitions);

/* Wait until the group has no members: one that has ended may still be counted for a while. */
void admin_wait_empty(const struct scene *scene, const char *group);

/* Delete the group, once it is empty. */
void admin_delete_group(const struct scene *scene, const char *group);

/* Delete its offsets in so many partitions of the scene's topic, once it is empty. */
void admin_delete_offsets(const struct scene *scene, const char *group, int partitions);

/* Commit an offset in the name of the group, once it is empty. */
void admin_set_offset(const struct scene *scene, const char *group, int partition, int64_t offset);

#endif
