#!/bin/sh
# Fetch the part of the published data that a service shows or falls back on, where there is a bucket;
# then start the service, also where the bucket does not answer.
if [ -n "${LOANTAP_BUCKET:-}" ]; then
    loantap-task restore $LOANTAP_FETCHED --replace --if-any ||
        echo "Warning: nothing was fetched from $LOANTAP_BUCKET; going on without" >&2
fi
exec "$@"
