#!/bin/sh
# What an environment of an image can do without: tests, headers, and libraries that nothing of ours
# loads (Arrow's RPC; Intel's solver beside the one that SCS uses by default).
set -eu
packages="$(echo "$1"/lib/python3*/site-packages)"
find "$packages" -depth -type d \( -name tests -o -name test \) \
    \( -path '*/numpy/*' -o -path '*/pandas/*' -o -path '*/pyarrow/*' -o -path '*/scipy/*' -o -path '*/sklearn/*' \) \
    -exec rm -rf {} +
rm -rf "$packages"/pyarrow/include "$packages"/pyarrow/libarrow_flight.* "$packages"/pyarrow/_flight.* \
    "$packages"/scs/_scs_mkl.*
