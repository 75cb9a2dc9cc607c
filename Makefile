# make demo and make test need Go and a C compiler, nothing else.

GO    ?= go
TAGS  := urfave_cli_no_docs
BUILD := CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w'
TOOL  := $(GO) tool -modfile=tools/go.mod

.PHONY: build demo test lint generate bench clean

build:
	$(BUILD) -o bin/zen ./cmd/zen
	$(BUILD) -o bin/zen-provider-clerk ./plugins/clerk
	$(BUILD) -o bin/zen-provider-platformtoken ./plugins/platformtoken

demo: build
	@bin/zen dev -- sh demo/demo.sh

# The last two are modules of their own: both drivers take the name libsql, and one
# is cgo with 136 MiB of libraries.
test:
	$(GO) test -race -tags $(TAGS) ./...
	cd devstack/clients/golibsql && $(GO) test ./...
	cd devstack/clients/libsqlclientgo && $(GO) test ./...

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	$(TOOL) staticcheck -tags $(TAGS) ./...
	GOOS=windows $(GO) vet -tags $(TAGS) ./core/... ./plugins/... ./cmd/...
	GOOS=darwin $(GO) vet -tags $(TAGS) ./core/... ./plugins/... ./cmd/...
	$(GO) mod tidy -diff

generate:
	$(GO) generate ./...

bench: build
	$(GO) run ./bench
	$(GO) test -run xxx -bench 'Select1|Read1000' -cpu 1 ./devstack/turso

clean:
	rm -rf bin
