/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_flow FOLDER [SCENE]: records each scene, or the one, into a file of its name in FOLDER,
 * and sees whether the flow comes to the same end with the record alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry.h"

#include "fixtures.h"
#include "fuzz.h"
#include "library.h"
#include "readers.h"
#include "record.h"

#define SEED_MAX 65536

static struct schsm_registry *open_readers(void *arg, struct schsm_error *err)
{
    return schsm_registry_new_on(&flow_readers_transport, arg, err);
}

static void no_next_command(void *arg)
{
    (void)arg;
}

static bool replay(const uint8_t *seed, size_t len)
{
    static struct flow_script script;
    static struct flow_readers readers;
    const struct flow_world world = { .open = open_readers,
                                      .arg = &readers,
                                      .first = "Plain",
                                      .second = "Other",
                                      .next_command = no_next_command };

    flow_script_parse(&script, seed, len);
    flow_readers_start(&readers, &script, strlen(RECORD_PIN));
    return flow_run(&world, script.header, RECORD_PIN);
}

static bool write_seed(const char *folder, const char *name, const uint8_t *seed, size_t len)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    return file != NULL && fwrite(seed, 1, len, file) == len && fclose(file) == 0;
}

static bool record_scene(const struct record_scene *scene, const char *folder)
{
    static struct flow_script script;
    static uint8_t seed[SEED_MAX];
    bool succeeded, again;
    size_t len;

    memset(&script, 0, sizeof(script));
    memcpy(script.header, scene->header, sizeof(script.header));
    flow_library_rewind();
    record_insert(scene->first != NULL ? scene->first : "", scene->second);
    script.header[FLOW_SETUP] |= scene->second != NULL ? FLOW_TWO_READERS : 0;
    record_prepare(scene);
    record_into(&script);
    succeeded = flow_run(&record_world, script.header, RECORD_PIN);
    record_into(NULL);
    record_remove();
    record_shorten(&script);
    len = flow_script_write(&script, seed, sizeof(seed));
    for (size_t i = 0; i < script.count; i++) {
        free((void *)script.records[i].content);
    }
    REQUIRE(len > 0);
    again = replay(seed, len);
    (void)printf("%-24s %5zu bytes, %3zu answers: %s%s\n", scene->name, len, script.count,
                 succeeded ? "succeeds" : "fails", again == succeeded ? "" : ", NOT SO AGAIN");
    return write_seed(folder, scene->name, seed, len) && succeeded != scene->fails &&
           again == succeeded;
}

int main(int argc, char **argv)
{
    int bad = 0;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: record_flow FOLDER [SCENE]\n");
        return 2;
    }
    flow_library_start();
    flow_make_fixtures();
    flow_start();
    for (const struct record_scene *scene = record_scenes; scene->name != NULL; scene++) {
        if ((argc < 3 || strcmp(argv[2], scene->name) == 0) && !record_scene(scene, argv[1])) {
            (void)printf("%s: not as it was meant\n", scene->name);
            bad++;
        }
    }
    return bad > 0 ? 1 : 0;
}
