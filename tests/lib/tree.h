/*
 * Trees of files, as tests leave them.
 */
#ifndef TESTS_LIB_TREE_H
#define TESTS_LIB_TREE_H

/* Remove a folder with all that is in it. Returns 0, or -1 with errno when something stays. */
int tree_remove(const char *path);

#endif
