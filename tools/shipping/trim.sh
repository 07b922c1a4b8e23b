#!/bin/sh
# What an environment of an image does without: notebooks, tests, sources in C and Cython, symbols, AWS
# services that are not ours, and libraries that nothing of ours loads (Arrow's RPC).
set -eu
rm -rf "$1"/share/jupyter "$1"/etc/jupyter
cd "$1"/lib/python3*/site-packages
find . -depth -type d \( -name tests -o -path './numpy/*/include' -o -path ./pyarrow/include \
    -o -path ./sqlalchemy/testing -o -path ./sqlalchemy/dialects/oracle -o -path ./mlflow/utils/model_catalog \
    -o -path ./sklearn/datasets/data -o -path ./sklearn/datasets/images \) -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.py[xd]' -o -name '*.pxi' -o -name '*.[ch]' -o -name '*.[ch]pp' \) -delete
if [ -d botocore/data ]; then
    find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name secretsmanager \
        ! -name sso ! -name sso-oidc -exec rm -r {} +
fi
rm -rf pyarrow/libarrow_flight.* pyarrow/libarrow_python_flight.* pyarrow/_flight.*
find fontTools glum pyarrow qdldl.* scipy sklearn sqlalchemy tabmat cryptography PIL -name '*.so*' -type f \
    -exec strip --strip-unneeded {} + 2> /dev/null || true
# Wheels have no links: one library under three names is there three times.
find clidriver/lib pyarrow -maxdepth 1 -name '*.so*' -type f 2> /dev/null | sort -r > /tmp/libraries
previous=''
while read -r library; do
    if [ -n "$previous" ] && cmp -s "$library" "$previous"; then
        ln -sf "$(basename "$previous")" "$library"
    else
        previous="$library"
    fi
done < /tmp/libraries
