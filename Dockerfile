# docker build --target api --tag loantap/api .
ARG BASE_IMAGE=python:3.11-slim-bookworm

# --- What each image installs: the pins, with hashes, of the names in its list.
FROM ${BASE_IMAGE} AS locks
WORKDIR /locks
COPY requirements.txt requirements/run.txt requirements/serving.txt requirements/sources.txt \
    requirements/image-*.names ./
RUN for image in batch api dashboard mlflow build; do \
        sed 's/.*/^&==/' "image-$image.names" > patterns && \
        grep -hf patterns run.txt serving.txt sources.txt requirements.txt > found && \
        sort -u found -o "$image.lock" && \
        test "$(wc -l < "$image.lock")" = "$(wc -l < "image-$image.names")" || { \
            echo "requirements/ has not one pin for each name of $image: tests/shipping/test_image.py says which" >&2; exit 1; \
        }; \
    done

FROM ${BASE_IMAGE} AS tools
COPY --from=locks /locks/build.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/tools && \
    /opt/tools/bin/pip install --quiet --require-hashes --no-deps -r /locks/build.lock
# For `strip`, and what the modules of ODBC are linked with.
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends binutils libodbc2 > /dev/null && \
    rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/tools/bin:$PATH

# --- Libraries: an environment for each image, already where it will be.
FROM tools AS environment
RUN python -m venv --without-pip /opt/loantap/venv
ENV PIP_PYTHON=/opt/loantap/venv/bin/python

# Of the solvers that optbinning brings, the package uses those of OR-Tools: the others, 250 MB, are
# not on the list. Compiled is what a run imports, or it would be 90 MB more.
FROM environment AS batch-libraries
COPY --from=locks /locks/batch.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --no-deps --no-compile -r /locks/batch.lock
RUN --mount=type=bind,source=tools/shipping/trim.sh,target=/mnt/trim.sh \
    sh /mnt/trim.sh /opt/loantap/venv && \
    rm -r /opt/loantap/venv/lib/python3*/site-packages/mlflow/server/js && \
    /opt/loantap/venv/bin/python -c "import altair, arrow_odbc, boto3, databricks.sql, duckdb, \
fairlearn.metrics, glum, ibm_db, imblearn.pipeline, kedro.framework.cli.cli, kedro.framework.session, \
kedro_datasets.pandas.parquet_dataset, kedro_mlflow.framework.hooks, matplotlib.pyplot, mlflow.sklearn, \
mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store, optbinning, \
pandera.pandas, psycopg, pyodbc, s3transfer, skops.io, skrub, sqlalchemy.dialects.postgresql, \
sqlalchemy.dialects.sqlite, tabmat, vl_convert"

# MLflow here is a client: without the page of its server and what that needs, and without what it
# takes to log in to Databricks, of which it asks only whether it is there. Compiled is what the API
# imports; the rest would be 60 MB more.
FROM environment AS api-libraries
COPY --from=locks /locks/api.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --no-deps --no-compile -r /locks/api.lock
RUN --mount=type=bind,source=tools/shipping/trim.sh,target=/mnt/trim.sh \
    sh /mnt/trim.sh /opt/loantap/venv && \
    rm -r /opt/loantap/venv/lib/python3*/site-packages/mlflow/server/js \
        /opt/loantap/venv/lib/python3*/site-packages/databricks/sdk/service && \
    /opt/loantap/venv/bin/python -c "import alembic.command, apiflask, boto3, granian, mlflow.sklearn, \
mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store, pandas, \
prometheus_client.multiprocess, psycopg, pyarrow.parquet, s3transfer, skops.io, sklearn.calibration, \
sklearn.compose, sklearn.linear_model, sqlalchemy.dialects.postgresql, sqlalchemy.dialects.sqlite"

FROM environment AS dashboard-libraries
COPY --from=locks /locks/dashboard.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --no-deps -r /locks/dashboard.lock && pip check
RUN --mount=type=bind,source=tools/shipping/trim.sh,target=/mnt/trim.sh sh /mnt/trim.sh /opt/loantap/venv

FROM environment AS mlflow-libraries
COPY --from=locks /locks/mlflow.lock /locks/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --no-deps -r /locks/mlflow.lock && pip check
RUN --mount=type=bind,source=tools/shipping/trim.sh,target=/mnt/trim.sh sh /mnt/trim.sh /opt/loantap/venv

