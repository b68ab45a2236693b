# syntax=docker/dockerfile:1
# One image for the gateway, the workers and the one-shot commands. Linux only; no embedded engine, no test tools.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# Some packages of the lock have no wheel on every architecture.
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml requirements.lock deploy/runtime_requirements.py ./
RUN python runtime_requirements.py pyproject.toml requirements.lock streams clickhouse notifications > runtime.lock \
    && python -m venv /opt/tokenweir \
    && /opt/tokenweir/bin/pip install --require-hashes --requirement runtime.lock
# The build backend, at the lock's version and hash, stays out of the image.
RUN python -c "import pathlib, re; text = pathlib.Path('requirements.lock').read_text(); \
print(next(entry for entry in re.split(r'\n(?=[A-Za-z0-9])', text) if entry.startswith('uv-build==')))" > backend.lock \
    && python -m venv /opt/backend \
    && /opt/backend/bin/pip install --require-hashes --requirement backend.lock
COPY LICENSE README.md ./
COPY tokenweir tokenweir
COPY producers producers
COPY streams streams
COPY sinks sinks
COPY dashboards dashboards
RUN PATH="/opt/backend/bin:$PATH" /opt/backend/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/tokenweir/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/tokenweir/bin/weir --version
# A container is read-only and could not keep the compiled price book; it comes with one.
RUN /opt/tokenweir/bin/python -c "from pathlib import Path; from tokenweir.pricing import PriceBook; \
PriceBook.default(cache_dir=Path('/opt/tokenweir/prices'))"

FROM python:3.12-slim
RUN groupadd --gid 10001 tokenweir \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tokenweir \
    && install --directory --owner 10001 --group 10001 /var/lib/notifications
COPY --from=build /opt/tokenweir /opt/tokenweir
ENV PATH="/opt/tokenweir/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    TOKENWEIR_PRICING__CACHE_DIR=/opt/tokenweir/prices
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["weir"]
CMD ["--help"]
