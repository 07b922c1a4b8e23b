#!/bin/sh
# The last step of an image: the package beside its libraries, its configuration, and a list of all
# that the environment holds (CycloneDX).
set -eu
if [ -d /made ]; then
    PIP_PYTHON=/opt/loantap/venv/bin/python /opt/tools/bin/python -m pip install --quiet --no-cache-dir \
        --no-deps --no-index /made/*.whl
    cp -r /made/conf /made/conf.tar.gz /opt/loantap/
fi
/opt/tools/bin/cyclonedx-py environment --output-reproducible --output-file /opt/loantap/sbom.json \
    /opt/loantap/venv/bin/python
