/*
 * A small host: plays Fluent Bit to the plugin over the real interface, the way its releases
 * do it. Built by tests/abi.rs, once for each release that differs:
 *   -DRELEASE=10910   no logging functions, an 8-byte api object, dlclose at every exit
 *   -DRELEASE=20006   logging functions, otherwise as 1.9
 *   -DRELEASE=20200   crashes on a failed Init; registrations of 32 bytes, uncleared
 *   -DRELEASE=50101   the newest
 * Memory that the real host frees is made inaccessible instead, and what the real host
 * allocates with exact size ends at an inaccessible page: whoever touches it crashes here.
 *
 *   host LIBRARY SCENARIO [KEY=VALUE...]      properties of every instance
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../include/autofix_host.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(from, to) 0
#define VALGRIND_STACK_DEREGISTER(id) (void) (id)
#define RUNNING_ON_VALGRIND 0
#endif

#define PAGE 4096
#define FLUSH_STACK 24576

#define CHECK(what)                                                              \
    do {                                                                         \
        if (!(what)) {                                                           \
            fprintf(stderr, "FAILED %s:%d: %s\n", __FILE__, __LINE__, #what);    \
            exit(1);                                                             \
        }                                                                        \
    } while (0)

/* ---- what a release exports, and by which the plugin knows it ---- */

static int log_level = HOST_LOG_INFO;

#if RELEASE >= 20000
int flb_output_log_check(void *instance, int level)
{
    CHECK(*(int *) instance == 0x1257);
    return level <= log_level;
}
#endif
#if RELEASE >= 20007
char out_udp_plugin[8];
#endif
#if RELEASE >= 20100
void flb_log_event_decoder_create(void) {}
#endif
#if RELEASE >= 20201
void cfl_array_append_uint64(void) {}
#endif

/* ---- memory as the real host has it ---- */

/* Ends at an inaccessible page and is filled with garbage, like an uncleared malloc. */
static void *exact(size_t size)
{
    char *base = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(base != MAP_FAILED);
    memset(base, 0xA5, PAGE);
    CHECK(mprotect(base + PAGE, PAGE, PROT_NONE) == 0);
    return base + PAGE - size;
}

/* What the real host frees: nobody may touch it again. */
static void gone(void *block)
{
    void *base = (void *) ((uintptr_t) block & ~(uintptr_t) (PAGE - 1));
    CHECK(mprotect(base, PAGE, PROT_NONE) == 0);
}

/* ---- the api object ---- */

static char **settings;
static int settings_count;

static char *get_property(char *key, void *instance)
{
    CHECK(*(int *) instance == 0x1257);
    for (int i = 0; i < settings_count; i++) {
        size_t length = strlen(key);
        if (strncasecmp(settings[i], key, length) == 0 && settings[i][length] == '=') {
            return settings[i][length + 1] ? settings[i] + length + 1 : NULL;
        }
    }
    return NULL;
}

__attribute__((unused)) static void log_print(int level, const char *file, int line,
                                              const char *format, ...)
{
    static const char *words[] = {"off", "error", "warn", "info", "debug", "trace"};
    char text[4096];
    va_list rest;
    CHECK(level >= HOST_LOG_ERROR && level <= HOST_LOG_TRACE && file != NULL && line >= 0);
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    fprintf(stderr, "%s %s\n", words[level], text);
}

static struct host_api *new_api(void)
{
#if RELEASE < 20000
    struct host_api *api = exact(sizeof(char *));
    api->output_get_property = get_property;
#else
    struct host_api *api = exact(sizeof *api);
    memset(api, 0, sizeof *api);
    api->output_get_property = get_property;
    api->log_print = log_print;
    api->output_log_check = flb_output_log_check;
#endif
    return api;
}

/* ---- the plugin as the host loads it ---- */

