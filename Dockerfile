# The image calls only Make targets that `make test` runs as well. It was not built where it was written: see docs/how-to/container.md.
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make git && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make wheel

FROM python:3.12-slim
COPY --from=build /src/dist/*.whl /tmp/
RUN python -m pip install --no-cache-dir "$(ls /tmp/*.whl)[bench,serial]" && rm /tmp/*.whl \
    && useradd --system --home-dir /var/lib/chargepoint --create-home chargepoint
USER chargepoint
VOLUME /var/lib/chargepoint
ENTRYPOINT ["chargepoint"]
CMD ["demo"]
