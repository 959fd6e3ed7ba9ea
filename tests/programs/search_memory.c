/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search_memory SECRETS PID | PROGRAM...: looks for secrets in all that a running process may
 * write; or runs a program and looks into it, and into each process that it forks, where they
 * leave the kernel's hands for good. SECRETS is a file with a line for each one: a name, and its
 * bytes in hexadecimal digits.
 *
 * Prints where each one was found, and a line for each process and secret: how often where a core
 * dump would have it, and how often in the pages that are kept out of dumps. Ends as the program
 * does.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 65536ul
#define SECRETS_MAX 16
#define SECRET_MAX 256
#define MAPPING_MAX (1ul << 30) /* what is larger is a sanitizer's book-keeping */

struct secret {
    char name[64];
    unsigned char bytes[SECRET_MAX];
    size_t len;
    unsigned int dumped, kept_out; /* times found in the process that is looked at */
};

static struct secret secrets[SECRETS_MAX];
static size_t secret_count;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void read_secrets(const char *path)
{
    FILE *file = fopen(path, "re");
    char hex[2 * SECRET_MAX + 1];

    while (file != NULL && secret_count < SECRETS_MAX &&
           fscanf(file, "%63s %512s", secrets[secret_count].name, hex) == 2) {
        struct secret *secret = &secrets[secret_count++];

        for (secret->len = 0; secret->len < strlen(hex) / 2; secret->len++) {
            const char digits[3] = { hex[2 * secret->len], hex[2 * secret->len + 1], '\0' };

            secret->bytes[secret->len] = (unsigned char)strtoul(digits, NULL, 16);
        }
        if (secret->len < 4) {
            (void)fprintf(stderr, "search_memory: %s is too short to be told\n", secret->name);
            exit(2);
        }
    }
    if (file == NULL || secret_count == 0) {
        die("search_memory: the file of secrets");
    }
    (void)fclose(file);
}

/* mapping: the line of smaps that it begins with. */
static void search(int memory, unsigned long start, unsigned long end, const char *mapping,
                   bool kept_out)
{
    static unsigned char bytes[CHUNK + SECRET_MAX];

    for (unsigned long at = start; at < end; at += CHUNK) {
        /* Those that begin in this chunk may end in the next one. */
        size_t want = end - at < sizeof(bytes) ? end - at : sizeof(bytes);
        ssize_t got = pread(memory, bytes, want, (off_t)at);
        size_t len = got > 0 ? (size_t)got : 0; /* the kernel's own pages cannot be read */

        for (size_t i = 0; i < secret_count; i++) {
            struct secret *secret = &secrets[i];
            unsigned char *next = bytes;

            while ((next = memmem(next, len - (size_t)(next - bytes), secret->bytes,
                                  secret->len)) != NULL &&
                   next < bytes + CHUNK) {
                *(kept_out ? &secret->kept_out : &secret->dumped) += 1;
                (void)printf("%s at %lx in %s", secret->name, at + (unsigned long)(next - bytes),
                             mapping);
                next++;
            }
        }
    }
}

static void look(pid_t process)
{
    unsigned long start = 0, end = 0;
    unsigned int pages = 0;
    char path[64], line[512], mapping[512] = "", name[32] = "?";
    FILE *maps, *comm;
    int memory;

    for (size_t i = 0; i < secret_count; i++) {
        secrets[i].dumped = secrets[i].kept_out = 0;
    }
    (void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)process);
    if ((comm = fopen(path, "re")) != NULL) {
        if (fgets(name, sizeof(name), comm) != NULL) {
            name[strcspn(name, " \n")] = '\0';
        }
        (void)fclose(comm);
    }
    (void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)process);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%ld/smaps", (long)process);
    maps = fopen(path, "re");
    if (memory < 0 || maps == NULL) {
        die("search_memory: a process's memory");
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *dash = NULL, *space = NULL;
        unsigned long from = strtoul(line, &dash, 16);
        unsigned long to = *dash == '-' ? strtoul(dash + 1, &space, 16) : 0;

        if (to != 0 && *space == ' ') { /* a mapping's first line; its flags are the last one */
            start = from;
            end = to;
            memcpy(mapping, line, sizeof(mapping));
        } else if (strncmp(line, "VmFlags:", 8) == 0 && end - start <= MAPPING_MAX &&
                   strstr(mapping, " rw") != NULL) {
            bool kept_out = strstr(line, " dd") != NULL; /* do not include in a dump */

            pages += kept_out ? 1 : 0;
            search(memory, start, end, mapping, kept_out);
        }
    }
    for (size_t i = 0; i < secret_count; i++) {
        (void)printf("%s %ld: %s: %u times, and %u in %u pages that no dump has\n", name,
                     (long)process, secrets[i].name, secrets[i].dumped, secrets[i].kept_out, pages);
    }
    (void)fflush(stdout);
    (void)fclose(maps);
    (void)close(memory);
}

/* Whether it is a process's first thread, and not another one of its. */
static bool is_process(pid_t thread)
{
    char path[64], line[256];
    long group = -1;
    FILE *status;

    (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)thread);
    status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, "Tgid:", 5) == 0) {
            group = strtol(line + 5, NULL, 10);
            break;
        }
    }
    if (status != NULL) {
        (void)fclose(status);
    }
    return group == (long)thread;
}

static int run(char **arguments)
{
    const long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    int status = 0, result = 1;
    pid_t child = fork(), stopped;

    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): as ptrace takes them */
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) != 0) {
        die("search_memory: ptrace");
    }
    (void)ptrace(PTRACE_CONT, child, NULL, NULL);
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        int number;

        if (!WIFSTOPPED(status)) {
            if (stopped == child) {
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
            }
            continue;
        }
        number = WSTOPSIG(status);
        if (status >> 16 != 0) {
            if (status >> 16 == PTRACE_EVENT_EXIT && is_process(stopped)) {
                look(stopped);
            }
            number = 0;
        } else if (number == SIGSTOP) { /* how a forked process begins */
            number = 0;
        }
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): as ptrace takes them */
        (void)ptrace(PTRACE_CONT, stopped, NULL, (void *)(long)number);
    }
    return result;
}

int main(int argc, char **argv)
{
    char *rest = NULL;
    long process;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: search_memory SECRETS PID | PROGRAM...\n");
        return 2;
    }
    read_secrets(argv[1]);
    process = strtol(argv[2], &rest, 10);
    if (argc == 3 && process > 0 && *rest == '\0') {
        look((pid_t)process);
        return 0;
    }
    return run(argv + 2);
}