struct loaded {
    void *handle;
    struct host_registration *registration;
    struct host_plugin *plugin; /* one for all instances */
    int (*pre_register)(int);
    int (*do_register)(struct host_registration *);
    int (*init)(struct host_plugin *);
    int (*flush)(const void *, size_t, const char *);
    int (*flush_ctx)(void *, const void *, size_t, const char *);
    int (*exit)(void);
    int (*exit_ctx)(void *);
    void (*unregister)(struct host_registration *);
};

struct instance {
    struct loaded *of;
    int *itself;
    struct host_context *context;
};

static const char *library;

static void *symbol(void *handle, const char *name)
{
    void *found = dlsym(handle, name);
    if (!found) {
        fprintf(stderr, "FAILED: no %s\n", name);
        exit(1);
    }
    return found;
}

static struct loaded *load(int reloading)
{
    struct loaded *it = calloc(1, sizeof *it);
    it->handle = dlopen(library, RTLD_LAZY);
    if (!it->handle) {
        fprintf(stderr, "FAILED: %s\n", dlerror());
        exit(1);
    }
    it->pre_register = symbol(it->handle, "FLBPluginPreRegister");
    it->do_register = symbol(it->handle, "FLBPluginRegister");
    it->init = symbol(it->handle, "FLBPluginInit");
    it->flush = symbol(it->handle, "FLBPluginFlush");
    it->flush_ctx = symbol(it->handle, "FLBPluginFlushCtx");
    it->exit = symbol(it->handle, "FLBPluginExit");
    it->exit_ctx = symbol(it->handle, "FLBPluginExitCtx");
    it->unregister = symbol(it->handle, "FLBPluginUnregister");

#if RELEASE >= 40203
    /* Cleared, with an event type and a config map behind the five fields. */
    size_t size = sizeof(struct host_registration) + 16;
    it->registration = exact(size);
    memset(it->registration, 0, size);
#else
    it->registration = exact(sizeof(struct host_registration));
    it->registration->type = 0;
#endif
#if RELEASE >= 20200
    CHECK(it->pre_register(reloading) != -1);
#else
    (void) reloading;
#endif
    CHECK(it->do_register(it->registration) != -1);
    CHECK(it->registration->type == HOST_TYPE_OUTPUT);
    CHECK(it->registration->proxy == HOST_PROXY_GOLANG);
    CHECK(it->registration->flags == 0);
    CHECK(strcmp(it->registration->name, "autofix") == 0);
    CHECK(strlen(it->registration->description) > 0);
#if RELEASE >= 40203
    char behind[16] = {0};
    CHECK(memcmp(it->registration + 1, behind, sizeof behind) == 0);
#endif
    /* The real object goes on with five function pointers of the host's. */
    it->plugin = exact(sizeof *it->plugin + 5 * sizeof(void *));
    it->plugin->name = "autofix";
    it->plugin->api = new_api();
    return it;
}

static int init(struct loaded *it, struct instance *instance)
{
    instance->of = it;
    instance->itself = exact(sizeof(int));
    *instance->itself = 0x1257;
    instance->context = exact(2 * sizeof(void *));
    memset(instance->context, 0, 2 * sizeof(void *));
    it->plugin->instance = instance->itself;
    it->plugin->context = instance->context;
    int done = it->init(it->plugin);
    /* The next instance overwrites them. */
    it->plugin->instance = (void *) 0x5A5A;
    it->plugin->context = (void *) 0x5A5A;
    return done;
}

