# The released binary and nothing else: no shell, no package manager, no network in this build. The certificate authorities of the web
# are in the binary (golang.org/x/crypto/x509roots/fallback). Build it after `make build`:
#
#   docker build -t emaconform .
#   docker run --rm --read-only -v "$PWD/reports:/reports" emaconform server --config /reports/ema.yaml --out /reports/out
#
# The folder that is mounted at /reports has to be writable for user 65532.
FROM scratch
COPY bin/emaconform /emaconform
USER 65532:65532
WORKDIR /reports
VOLUME /reports
# There is no /tmp here; what a run needs for a moment goes where its reports go.
ENV TMPDIR=/reports
ENTRYPOINT ["/emaconform"]
