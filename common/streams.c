#include "common/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int wrong_way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong_way) != fd) {
            return false;
        }
    }
    return true;
}

bool streams_flush(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}
