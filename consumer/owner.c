#include "consumer/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *owner_write(char text[OWNER_TEXT_SIZE], const struct store_identity *self)
{
    snprintf(text, OWNER_TEXT_SIZE, "payd1 %s %" PRId64 " %" PRId64 " %s", self->uuid,
             self->incarnation, self->chunks, self->opening);
    return text;
}

enum owner owner_judge(const struct store_identity *self, bool claimed, const char *text)
{
    char uuid[STORE_UUID_SIZE];
    char opening[STORE_UUID_SIZE];
    int64_t incarnation;
    int64_t chunks;

    if (!text || sscanf(text, "payd1 %36s %" SCNd64 " %" SCNd64 " %36s", uuid, &incarnation,
                        &chunks, opening) != 4) {
        return OWNER_NOBODY;
    }
    if (strcmp(uuid, self->uuid) != 0) {
        return OWNER_FOREIGN;
    }
    /* Every opening raises the incarnation before it writes, so an equal one is ours or a copy's.
     */
    bool ours = claimed && strcmp(opening, self->opening) == 0;
    if (chunks > self->chunks || incarnation > self->incarnation ||
        (incarnation == self->incarnation && !ours)) {
        return OWNER_NEWER;
    }
    return OWNER_SELF;
}
