# docker build --target api --tag loantap/api .
# docs/operations.md tells of the arguments and of what each target needs to run.
ARG BASE_IMAGE=python:3.11-slim-bookworm

# --- What each image installs: the pins, with hashes, of the names in its list.
FROM ${BASE_IMAGE} AS locks
WORKDIR /locks
COPY requirements.txt requirements/run.txt requirements/serving.txt requirements/sources.txt \
    requirements/image.txt requirements/image-*.names ./
RUN grep -ohE '^[a-z0-9][a-z0-9._-]*==' run.txt sources.txt | sed 's/==//' \
        | cat - image-batch.names | sort -u > batch.names && \
    for image in api dashboard mlflow build; do mv image-$image.names $image.names; done && \
    for image in batch api dashboard mlflow build; do \
        sed 's/.*/^&==/' $image.names \
            | grep -hf - run.txt serving.txt sources.txt image.txt requirements.txt \
            | sort -u > $image.lock && \
        test "$(wc -l < $image.lock)" = "$(wc -l < $image.names)" \
            || { echo "requirements/ has not one pin for each name of $image: make lock" >&2; exit 1; }; \
    done

FROM ${BASE_IMAGE} AS tools
COPY --from=locks /locks/build.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/tools && \
    /opt/tools/bin/python -m pip install --quiet --require-hashes --no-deps -r /locks/build.lock
# The environments are moved whole, so they have their place already.
RUN python -m venv --without-pip /opt/loantap/venv
ENV INSTALL="/opt/tools/bin/python -m pip --python /opt/loantap/venv/bin/python --quiet install"

# --- Libraries, an environment for each image, without tests and what is only for compiling.
FROM tools AS batch-libraries
COPY --from=locks /locks/batch.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    $INSTALL --require-hashes --no-deps --compile -r /locks/batch.lock && \
    /opt/tools/bin/python -m pip --python /opt/loantap/venv/bin/python check
COPY tools/shipping/trim.sh /
RUN sh /trim.sh /opt/loantap/venv

FROM tools AS api-libraries
COPY --from=locks /locks/api.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    $INSTALL --require-hashes --no-deps --compile -r /locks/api.lock
COPY tools/shipping/trim.sh /
RUN sh /trim.sh /opt/loantap/venv && rm -r /opt/loantap/venv/lib/python3*/site-packages/mlflow/server/js

FROM tools AS dashboard-libraries
COPY --from=locks /locks/dashboard.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    $INSTALL --require-hashes --no-deps --compile -r /locks/dashboard.lock
COPY tools/shipping/trim.sh /
RUN sh /trim.sh /opt/loantap/venv

FROM tools AS mlflow-libraries
COPY --from=locks /locks/mlflow.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    $INSTALL --require-hashes --no-deps --compile -r /locks/mlflow.lock && \
    /opt/tools/bin/python -m pip --python /opt/loantap/venv/bin/python check
COPY tools/shipping/trim.sh /
RUN sh /trim.sh /opt/loantap/venv

# --- The package, and the configuration as `kedro package` packs it.
FROM tools AS package
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY conf conf
RUN /opt/tools/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --no-cache-dir \
        --wheel-dir /made/wheel . && \
    tar --exclude='local/*.yml' -czf /made/conf.tar.gz conf && \
    cp -r conf /made/conf && chmod -R a+rX /made

# --- What all images have: a user without rights, a folder to write to, no word to anybody.
FROM ${BASE_IMAGE} AS runtime
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin loantap && \
    install -d -o loantap -g loantap /srv/loantap
ENV PATH=/opt/loantap/venv/bin:$PATH \
    DO_NOT_TRACK=1 \
    HOME=/tmp \
    KEDRO_DISABLE_TELEMETRY=1 \
    LOANTAP_CONF=/opt/loantap/conf/base \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
    MPLCONFIGDIR=/tmp/matplotlib \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/loantap
VOLUME /srv/loantap

# --- The images. Labels come last: a new revision leaves the layers before them as they are.
FROM runtime AS batch
RUN apt-get update -qq && \
    apt-get install -qq --yes --no-install-recommends libodbc2 odbc-postgresql unixodbc > /dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt
COPY --from=batch-libraries /opt/loantap/venv /opt/loantap/venv
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=bind,from=package,source=/made,target=/made \
    $INSTALL