static void start(struct loaded *it, struct instance *instance)
{
    CHECK(init(it, instance) == HOST_OK);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Exit of one instance, whose memory is gone afterwards. */
static void end(struct instance *instance)
{
    double began = seconds();
    instance->of->exit_ctx(instance->context->remote_context);
    double took = seconds() - began;
    fprintf(stderr, "exit took %.3f s\n", took);
    CHECK(took < 3.5 || RUNNING_ON_VALGRIND);
    gone(instance->itself);
    gone(instance->context);
}

static void unload(struct loaded *it)
{
    it->unregister(it->registration);
    gone(it->plugin->api);
    gone(it->plugin);
    gone(it->registration);
    CHECK(dlclose(it->handle) == 0);
    free(it);
}

/* The process goes on; lanes that still run meet memory that is gone. */
static void live_on(void)
{
    usleep(300 * 1000);
}

/* ---- flush, on a coroutine's stack as the engine makes it ---- */

struct call {
    struct instance *instance;
    const void *data;
    size_t size;
    const char *tag;
    int result;
};

struct stack {
    char *base; /* of the inaccessible page below */
    int id;
    ucontext_t back, there;
    size_t deepest;
};

static void stack_open(struct stack *stack)
{
    stack->base = mmap(NULL, PAGE + FLUSH_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack->base != MAP_FAILED);
    CHECK(mprotect(stack->base, PAGE, PROT_NONE) == 0);
    stack->id = VALGRIND_STACK_REGISTER(stack->base + PAGE, stack->base + PAGE + FLUSH_STACK);
    stack->deepest = 0;
}

static void stack_close(struct stack *stack)
{
    VALGRIND_STACK_DEREGISTER(stack->id);
    munmap(stack->base, PAGE + FLUSH_STACK);
}

static void on_stack(unsigned high, unsigned low)
{
    struct call *call = (struct call *) (((uintptr_t) high << 32) | low);
    call->result = call->instance->of->flush_ctx(call->instance->context->remote_context,
                                                 call->data, call->size, call->tag);
}

static int flush_on(struct stack *stack, struct instance *instance, const char *tag,
                    const void *data, size_t size)
{
    struct call call = {instance, data, size, tag, -99};
    char *floor = stack->base + PAGE;
    if (!RUNNING_ON_VALGRIND) {
        memset(floor, 0xA5, FLUSH_STACK);
    }
    getcontext(&stack->there);
    stack->there.uc_stack.ss_sp = floor;
    stack->there.uc_stack.ss_size = FLUSH_STACK;
    stack->there.uc_link = &stack->back;
    makecontext(&stack->there, (void (*)(void)) on_stack, 2,
                (unsigned) ((uintptr_t) &call >> 32), (unsigned) (uintptr_t) &call);
    CHECK(swapcontext(&stack->back, &stack->there) == 0);
    if (!RUNNING_ON_VALGRIND) {
        size_t untouched = 0;
        while (untouched < FLUSH_STACK && (unsigned char) floor[untouched] == 0xA5) {
            untouched++;
        }
        if (FLUSH_STACK - untouched > stack->deepest) {
            stack->deepest = FLUSH_STACK - untouched;
        }
    }
    return call.result;
}

static int flush(struct instance *instance, const char *tag, const void *data, size_t size)
{
    struct stack stack;
    stack_open(&stack);
    int result = flush_on(&stack, instance, tag, data, size);
    stack_close(&stack);
    return result;
}

/* ---- payloads ---- */

struct buffer {
    unsigned char *bytes;
    size_t used, room;
};

static void put(struct buffer *to, const void *bytes, size_t count)
{
    if (to->used + count > to->room) {
        to->room = 2 * (to->used + count);
        to->bytes = realloc(to->bytes, to->room);
    }
    memcpy(to->bytes + to->used, bytes, count);
    to->used += count;
}

static void put_text(struct buffer *to, const char *text)
{
    size_t length = strlen(text);
    unsigned char head[5] = {0xdb, length >> 24, length >> 16, length >> 8, length};
    put(to, head, 5);
    put(to, text, length);
}

/* EventTime: extension 0 of 8 bytes, seconds and nanoseconds. */
static void put_time(struct buffer *to, uint32_t s, uint32_t ns)
{
    unsigned char time[10] = {0xd7, 0x00, s >> 24, s >> 16, s >> 8, s,
                              ns >> 24, ns >> 16, ns >> 8, ns};
    put(to, time, 10);
}

static void put_record(struct buffer *to, int with_metadata, uint32_t s, const char *text)
{
    if (with_metadata) {
        put(to, "\x92\x92", 2); /* [[time, {}], {...}] */
        put_time(to, s, 7);
        put(to, "\x80", 1);
    }
    else {
        put(to, "\x92", 1); /* [time, {...}] */
        put_time(to, s, 7);
    }
    put(to, "\x81", 1);
    put_text(to, "log");
    put_text(to, text);
}

static const char *crash[] = {
    "Traceback (most recent call last):",
    "  File \"/app/shop/orders.py\", line 12, in total",
    "    return price / count",
    "ZeroDivisionError: division by zero",
};

static void put_crash(struct buffer *to, int with_metadata)
{
    for (size_t i = 0; i < sizeof crash / sizeof *crash; i++) {
        put_record(to, with_metadata, 1700000000 + i, crash[i]);
    }
}

/* ---- scenarios ---- */

/* Several worker threads, each with its own coroutine stack. */
struct worker {
    pthread_t thread;
    struct instance *one, *two;
    int rounds;
    size_t deepest;
};

static void *work(void *argument)
{
    struct worker *me = argument;
    struct stack stack;
    struct buffer chunk = {0};
    stack_open(&stack);
    for (int i = 0; i < 50; i++) {
        put_record(&chunk, 1, 1700000000 + i, "GET /health 200");
    }
    for (int i = 0; i < me->rounds; i++) {
        struct instance *to = i % 2 ? me->one : me->two;
        CHECK(flush_on(&stack, to, "app.web", chunk.bytes, chunk.used) == HOST_OK);
    }
    me->deepest = stack.deepest;
    stack_close(&stack);
    free(chunk.bytes);
    return NULL;
}

static void flush_from_threads(struct instance *one, struct instance *two, int rounds)
{
    struct worker workers[4];
    size_t deepest = 0;
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){.one = one, .two = two, .rounds = rounds};
        CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        deepest = workers[i].deepest > deepest ? workers[i].deepest : deepest;
    }
    fprintf(stderr, "flush used %zu bytes of stack\n", deepest);
}

