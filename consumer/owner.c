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

bool owner_read(const char *text, struct store_identity *ret)
{
    *ret = (struct store_identity){.incarnation = 0};
    return text && sscanf(text, "payd1 %36s %" SCNd64 " %" SCNd64 " %36s", ret->uuid,
                          &ret->incarnation, &ret->chunks, ret->opening) == 4;
}

enum owner owner_judge(const struct store_identity *self, bool claimed, const char *text)
{
    struct store_identity found;

    if (!owner_read(text, &found)) {
        return OWNER_NOBODY;
    }
    if (strcmp(found.uuid, self->uuid) != 0) {
        return OWNER_FOREIGN;
    }
    /* Every opening raises the incarnation before it writes, so an equal one is ours or a copy's.
     */
    bool ours = claimed && strcmp(found.opening, self->opening) == 0;
    if (found.chunks > self->chunks || found.incarnation > self->incarnation ||
        (found.incarnation == self->incarnation && !ours)) {
        return OWNER_NEWER;
    }
    return OWNER_SELF;
}
