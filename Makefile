# make demo and make test need Go and a C compiler, nothing else.

GO    ?= go
TAGS  := urfave_cli_no_docs
MODULE := github.com/zen-auth/zen
BUILD := CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS)
# zen-full has replicas and local databases if there is a C compiler to link them.
BUILD_FULL := CGO_ENABLED=$(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo 1 || echo 0) $(GO) build -trimpath -tags $(TAGS)
# grpc's page of traces has templates, for whose sake the linker would keep every method.
BUILD_PROVIDER := $(BUILD),grpcnotrace
PROVIDERS := apikey auth0 clerk oidc openbao platformtoken statictoken
TOOL  := $(GO) tool -modfile=tools/go.mod

.PHONY: build release packages sign compatible reproduce plugins demo demo-team test test-cluster test-packages test-all all-zen all-openbao all-golibsql all-libsqlclientgo all-gooidc all-orm all-suites test-windows test-arm64 live lint generate bench site pictures clean

# The providers are built first, because their sums are linked into zen. zen is a quick
# front: zen-full does what needs more than a stored token, except for zen db query, which
# zen-query does faster.
build:
	set -e; for p in $(PROVIDERS); do $(BUILD_PROVIDER) -ldflags '-s -w' -o bin/zen-provider-$$p ./plugins/$$p; done
	set -e; sums=$$(cd bin && for p in $(PROVIDERS); do \
		f=zen-provider-$$p; \
		printf '%s=%s,' $$p $$({ sha256sum $$f 2>/dev/null || shasum -a 256 $$f; } | cut -c1-64); done); \
	$(BUILD_FULL) -ldflags "-s -w -X $$($(GO) list -m)/internal/cli/client.bundled=$$sums" -o bin/zen-full ./cmd/zen
	$(BUILD),query -ldflags '-s -w' -o bin/zen-query ./cmd/zen
	$(BUILD),front -ldflags '-s -w' -o bin/zen ./cmd/zen

# The archives of a release, in dist. The same commit and Go version give the same bytes.
# DOWNLOADS is where install.sh finds them: a placeholder until they are published.
DOWNLOADS :=
TARGETS := linux/amd64,linux/arm64,linux/amd64/static,linux/arm64/static,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64
release:
	scripts/install-release-tools.sh
	$(GO) run ./scripts/release -providers '$(PROVIDERS)' -targets '$(TARGETS)' -downloads '$(DOWNLOADS)'

# Packages for Debian, Red Hat and Alpine, an image, and the list of zen's contents, built
# from the archives for Linux in dist.
packages:
	$(GO) run ./scripts/release -packages

# Signs SHA256SUMS in dist with your own key: COSIGN_KEY=cosign.key, COSIGN_PASSWORD.
sign:
	scripts/sign.sh '$(COSIGN_KEY)'

# Compares the exported API and the protocol with the last tag.
compatible:
	scripts/compatible.sh

# Builds one target twice, in two directories with separate caches.
reproduce:
	scripts/reproduce.sh

demo: build
	@bin/zen dev -- sh demo/demo.sh

# OpenBao's plugins have their own directory, as a server requires.
plugins:
	set -e; for p in secrets-turso auth-clerk; do \
		(cd openbao && $(BUILD) -ldflags '-s -w' -o ../bin/openbao/openbao-plugin-$$p ./cmd/openbao-plugin-$$p); done

demo-team: build plugins
	@bin/zen dev --team -- sh demo/team.sh

# The tests of these start processes and wait for them: the race detector would find
# nothing there that it doesn't find in the packages under test, and each start of a test
# binary as a provider would take several times as long. test-all uses it here, too.
PROCESSES := internal/cli internal/host/conformance internal/host/install internal/programs live scripts/release

# Makes the race detector not wait when a program exits.
export GORACE ?= atexit_sleep_ms=0