static void scenario_life(void)
{
    struct loaded *it = load(0);
    struct instance one, two;
    struct buffer chunk = {0};
    start(it, &one);
    start(it, &two);
    CHECK(one.context->remote_context != NULL && two.context->remote_context != NULL);
    CHECK(one.context->remote_context != two.context->remote_context);
    put_crash(&chunk, 1);
    CHECK(flush(&one, "app.web", chunk.bytes, chunk.used) == HOST_OK);
    free(chunk.bytes);
    flush_from_threads(&one, &two, RUNNING_ON_VALGRIND ? 25 : 500);
    double began = seconds();
    end(&one);
    end(&two);
    CHECK(seconds() - began < 4.5 || RUNNING_ON_VALGRIND);
    unload(it);
    live_on();
}

/* One crash, then nothing more than the exit. */
static void scenario_crash(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct buffer chunk = {0};
    start(it, &one);
    put_crash(&chunk, 1);
    CHECK(flush(&one, "app.web", chunk.bytes, chunk.used) == HOST_OK);
    free(chunk.bytes);
    end(&one);
    unload(it);
    live_on();
}

static void scenario_stack(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct stack stack;
    struct buffer chunk = {0};
    start(it, &one);
    stack_open(&stack);
    put_crash(&chunk, 1);
    for (int i = 0; i < 20; i++) {
        CHECK(flush_on(&stack, &one, "app.web", chunk.bytes, chunk.used) == HOST_OK);
        usleep(1000);
    }
    fprintf(stderr, "flush used %zu bytes of stack\n", stack.deepest);
    stack_close(&stack);
    free(chunk.bytes);
    end(&one);
    unload(it);
}

static void try_payload(struct instance *to, struct buffer *chunk)
{
    CHECK(flush(to, "app.web", chunk->bytes, chunk->used) == HOST_OK);
    chunk->used = 0;
}

