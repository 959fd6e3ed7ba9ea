/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "card/command_log.h"

static char directory[] = "/tmp/schsm-log-XXXXXX";
static char path[256];
static char text[1 << 20];

/* An empty log file for each test. */
static int setup(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/log", directory);
    assert_int_equal(schsm_log_set(SCHSM_LOG_APDU, path, NULL), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return truncate(path, 0) != 0;
}

static const char *logged(void)
{
    FILE *file = fopen(path, "r");
    size_t len;

    if (file == NULL) {
        return "";
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return text;
}

static void log_exchange(const char *command_hex, const char *response_hex)
{
    struct bytes command = from_hex(command_hex);
    struct bytes response = from_hex(response_hex);

    schsm_log_command(command.data, command.len);
    schsm_log_response(command.data, command.len, response.data, response.len);
    free_bytes(&command);
    free_bytes(&response);
}

/* Must run before the others: nothing has set the level yet. */
static void the_environment_alone_sets_the_level(void **state)
{
    (void)state;
    assert_int_equal(setenv("SC_HSM_LOG", "info", 1), 0);
    assert_true(schsm_log_wants(SCHSM_LOG_INFO));
    assert_false(schsm_log_wants(SCHSM_LOG_DEBUG));
    assert_int_equal(unsetenv("SC_HSM_LOG"), 0);
    assert_true(schsm_log_wants(SCHSM_LOG_INFO)); /* read once */
}

static void levels_have_names(void **state)
{
    enum schsm_log_level level = SCHSM_LOG_OFF;

    (void)state;
    assert_true(schsm_log_level_parse("apdu", &level));
    assert_int_equal(level, SCHSM_LOG_APDU);
    assert_true(schsm_log_level_parse("off", &level));
    assert_int_equal(level, SCHSM_LOG_OFF);
    assert_false(schsm_log_level_parse("", &level));
    assert_false(schsm_log_level_parse("all", &level));
    assert_false(schsm_log_level_parse(NULL, &level));
}

static void a_line_has_time_process_level_and_text(void **state)
{
    char expected[64];

    (void)state;
    schsm_log(SCHSM_LOG_INFO, "key %d\nis\033here", 5);
    (void)snprintf(expected, sizeof(expected), "Z %ld info key 5?is?here\n", (long)getpid());
    assert_non_null(strstr(logged(), expected));
    assert_int_equal(strlen(text), strlen("2026-11-21T00:00:00.000") + strlen(expected));
}

static void only_wanted_levels_are_written(void **state)
{
    (void)state;
    assert_int_equal(schsm_log_set(SCHSM_LOG_INFO, path, NULL), 1);
    assert_true(schsm_log_wants(SCHSM_LOG_ERROR));
    assert_true(schsm_log_wants(SCHSM_LOG_INFO));
    assert_false(schsm_log_wants(SCHSM_LOG_DEBUG));
    assert_false(schsm_log_wants(SCHSM_LOG_OFF));
    schsm_log(SCHSM_LOG_DEBUG, "no");
    log_exchange("00200081", "9000");
    assert_string_equal(logged(), "");
    assert_int_equal(schsm_log_set(SCHSM_LOG_OFF, path, NULL), 1);
    schsm_log(SCHSM_LOG_ERROR, "no");
    assert_string_equal(logged(), "");
}

static void the_environment_wins(void **state)
{
    (void)state;
    assert_int_equal(setenv("SC_HSM_LOG", "error", 1), 0);
    assert_int_equal(schsm_log_set(SCHSM_LOG_APDU, path, NULL), 1);
    assert_false(schsm_log_wants(SCHSM_LOG_INFO));
    assert_true(schsm_log_wants(SCHSM_LOG_ERROR));
    assert_int_equal(setenv("SC_HSM_LOG", "nonsense", 1), 0);
    assert_int_equal(schsm_log_set(SCHSM_LOG_DEBUG, path, NULL), 1);
    assert_true(schsm_log_wants(SCHSM_LOG_DEBUG));
    assert_int_equal(unsetenv("SC_HSM_LOG"), 0);
}

static void the_file_is_private_and_appended_to(void **state)
{
    struct stat status;

    (void)state;
    schsm_log(SCHSM_LOG_INFO, "first");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(schsm_log_set(SCHSM_LOG_INFO, path, NULL), 1);
    schsm_log(SCHSM_LOG_INFO, "second");
    assert_non_null(strstr(logged(), "first\n"));
    assert_non_null(strstr(text, "second\n"));
}

static void a_pin_never_appears(void **state)
{
    /* PIN 648219, new PIN 123456, SO-PIN 3537363231383830, in each command that carries them */
    static const char *const commands[] = {
        "0020008106363438323139",
        "00200081000006363438323139",
        "00200081063634383231",       /* cut off */
        "0020008106363438323139FFFF", /* bytes too many */
        "10200081 06 363438323139",   /* chained */
        "0C200081 06 363438323139 00",
        "002400810C363438323139313233343536",
        "002C00810E3537363231383830313233343536",
        "805000001C800200018106363438323139820835373632313838309101039201 01",
        "805A018106363438323139",
        "20008106363438323139",
        "00D72F10 06 363438323139",
        "00D7CD01 06 363438323139",
        "00FF0000 06 363438323139",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        log_exchange(commands[i], "9000");
    }
    (void)logged();
    assert_non_null(strstr(text, "00200081 (data not shown)"));
    assert_null(strstr(text, "3634383"));
    assert_null(strstr(text, "648219"));
    assert_null(strstr(text, "3132333"));
    assert_null(strstr(text, "3537363"));
}

static void key_material_never_appears(void **state)
{
    (void)state;
    log_exchange("80620280 02 0401 00", "CAFECAFE9000");       /* ECDH */
    log_exchange("80620121 000002 0102 0200", "CAFECAFE9000"); /* decryption */
    log_exchange("00840000 08", "CAFECAFE9000");               /* random */
    log_exchange("80720192 000000", "CAFECAFE9000");           /* wrapped key */
    log_exchange("80740193 04 CAFECAFE", "9000");
    log_exchange("80520000 04 CAFECAFE", "9000");
    log_exchange("80780110 04 CAFECAFE 00", "CAFECAFE9000");
    log_exchange("00C00000 00", "CAFECAFE9000");
    log_exchange("00B1CD01 04 54020000 00", "CAFECAFE9000");
    log_exchange("", "CAFECAFE9000");
    assert_null(strstr(logged(), "CAFE"));
    assert_non_null(strstr(text, "< 9000 (4 bytes not shown)"));
    assert_non_null(strstr(text, "> 80740193 (4 bytes not shown)"));
    assert_non_null(strstr(text, "> 80620280020401")); /* the peer's point is public */
}

static void what_is_public_is_shown(void **state)
{
    (void)state;
    log_exchange("00200081", "63C2");
    log_exchange("80680270 04 CAFECAFE 00", "3006020101020101 9000");
    log_exchange("00B1CE01 04 54020000 00", "6702CAFE 6282");
    assert_non_null(strstr(logged(), "> 00200081\n"));
    assert_non_null(strstr(text, "< 63C2\n"));
    assert_non_null(strstr(text, "> 8068027004CAFECAFE00\n"));
    assert_non_null(strstr(text, "< 30060201010201019000\n"));
    assert_non_null(strstr(text, "< 6702CAFE6282\n"));
}

static void the_longest_command_is_cut(void **state)
{
    static uint8_t command[65544] = { 0x00, 0x68, 1, 0x20 };

    (void)state;
    schsm_log_command(command, sizeof(command));
    assert_non_null(strstr(logged(), "0000...\n"));
    assert_true(strlen(text) <= 16384);
}

static void *write_lines(void *number)
{
    for (int i = 0; i < 500; i++) {
        schsm_log(SCHSM_LOG_INFO, "thread %d line %d", *(int *)number, i);
    }
    return NULL;
}

static void lines_of_threads_and_processes_do_not_mix(void **state)
{
    pthread_t threads[4];
    int numbers[4], lines = 0;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    for (int i = 0; i < 4; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    if (child == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)logged();
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *thread = strstr(line, " thread ");

        *end = '\0';
        assert_non_null(thread);
        assert_null(strstr(thread + 1, " thread "));
        assert_non_null(strstr(thread, " line "));
        lines++;
    }
    assert_int_equal(lines, 4000);
}

static void a_descriptor_that_the_program_reused_is_left_alone(void **state)
{
    struct stat status;
    int other[8];
    char name[300];

    (void)state;
    schsm_log(SCHSM_LOG_INFO, "before");
    for (int fd = 3; fd < 11; fd++) {
        (void)close(fd); /* as a daemon does */
    }
    (void)snprintf(name, sizeof(name), "%s/other", directory);
    for (size_t i = 0; i < COUNT(other); i++) {
        other[i] = open(name, O_RDWR | O_CREAT, 0600);
        assert_true(other[i] >= 0);
    }
    schsm_log(SCHSM_LOG_INFO, "after");
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_non_null(strstr(logged(), "before\n"));
    assert_non_null(strstr(text, "after\n"));
    for (size_t i = 0; i < COUNT(other); i++) {
        (void)close(other[i]);
    }
    (void)unlink(name);
}

static void standard_error_that_was_replaced_gets_nothing(void **state)
{
    struct stat status;
    int before = dup(STDERR_FILENO), other = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    (void)state;
    assert_true(before > STDERR_FILENO && other > STDERR_FILENO);
    assert_int_equal(schsm_log_set(SCHSM_LOG_INFO, NULL, NULL), 1);
    assert_int_equal(dup2(other, STDERR_FILENO), STDERR_FILENO);
    schsm_log(SCHSM_LOG_INFO, "not here");
    (void)close(STDERR_FILENO);
    schsm_log(SCHSM_LOG_INFO, "nor here");
    assert_int_equal(fstat(other, &status), 0);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    (void)close(before);
    (void)close(other);
    assert_int_equal(status.st_size, 0);
}

static void a_file_that_cannot_be_written_stops_nothing(void **state)
{
    (void)state;
    assert_int_equal(schsm_log_set(SCHSM_LOG_INFO, "/nonexistent/directory/log", NULL), 1);
    schsm_log(SCHSM_LOG_INFO, "lost");
    schsm_log(SCHSM_LOG_INFO, "lost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_alone_sets_the_level),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test_setup_teardown(a_line_has_time_process_level_and_text, setup, teardown),
        cmocka_unit_test_setup_teardown(only_wanted_levels_are_written, setup, teardown),
        cmocka_unit_test_setup_teardown(the_environment_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_is_private_and_appended_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pin_never_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(key_material_never_appears, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_public_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(the_longest_command_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_threads_and_processes_do_not_mix, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_that_the_program_reused_is_left_alone, setup,
                                        teardown),
        cmocka_unit_test(standard_error_that_was_replaced_gets_nothing),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_stops_nothing, setup,
                                        teardown),
    };
    int failed;

    (void)unsetenv("SC_HSM_LOG");
    if (mkdtemp(directory) == NULL) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("log", tests, NULL, NULL);
    (void)unlink(path);
    (void)rmdir(directory);
    return failed;
}
