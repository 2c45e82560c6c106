/*
 * A malloc like that of the host's official builds (jemalloc with a quantum of 8 bytes), for
 * LD_PRELOAD: sizes such as 24, 40, 52 and 56 get addresses that are a multiple of 8 but never
 * of 16. Requests that name an alignment get it. Sits on the malloc of glibc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
extern void *__libc_memalign(size_t, size_t);

/* Stands right before every block. */
struct head {
    void *base;
    size_t size;
};

static void *block(char *base, size_t lead, size_t size)
{
    char *at = base + lead;
    struct head head = {base, size};
    memcpy(at - sizeof head, &head, sizeof head);
    return at;
}

static struct head head_of(void *at)
{
    struct head head;
    memcpy(&head, (char *) at - sizeof head, sizeof head);
    return head;
}

void *malloc(size_t size)
{
    /* glibc's blocks are multiples of 16. */
    size_t lead = size % 16 == 0 ? 32 : 24;
    if (size > SIZE_MAX - lead) {
        errno = ENOMEM;
        return NULL;
    }
    char *base = __libc_malloc(size + lead);
    return base ? block(base, lead, size) : NULL;
}

void free(void *at)
{
    if (at) {
        __libc_free(head_of(at).base);
    }
}

void *calloc(size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    void *at = malloc(size);
    return at ? memset(at, 0, size) : NULL;
}

void *realloc(void *at, size_t size)
{
    void *to = malloc(size);
    if (to && at) {
        size_t before = head_of(at).size;
        memcpy(to, at, before < size ? before : size);
        free(at);
    }
    return to;
}

void *memalign(size_t alignment, size_t size)
{
    size_t lead = alignment < 16 ? 16 : alignment;
    char *base = __libc_memalign(lead, size + lead);
    return base ? block(base, lead, size) : NULL;
}

int posix_memalign(void **to, size_t alignment, size_t size)
{
    *to = memalign(alignment, size);
    return *to ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

void *valloc(size_t size)
{
    return memalign(4096, size);
}

size_t malloc_usable_size(void *at)
{
    return at ? head_of(at).size : 0;
}