static void scenario_payloads(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct buffer chunk = {0};
    start(it, &one);

    put_crash(&chunk, 0);
    try_payload(&one, &chunk);
    put_crash(&chunk, 1);
    try_payload(&one, &chunk);

    /* A group: its start, a record, its end. */
    put(&chunk, "\x92\x92", 2);
    put_time(&chunk, 0xFFFFFFFF, 0);
    put(&chunk, "\x80\x81", 2);
    put_text(&chunk, "resource");
    put(&chunk, "\x80", 1);
    put_record(&chunk, 1, 1700000000, "inside a group");
    put(&chunk, "\x92\x92", 2);
    put_time(&chunk, 0xFFFFFFFE, 0);
    put(&chunk, "\x80\x80", 2);
    try_payload(&one, &chunk);

    /* Times as unsigned and float numbers. */
    put(&chunk, "\x92\xce\x65\x53\xf1\x00\x80", 7);
    put(&chunk, "\x92\xcb\x41\xd9\x54\xfc\x40\x00\x00\x00\x80", 11);
    try_payload(&one, &chunk);

    /* Nothing at all, with and without an address. */
    CHECK(flush(&one, "app.web", "", 0) == HOST_OK);
    CHECK(flush(&one, "app.web", NULL, 0) == HOST_OK);
    CHECK(flush(&one, "", "x", 1) == HOST_OK);
    CHECK(flush(&one, NULL, "x", 1) == HOST_OK);

    /* Every truncation of a good record. */
    put_record(&chunk, 1, 1700000000, "cut");
    for (size_t size = 1; size < chunk.used; size++) {
        CHECK(flush(&one, "app.web", chunk.bytes, size) == HOST_OK);
    }
    chunk.used = 0;

    /* Nested deeper than any stack; lengths that promise 4 GB; all kinds of bytes. */
    for (int i = 0; i < 200000; i++) {
        put(&chunk, "\x91", 1);
    }
    try_payload(&one, &chunk);
    put(&chunk, "\x92\x92\xd7\x00", 4);
    put(&chunk, "\xdf\xff\xff\xff\xff\xdb\xff\xff\xff\xff", 10);
    try_payload(&one, &chunk);
    uint32_t seed = 1;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 300; i++) {
            unsigned char byte = (seed = seed * 1664525 + 1013904223) >> 24;
            put(&chunk, &byte, 1);
        }
        try_payload(&one, &chunk);
    }

    /* Larger than any limit: dropped and counted, not kept. */
    size_t huge = (size_t) (RUNNING_ON_VALGRIND ? 80 : 300) << 20;
    char *sea = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(sea != MAP_FAILED);
    double began = seconds();
    CHECK(flush(&one, "app.web", sea, huge) == HOST_OK);
    fprintf(stderr, "huge chunk took %.3f s\n", seconds() - began);
    munmap(sea, huge);

    free(chunk.bytes);
    end(&one);
    unload(it);
    live_on();
}

/* The order of the real host: the new registration comes before the old one's end. */
static void scenario_reload(void)
{
    struct loaded *old = load(0), *new;
    struct instance one, two;
    start(old, &one);
    start(old, &two);
    flush_from_threads(&one, &two, 10);
    for (int round = 0; round < 3; round++) {
        new = load(1);
        flush_from_threads(&one, &two, 10);
        end(&one);
        end(&two);
        unload(old);
        live_on();
        start(new, &one);
        start(new, &two);
        flush_from_threads(&one, &two, 10);
        old = new;
    }
    end(&one);
    end(&two);
    unload(old);
    live_on();
}

/* Up to 2.0.6: every exit gets the last instance's context and closes the library. */
static void scenario_old_exit(void)
{
    struct loaded *it = load(0);
    struct instance one, two;
    start(it, &one);
    start(it, &two);
    flush_from_threads(&one, &two, 10);
    void *last = two.context->remote_context;
    for (int i = 0; i < 2; i++) {
        double began = seconds();
        it->exit_ctx(last);
        CHECK(seconds() - began < 3.5 || RUNNING_ON_VALGRIND);
        dlclose(it->handle);
    }
    gone(one.itself);
    gone(two.itself);
    gone(one.context);
    gone(two.context);
    gone(it->plugin->api);
    gone(it->plugin);
    free(it);
    live_on();
}

