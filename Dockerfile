# syntax=docker/dockerfile:1

# docker build --build-arg VERSION=$(git describe --tags --always) -t flowctl .
FROM golang:1.26-alpine AS build
WORKDIR /src
# The modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=development
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /flowctl ./cmd/flowctl

FROM alpine:3.22
RUN apk add --no-cache ca-certificates \
 && addgroup -S -g 10001 flowctl \
 && adduser -S -D -H -u 10001 -G flowctl flowctl \
 && install -d -m 0700 -o flowctl -g flowctl /data
COPY --from=build /flowctl /usr/local/bin/flowctl
USER 10001:10001
# The database of a single machine, and the key that secrets are sealed with.
VOLUME /data
ENV FLOWCTL_DATA=/data FLOWCTL_LISTEN=:8080
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]
# SIGTERM lets runs in hand end, for up to ten seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/flowctl"]
CMD ["serve"]
