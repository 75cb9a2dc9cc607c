#!/bin/sh
# Signs the sums of a release with your own key, without a transparency log:
#   COSIGN_PASSWORD=... scripts/sign.sh COSIGN_KEY [DIR]
# cosign is built on first use, which takes minutes.
set -eu
[ $# -gt 0 ] && [ -f "$1" ] || {
	echo "sign: no key: make sign COSIGN_KEY=cosign.key, which cosign generate-key-pair makes" >&2
	exit 2
}
sums=${2:-dist}/SHA256SUMS
[ -f "$sums" ] || {
	echo "sign: there is no $sums: make release first" >&2
	exit 2
}
GOFLAGS='' ${GO:-go} run github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3 sign-blob --yes \
	--key "$1" --tlog-upload=false --use-signing-config=false --bundle "$sums.sigstore.json" "$sums"