# test is for every change, and needs only Go and the C compiler. make lint runs go vet.
# The race detector skips SQLite, which is C translated to Go.
test:
	$(GO) test -short -vet=off -parallel 4 -timeout 20m -tags $(TAGS) $(addprefix ./,$(PROCESSES))
	$(GO) test -race -gcflags=modernc.org/...=-race=false -short -vet=off -parallel 4 -timeout 20m -tags $(TAGS) \
		$$($(GO) list -tags $(TAGS) ./... | grep -vxF "$$(printf '$(MODULE)/%s\n' $(PROCESSES))")
	cd openbao && $(GO) test -short -vet=off -timeout 5m ./...

# test-all adds third-party clients, drivers and suites, browsers and clusters, and the
# race detector everywhere. It runs every night (.ci/run-all), in at most an hour; its
# parts can be run separately.
test-all: all-zen all-openbao all-golibsql all-libsqlclientgo all-gooidc all-orm all-suites test-packages

all-zen:
	$(GO) test -race -parallel 4 -timeout 30m -tags $(TAGS) ./...

all-openbao:
	cd openbao && ZEN_TEST_CLUSTER=1 $(GO) test -race -timeout 15m ./...

# These are separate modules: both drivers register the name libsql, one uses cgo with 136
# MiB of libraries, and the ORMs have many dependencies that zen doesn't need.
all-golibsql all-libsqlclientgo all-gooidc all-orm: all-%:
	cd devstack/clients/$* && $(GO) test -timeout 15m ./...

# The TypeScript clients' own tests, through zen proxy, from checkouts in SUITES.
SUITES :=
all-suites: build
	PATH="$(CURDIR)/bin:$$PATH" SUITES='$(SUITES)' devstack/clients/suites/all.sh

# Installs packages in separate root directories, as root, and tests make compatible and a
# signature. It takes minutes on two cores.
test-packages:
	ZEN_TEST_PACKAGES=1 $(GO) test -count=1 -timeout 60m -run 'TestPackages|TestCompatible|TestSign' ./scripts/release

# Three OpenBao nodes on the loopback that lose their leader. It takes a minute.
test-cluster:
	cd openbao && ZEN_TEST_CLUSTER=1 $(GO) test -count=1 -v -timeout 15m -run TestCluster .

# zen for Windows, run on Linux under Wine, which scripts/install-foreign-tools.sh
# installs. It takes a quarter of an hour.
test-windows:
	scripts/test-windows.sh

# zen for Linux on arm64, with replicas, run under QEMU.
test-arm64:
	scripts/test-arm64.sh

# Asks the real Clerk, Auth0 and Turso, with the credentials in the environment:
# docs/live.md.
live:
	ZEN_LIVE_TRANSCRIPT=$${ZEN_LIVE_TRANSCRIPT:-$(CURDIR)/live-transcript.md} \
		$(GO) test -tags $(TAGS),live -count=1 -v -timeout 60m -run '^TestLive$$' ./live

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	$(GO) vet -tags $(TAGS),live ./live
	$(TOOL) staticcheck -tests=false -tags $(TAGS),front ./cmd/zen
	$(TOOL) staticcheck -tests=false -tags $(TAGS),query ./cmd/zen
	$(TOOL) staticcheck -tags $(TAGS) ./...
	$(TOOL) actionlint
	GOOS=windows $(GO) vet -tags $(TAGS) ./core/... ./internal/... ./plugins/... ./cmd/...
	GOOS=windows $(GO) build -tags $(TAGS),front -o /dev/null ./cmd/zen
	GOOS=darwin $(GO) vet -tags $(TAGS) ./core/... ./internal/... ./plugins/... ./cmd/...
	$(GO) mod tidy -diff
	scripts/compatible.sh
	cd openbao && $(GO) vet ./... && $(GO) mod tidy -diff

generate:
	$(GO) generate ./...
	cd devstack/clients/orm && $(GO) generate ./...

bench: build plugins
	$(GO) run ./bench -json docs/benchmarks.json -page docs/benchmarks.md

# Draws the terminal pictures in docs/pictures from real terminals. make test fails when
# they are outdated.
pictures:
	$(GO) test -count=1 -tags $(TAGS) ./internal/cli -run '^(TestPictures|TestInitAtATerminal)$$' -update-pictures

# Builds a static web site from the pages of docs, in dist/site.
site:
	$(GO) run ./scripts/site

clean:
	rm -rf bin
