/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and forks. */
#include "device_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * AddressSanitizer's allocator does not survive a fork while another thread allocates: its lock
 * stays held in the child. There a fork waits until all threads are between two signatures;
 * elsewhere it comes in the middle of them.
 */
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
static const bool fork_waits = true;
#else
static const bool fork_waits = false;
#endif
static pthread_rwlock_t signing = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void signing_ends(void)
{
    EXPECT(!fork_waits || pthread_rwlock_unlock(&signing) == 0);
}

static atomic_int failures;
static EVP_PKEY *thread_key;
static int thread_ref, thread_count;

static void *thread_signs(void *arg)
{
    struct schsm_error error = SCHSM_ERROR_INIT;

    (void)arg;
    for (int i = 0; i < thread_count; i++) {
        EXPECT(!fork_waits || pthread_rwlock_rdlock(&signing) == 0);
        if (!sign_once(thread_key, thread_ref, &error)) {
            (void)fprintf(stderr, "%s\n", error.text);
            atomic_fetch_add(&failures, 1);
        }
        signing_ends();
    }
    return NULL;
}

/* threads KEY_REF THREADS SIGNATURES */
void scenario_threads(char **args)
{
    pthread_t threads[64];
    int count = number(args[1]);

    open_device();
    thread_ref = number(args[0]);
    thread_count = number(args[2]);
    thread_key = public_key(thread_ref);
    for (int i = 0; i < count; i++) {
        EXPECT(pthread_create(&threads[i], NULL, thread_signs, NULL) == 0);
    }
    for (int i = 0; i < count; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(failures == 0);
    EVP_PKEY_free(thread_key);
    close_device();
}

/* fork KEY_REF ROUNDS: forks while other threads sign; parent and children go on signing */
void scenario_fork(char **args)
{
    int rounds = number(args[1]), status;
    pthread_t threads[3];
    EVP_PKEY *key;

    open_device();
    thread_ref = number(args[0]);
    thread_count = rounds * 10;
    thread_key = key = public_key(thread_ref);
    EXPECT_OK(sign_once(key, thread_ref, err));
    for (int i = 0; i < 3; i++) {
        EXPECT(pthread_create(&threads[i], NULL, thread_signs, NULL) == 0);
    }
    for (int round = 0; round < rounds; round++) {
        pid_t child;

        EXPECT(!fork_waits || pthread_rwlock_wrlock(&signing) == 0);
        child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* where it would wait for ever */
            EXPECT_OK(sign_once(key, thread_ref, err));
            EXPECT_OK(sign_once(key, thread_ref, err));
            close_device();
            _exit(0);
        }
        signing_ends();
        EXPECT(child > 0 && waitpid(child, &status, 0) == child);
        if (status != 0) {
            die("round %d: child ended with %x", round, (unsigned int)status);
        }
    }
    for (int i = 0; i < 3; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    EXPECT(failures == 0);
    EXPECT_OK(sign_once(key, thread_ref, err));
    EVP_PKEY_free(key);
    close_device();
}