/* Prints what Init said to the configuration. */
static void scenario_init(void)
{
    struct loaded *it = load(0);
    struct instance one;
    int done = init(it, &one);
    fprintf(stderr, "init said %d\n", done);
    if (done > 0) {
        CHECK(flush(&one, "app.web", "\x92\x01\x80", 3) == HOST_OK);
        end(&one);
    }
    unload(it);
    live_on();
}

/* `--dry-run`: registered and let go, never started. */
static void scenario_unused(void)
{
    unload(load(0));
    live_on();
}

/* Daemon mode: a fork after registration, before the start. */
static void scenario_daemon(void)
{
    struct loaded *it = load(0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) {
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        unload(it);
        return;
    }
    CHECK(chdir("/") == 0);
    close(0);
    close(1);
    close(2);
    struct instance one;
    start(it, &one);
    flush_from_threads(&one, &one, 10);
    end(&one);
    unload(it);
    exit(0);
}

/* Stale, foreign and missing contexts. */
static void scenario_contexts(void)
{
    struct loaded *it = load(0);
    struct instance one, two;
    start(it, &one);
    void *first = one.context->remote_context;
    struct host_context strange = {(void *) 0x7fff1234};
    struct instance foreign = {it, NULL, &strange};
    CHECK(flush(&foreign, "app", "x", 1) == HOST_OK);
    strange.remote_context = NULL;
    CHECK(flush(&foreign, "app", "x", 1) == HOST_OK);
    end(&one);
    it->exit_ctx(first);
    it->exit_ctx(NULL);
    it->exit_ctx((void *) 0x7fff1234);
    strange.remote_context = first;
    CHECK(flush(&foreign, "app", "x", 1) == HOST_OK);
    start(it, &two);
    CHECK(two.context->remote_context != first);
    it->exit_ctx(first);
    CHECK(flush(&two, "app", "x", 1) == HOST_OK);
    end(&two);
    unload(it);
    live_on();
}

/* The entry points without a context. */
static void scenario_plain(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct buffer chunk = {0};
    CHECK(it->flush("x", 1, "app") == HOST_OK);
    start(it, &one);
    put_crash(&chunk, 0);
    CHECK(it->flush(chunk.bytes, chunk.used, "app.web") == HOST_OK);
    free(chunk.bytes);
    it->exit();
    it->exit();
    gone(one.itself);
    gone(one.context);
    unload(it);
    live_on();
}

/* More than any queue holds, as fast as it goes: never RETRY, never slow, never large. */
static void scenario_flood(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct buffer chunk = {0};
    struct stack stack;
    double worst = 0;
    start(it, &one);
    stack_open(&stack);
    while (chunk.used < 2000000) {
        put_record(&chunk, 1, 1700000000, "a line of the usual length, for a log that has many");
    }
    for (int i = 0; i < 400; i++) {
        double began = seconds();
        CHECK(flush_on(&stack, &one, "app.web", chunk.bytes, chunk.used) == HOST_OK);
        double took = seconds() - began;
        worst = took > worst ? took : worst;
    }
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    CHECK(statm && fscanf(statm, "%*d %ld", &pages) == 1);
    fclose(statm);
    fprintf(stderr, "flood: worst flush %.1f ms, resident %ld MB\n", worst * 1e3, pages / 256);
    fprintf(stderr, "flush used %zu bytes of stack\n", stack.deepest);
    stack_close(&stack);
    free(chunk.bytes);
    end(&one);
    unload(it);
}

static volatile sig_atomic_t taken_by_others;
static pid_t engine;

static void on_hangup(int number)
{
    (void) number;
    if (gettid() != engine) {
        taken_by_others = 1;
    }
}

/* The host's signals reach the host's threads only, and no thread of the plugin interrupts one of
 * them by waking. */
