# syntax=docker/dockerfile:1
# Two images from one file:  docker build --target server .   and   docker build --target trainer .
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS base
# The CPU build of torch by default; pass the index of a CUDA build for GPUs.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_EXTRA_INDEX_URL=${TORCH_INDEX} PIP_CONSTRAINT=/src/constraints.txt
RUN useradd --create-home --uid 10001 latentwalk && install -d -o latentwalk -g latentwalk /data
WORKDIR /src
# One heavy layer that changes only with the pinned versions, which PIP_CONSTRAINT holds.
COPY constraints.txt ./
# hadolint ignore=DL3013
RUN pip install torch numpy
COPY pyproject.toml README.md LICENSE ./
COPY protos ./protos
COPY core ./core
COPY client ./client
COPY deploy/healthcheck.py /usr/local/bin/healthcheck
# Where nothing else is said, the services keep what they keep in data/: here, in /data.
WORKDIR /
VOLUME /data
STOPSIGNAL SIGTERM

FROM base AS server
COPY server /src/server
RUN pip install "/src[server,lpips,tracing]"
USER 10001
ENV LATENTWALK_ADDRESS=0.0.0.0:50051 LATENTWALK_METRICS_ADDRESS=0.0.0.0:9464
EXPOSE 50051 9464
# Reading, measuring and warming the models may take minutes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s CMD ["python", "/usr/local/bin/healthcheck", "127.0.0.1:50051", "latentwalk.v1.GenerationService"]
ENTRYPOINT ["python", "-m", "latentwalk.server"]

FROM base AS trainer
COPY trainer /src/trainer
RUN pip install "/src[trainer,postgresql,tracing]"
USER 10001
ENV LATENTWALK_ADDRESS=0.0.0.0:50052 LATENTWALK_METRICS_ADDRESS=0.0.0.0:9465
EXPOSE 50052 9465
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["python", "/usr/local/bin/healthcheck", "127.0.0.1:50052", "latentwalk.v1.TrainingService"]
ENTRYPOINT ["python", "-m", "latentwalk.trainer"]
