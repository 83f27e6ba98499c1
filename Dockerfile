# syntax=docker/dockerfile:1
FROM python:3.12-slim AS build

# This stage builds the environment. The final image gets the environment without the build tools.
WORKDIR /src
# The build installs Node from PyPI to build the GraphiQL page; the final image does not contain it.
COPY pyproject.toml constraints.txt constraints-azure.txt README.md LICENSE hatch_build.py ./
COPY gql_server gql_server
COPY schema schema
COPY frontend frontend
# `--build-arg AZURE=true` adds the plugin for Azure, which needs an older MLflow.
ARG AZURE=false
RUN python -m venv /opt/gql-server \
    && if [ "$AZURE" = true ]; then \
        /opt/gql-server/bin/python -m pip install --no-cache-dir --constraint constraints-azure.txt '.[azure,postgres,mysql,redis,tables]'; \
    else \
        /opt/gql-server/bin/python -m pip install --no-cache-dir --constraint constraints.txt '.[postgres,mysql,redis,tables]'; \
    fi

FROM python:3.12-slim

RUN useradd --system --create-home --home-dir /home/gql --uid 10001 gql
COPY --from=build /opt/gql-server /opt/gql-server
ENV PATH="/opt/gql-server/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    GQL_HOST=0.0.0.0 \
    GQL_PORT=8000
USER gql
WORKDIR /home/gql
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"GQL_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["gql-server"]
CMD ["serve"]