# --- The package, and the configuration as `kedro package` packs it.
FROM tools AS package
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY conf conf
RUN pip wheel --quiet --no-deps --no-build-isolation --no-cache-dir --wheel-dir /made . && \
    tar --exclude='local/*.yml' -czf /made/conf.tar.gz conf && \
    cp -r conf /made/conf && chmod -R a+rX /made

# --- What all images have: a user without rights, one folder to write to, no word to anybody.
FROM ${BASE_IMAGE} AS runtime
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /tmp --shell /usr/sbin/nologin loantap && \
    install -d -o loantap -g loantap /srv/loantap
ENV PATH=/opt/loantap/venv/bin:$PATH \
    DO_NOT_TRACK=1 \
    HOME=/tmp \
    KEDRO_DISABLE_TELEMETRY=1 \
    LOANTAP_CONF=/opt/loantap/conf/base \
    LOANTAP_PROJECT=/srv/loantap \
    MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
    MPLCONFIGDIR=/tmp/matplotlib \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY tools/shipping/start.sh /opt/loantap/start
WORKDIR /srv/loantap
# On Fargate a mounted folder has the owner and rights of the volume in the image.
VOLUME ["/srv/loantap", "/tmp"]

# --- The images. A new revision leaves the libraries' layer as it is.
FROM runtime AS api
COPY --from=api-libraries /opt/loantap/venv /opt/loantap/venv
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=bind,from=package,source=/made,target=/made \
    --mount=type=bind,source=tools/shipping/finish.sh,target=/mnt/finish.sh \
    sh /mnt/finish.sh loantap.serving.api.worker
USER 10001:10001
ENV LOANTAP_HOST=0.0.0.0 \
    LOANTAP_FETCHED="--only 06_models/last_good --only 08_reporting/watchlist.parquet --only 08_reporting/help_plans.parquet"
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-Ic", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["sh", "/opt/loantap/start", "loantap-api"]
ARG REVISION=unknown
ARG VERSION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title=loantap/api \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.source=$SOURCE

FROM runtime AS dashboard
COPY --from=dashboard-libraries /opt/loantap/venv /opt/loantap/venv
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=bind,from=package,source=/made,target=/made \
    --mount=type=bind,source=tools/shipping/finish.sh,target=/mnt/finish.sh \
    sh /mnt/finish.sh loantap.serving.dashboard.pages.policy loantap.serving.dashboard.pages.watch_list
USER 10001:10001
ENV LOANTAP_FETCHED="--only 07_model_output --only 08_reporting"
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-Ic", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["sh", "/opt/loantap/start", "loantap-dashboard"]
CMD ["--host", "0.0.0.0"]
ARG REVISION=unknown
ARG VERSION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title=loantap/dashboard \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.source=$SOURCE

FROM runtime AS mlflow
COPY --from=mlflow-libraries /opt/loantap/venv /opt/loantap/venv
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=bind,source=tools/shipping/finish.sh,target=/mnt/finish.sh \
    sh /mnt/finish.sh mlflow.server
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s \
    CMD ["python", "-Ic", "import urllib.request as u; u.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT ["mlflow", "server", "--workers", "1"]
CMD ["--host", "0.0.0.0", "--port", "5000"]
ARG REVISION=unknown
ARG VERSION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title=loantap/mlflow \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.source=$SOURCE

# The last one, so that it is what `docker build .` makes. It reads real sources over ODBC.
FROM runtime AS batch
# hadolint ignore=DL3008
RUN apt-get update -qq && \
    apt-get install -qq --yes --no-install-recommends libodbc2 odbc-postgresql unixodbc > /dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=batch-libraries /opt/loantap/venv /opt/loantap/venv
RUN --mount=type=bind,from=tools,source=/opt/tools,target=/opt/tools \
    --mount=type=bind,from=package,source=/made,target=/made \
    --mount=type=bind,source=tools/shipping/finish.sh,target=/mnt/finish.sh \
    sh /mnt/finish.sh loantap.pipeline_registry
USER 10001:10001
ENTRYPOINT ["loantap-task"]
ARG REVISION=unknown
ARG VERSION=unknown
ARG SOURCE=unknown
ENV LOANTAP_GIT_SHA=$REVISION
LABEL org.opencontainers.image.title=loantap/batch \
    org.opencontainers.image.revision=$REVISION \
    org.opencontainers.image.version=$VERSION \
    org.opencontainers.image.source=$SOURCE
