/*
 * What autofix and its host, Fluent Bit 1.9 to 5.1, exchange over the interface for proxy
 * plugins ("Go plugins"). Written from the observed layout on 64-bit Linux; only what every one
 * of those versions has stands here. src/ffi/bindings.rs is made from this file: `make bindings`.
 */
#ifndef AUTOFIX_HOST_H
#define AUTOFIX_HOST_H

#include <stddef.h>

#define HOST_TYPE_OUTPUT 2
#define HOST_PROXY_GOLANG 11

/* Results of the entry points. Init fails with anything below 1. */
#define HOST_ERROR 0
#define HOST_OK 1
#define HOST_RETRY 2

#define HOST_LOG_ERROR 1
#define HOST_LOG_WARN 2
#define HOST_LOG_INFO 3
#define HOST_LOG_DEBUG 4
#define HOST_LOG_TRACE 5

/*
 * Filled in at registration. Newer hosts have further fields behind these and clear them
 * beforehand; up to 4.2.2 the allocation ends here, uncleared: write all five, nothing else.
 */
struct host_registration {
    int type;
    int proxy;
    int flags;
    char *name;
    char *description;
};

/* One for each instance, cleared by the host, gone after the instance's exit. */
struct host_context {
    void *remote_context;
};

/*
 * Only the first member exists on hosts before 2.0, where the object is eight bytes long.
 * The later ones up to output_log_check came together with 2.0; more follow on newer hosts.
 */
struct host_api {
    char *(*output_get_property)(char *key, void *instance);
    char *(*input_get_property)(char *key, void *instance);
    void *(*output_get_cmt_instance)(void *instance);
    void *(*input_get_cmt_instance)(void *instance);
    void (*log_print)(int level, const char *file, int line, const char *format, ...);
    int (*input_log_check)(void *instance, int level);
    int (*output_log_check)(void *instance, int level);
};

/*
 * Handed to Init. One object serves all instances and is overwritten for each of them: whatever
 * is needed later has to be copied. The host's own fields follow.
 */
struct host_plugin {
    char *name;
    struct host_api *api;
    void *instance;
    struct host_context *context;
};

/* What the library exports. */
int FLBPluginPreRegister(int hot_reloading);
int FLBPluginRegister(struct host_registration *registration);
int FLBPluginInit(struct host_plugin *plugin);
int FLBPluginFlush(const void *data, size_t size, const char *tag);
int FLBPluginFlushCtx(void *remote_context, const void *data, size_t size, const char *tag);
int FLBPluginExit(void);
int FLBPluginExitCtx(void *remote_context);
void FLBPluginUnregister(struct host_registration *registration);

#endif
