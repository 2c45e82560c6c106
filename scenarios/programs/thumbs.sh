#!/bin/bash
# Hands pictures to the thumbnailer, one run each, and says how each run ended. $1: the program.
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) thumbs[$$]: $*"; }
say "queue opened"
for width in 640 800 1024 640 320 0 640 0 800 0 640 1024; do
    say "picture of width $width"
    "$1" "$width"
    status=$?
    [ $status -eq 0 ] || say "resize exited with status $status"
    sleep 1.5
done
