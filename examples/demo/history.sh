#!/bin/sh
# Builds a sample service's repository from the mails in history/, with every date moved by
# whole days. Uses no git configuration but its own. usage: history.sh CASE_FOLDER REPOSITORY DAYS
set -eu

case_folder=$(cd "$1" && pwd)
repository=$2
days=$3

export HOME="$repository" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null TZ=UTC LC_ALL=C
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

mkdir -p "$repository"
git init -q "$repository"
git -C "$repository" symbolic-ref HEAD refs/heads/main

for mail in "$case_folder"/history/*.patch; do
    from=$(sed -n 's/^From: //p' "$mail" | head -n 1)
    written=$(sed -n 's/^Date: //p' "$mail" | head -n 1)
    moved=$(date -R -d "@$(($(date -d "$written" +%s) + days * 86400))")
    # The committer is the author; git am takes the committer from the environment.
    sed "1,/^$/s/^Date: .*/Date: $moved/" "$mail" |
        GIT_COMMITTER_NAME=${from% <*} GIT_COMMITTER_EMAIL=$(echo "$from" | sed 's/.*<\(.*\)>/\1/') \
            git -C "$repository" am -q --committer-date-is-author-date
done
