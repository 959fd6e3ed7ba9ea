/* SPDX-License-Identifier: Apache-2.0 */
/*
 * at_exit TEXT PROGRAM...: runs the program, stops it where it leaves the kernel's hands for good,
 * and looks for the text in the pages that are kept out of core dumps, where secrets are. Prints
 * how many such pages there were, and how often the text stands in them. Ends as the program does.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define REGION_MAX 65536ul

static size_t count_text(const char *bytes, size_t len, const char *text)
{
    size_t count = 0, text_len = strlen(text);

    for (size_t at = 0; at + text_len <= len; at++) {
        count += memcmp(bytes + at, text, text_len) == 0;
    }
    return count;
}

/* Whether a line of smaps tells the flag dd: do not include in a dump. */
static int is_secret(const char *line)
{
    return strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") != NULL;
}

static void look(pid_t child, const char *text)
{
    static char bytes[REGION_MAX];
    unsigned long start = 0, end = 0;
    size_t pages = 0, found = 0;
    char path[64], line[512];
    FILE *maps;
    int memory;

    (void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)child);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%ld/smaps", (long)child);
    maps = fopen(path, "re");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        char *dash = NULL, *space = NULL;
        unsigned long from = strtoul(line, &dash, 16);
        unsigned long to = *dash == '-' ? strtoul(dash + 1, &space, 16) : 0;

        if (to != 0 && *space == ' ') {
            start = from;
            end = to;
        } else if (is_secret(line) && end - start <= REGION_MAX) {
            ssize_t got = pread(memory, bytes, end - start, (off_t)start);

            if (got > 0) { /* the kernel's own cannot be read */
                pages++;
                found += count_text(bytes, (size_t)got, text);
            }
        }
    }
    printf("secret pages: %zu, the text: %zu times\n", pages, found);
    if (maps != NULL) {
        (void)fclose(maps);
    }
    (void)close(memory);
}

int main(int argc, char **argv)
{
    int status = 0;
    pid_t child;

    if (argc < 3) {
        fprintf(stderr, "usage: at_exit TEXT PROGRAM...\n");
        return 2;
    }
    child = fork();
    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): as ptrace takes them */
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACEEXIT) != 0) {
        perror("ptrace");
        return 2;
    }
    (void)ptrace(PTRACE_CONT, child, NULL, NULL);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int number = WSTOPSIG(status);

        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            look(child, argv[1]);
            number = 0;
        }
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): as ptrace takes them */
        (void)ptrace(PTRACE_CONT, child, NULL, (void *)(long)number);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
