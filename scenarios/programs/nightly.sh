#!/bin/bash
# What cron runs each hour: a dump of the database, with its output into the log. The database is
# gone in the last runs. $1: port of the database, $2: its process id, killed after the fourth run.
say() { echo "$(date -u '+%b %e %H:%M:%S') db1 backup[$$]: $*"; }
for run in 1 2 3 4 5 6; do
    say "backup started"
    if psql -h 127.0.0.1 -p "$1" -U postgres -Atc 'select 1' postgres 2>&1 >/dev/null; then
        say "backup finished, 1 database"
    else
        say "backup failed with exit status $?"
    fi
    [ "$run" = 4 ] && kill "$2" && sleep 0.5
    sleep 2.5
done
