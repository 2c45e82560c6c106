/* A thumbnailer that trusts the width in a header: a picture that says 0 breaks it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *row(int width) { return width ? malloc((size_t)width * 3) : NULL; }

int main(int argc, char **argv) {
    for (int at = 1; at < argc; at++) {
        int width = atoi(argv[at]);
        unsigned char *pixels = row(width);
        memset(pixels, 255, (size_t)(width ? width : 4096) * 3);
        printf("resized picture of width %d\n", width);
        fflush(stdout);
        free(pixels);
    }
    return 0;
}
