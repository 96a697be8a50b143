# The hub as an image: built as a wheel, run by a user of its own. docs/deployment.md
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY fhir_server fhir_server
COPY adapters adapters
COPY conformance conformance
COPY terminology terminology
RUN python -m venv /hub && /hub/bin/pip install --no-cache-dir .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home hub
COPY --from=build /hub /hub
ENV PATH=/hub/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FHIR_HUB_HOST=0.0.0.0 \
    FHIR_HUB_MLLP=0.0.0.0:2575 \
    FHIR_HUB_STORE=sqlite:////data/hub.db
USER hub
VOLUME /data
EXPOSE 8080 2575
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["fhir-hub", "serve"]