static void scenario_signals(void)
{
    sigset_t mask;
    engine = gettid();
    signal(SIGHUP, on_hangup);
    struct loaded *it = load(0);
    struct instance one;
    start(it, &one);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGHUP) && !sigismember(&mask, SIGTERM));
    CHECK(sched_getscheduler(0) == SCHED_OTHER);

    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (!isdigit((unsigned char) *entry->d_name) || atoi(entry->d_name) == engine) {
            continue;
        }
        char path[300], line[200];
        unsigned long long blocked = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        if (!status) {
            continue;
        }
        while (fgets(line, sizeof line, status)) {
            sscanf(line, "SigBlk: %llx", &blocked);
        }
        fclose(status);
        CHECK(sched_getscheduler(atoi(entry->d_name)) == SCHED_BATCH);
        for (int number = 1; number <= 31; number++) {
            int own = number == SIGKILL || number == SIGSTOP || number == SIGSEGV ||
                      number == SIGBUS || number == SIGFPE || number == SIGILL ||
                      number == SIGTRAP || number == SIGABRT;
            CHECK(own || (blocked >> (number - 1) & 1));
        }
        threads++;
    }
    closedir(tasks);
    fprintf(stderr, "the plugin has %d threads\n", threads);

    /* With the engine deaf, nobody takes it. */
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    for (int i = 0; i < 20; i++) {
        kill(getpid(), SIGHUP);
        usleep(2000);
    }
    CHECK(!taken_by_others);
    pthread_sigmask(SIG_UNBLOCK, &hangup, NULL);
    end(&one);
    unload(it);
}

/* Threads are gone after the exit. */
static int threads_now(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(tasks));) {
        count += isdigit((unsigned char) *entry->d_name) != 0;
    }
    closedir(tasks);
    return count;
}

static void scenario_threads(void)
{
    int before = threads_now();
    struct loaded *it = load(0);
    struct instance one;
    CHECK(threads_now() == before);
    start(it, &one);
    CHECK(threads_now() > before);
    flush_from_threads(&one, &one, 5);
    end(&one);
    for (int i = 0; i < 100 && threads_now() > before; i++) {
        usleep(10 * 1000);
    }
    CHECK(threads_now() == before);
    unload(it);
}

/* Flushes a crash and is killed at once; or, started again, ends in peace. */
static void scenario_killed(void)
{
    struct loaded *it = load(0);
    struct instance one;
    struct buffer chunk = {0};
    start(it, &one);
    put_crash(&chunk, 1);
    put_record(&chunk, 1, 1700000100, "started again");
    CHECK(flush(&one, "app.web", chunk.bytes, chunk.used) == HOST_OK);
    sleep(2);
    kill(getpid(), SIGKILL);
}

static void scenario_restart(void)
{
    struct loaded *it = load(0);
    struct instance one;
    start(it, &one);
    usleep(500 * 1000);
    end(&one);
    unload(it);
}

/* The plugin's first line under `log_level error` and below. */
static void scenario_quiet(void)
{
    log_level = HOST_LOG_ERROR;
    scenario_restart();
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*play)(void);
    } scenarios[] = {
        {"life", scenario_life},         {"crash", scenario_crash},
        {"stack", scenario_stack},       {"payloads", scenario_payloads},
        {"reload", scenario_reload},     {"old_exit", scenario_old_exit},
        {"init", scenario_init},         {"unused", scenario_unused},
        {"daemon", scenario_daemon},     {"contexts", scenario_contexts},
        {"plain", scenario_plain},       {"flood", scenario_flood},
        {"signals", scenario_signals},   {"threads", scenario_threads},
        {"killed", scenario_killed},     {"restart", scenario_restart},
        {"quiet", scenario_quiet},
    };
    CHECK(count >= 3);
    library = arguments[1];
    settings = arguments + 3;
    settings_count = count - 3;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(scenarios[i].name, arguments[2]) == 0) {
            scenarios[i].play();
            fprintf(stderr, "DONE %s\n", arguments[2]);
            return 0;
        }
    }
    fprintf(stderr, "FAILED: no scenario %s\n", arguments[2]);
    return 2;
}
