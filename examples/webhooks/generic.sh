#!/bin/sh
# Reports one failure in the form for whoever has no other. Environment: URL of the http input, SECRET
# of the service, and where the input asks for one CERT and KEY of this sender and CA of the input.
#
#   URL=https://logs.example:8443 SECRET=… sh generic.sh crash web-1 1
#
# Event: crash, exit, oom, unhealthy or deploy_failed. Then the instance, as the platform names it,
# and for crash and exit the exit status.
set -eu

EVENT=${1:?"crash, exit, oom, unhealthy or deploy_failed"}
INSTANCE=${2:-}
CODE=${3:-}
AT=$(date -u +%Y-%m-%dT%H:%M:%SZ)

BODY="\"event\":\"$EVENT\",\"at\":\"$AT\",\"autofix_secret\":\"${SECRET:-}\""
[ -z "$INSTANCE" ] || BODY="$BODY,\"instance\":\"$INSTANCE\""
[ -z "$CODE" ] || BODY="$BODY,\"exit_code\":$CODE"

set -- --silent --show-error --fail --max-time 10 --header 'Content-Type: application/json'
[ -z "${CA:-}" ] || set -- "$@" --cacert "$CA"
[ -z "${CERT:-}" ] || set -- "$@" --cert "$CERT" --key "$KEY"
# The body goes through standard input: an argument would show the secret to every process.
printf '{%s}' "$BODY" | curl "$@" --data-binary @- "$URL"
