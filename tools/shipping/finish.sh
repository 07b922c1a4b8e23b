#!/bin/sh
# The last step of an image: the package beside its libraries, its configuration, and a list of all
# that the environment holds (CycloneDX). The modules named must find what they import.
set -eu
python=/opt/loantap/venv/bin/python
if [ -d /made ]; then
    PIP_PYTHON=$python /opt/tools/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-index /made/*.whl
    cp -r /made/conf /made/conf.tar.gz /opt/loantap/
fi
for module in "$@"; do
    PYTHONDONTWRITEBYTECODE='' "$python" -c "import $module"
done
/opt/tools/bin/cyclonedx-py environment --output-reproducible --output-file /opt/loantap/sbom.json "$python"
