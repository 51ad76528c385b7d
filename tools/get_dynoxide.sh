#!/bin/sh
# Fetches dynoxide, a DynamoDB engine independent of moto, from npm for the contract tests.
# Its binary is for Linux on x86-64 only. Nothing happens when it is there already.
# Usage: get_dynoxide.sh   ends with 0 once build/dynoxide-VERSION/dynoxide is there
set -eu
version=1.2.1
sha512=\
b011ea97127d00d90b96e1646117dde6bf18d00a457b0e0584eae5860440803e\
17cc4a053ae904a359ee053435fa34eda1fab09f83564369344e7e663538e052
target=build/dynoxide-$version

cd "$(dirname "$0")/.."
if [ -x "$target/dynoxide" ]; then exit 0; fi

leave() {
    echo "No dynoxide ($1): the contract tests run without it" >&2
    exit 1
}

[ "$(uname -sm)" = "Linux x86_64" ] || leave "there is no binary for $(uname -sm)"
command -v npm >/dev/null || leave "npm is not on PATH"

echo "Fetching dynoxide $version (once)" >&2
mkdir -p build
work=$(mktemp -d build/dynoxide.XXXXXX)
trap 'rm -rf "$work"' EXIT

npm pack "@dynoxide/linux-x64@$version" --pack-destination "$work" --ignore-scripts \
    --loglevel error --prefer-offline --fetch-retries 0 --fetch-timeout 30000 \
    >"$work/npm.log" 2>&1 || { tail -n 5 "$work/npm.log" >&2; leave "npm could not fetch it"; }
mv "$work"/*.tgz "$work/package.tgz"
echo "$sha512  $work/package.tgz" | sha512sum --check --status ||
    leave "npm's package is not the one known here: its SHA-512 differs"
tar xzf "$work/package.tgz" -C "$work" package/dynoxide

# Whoever runs this at the same time moves the same file to the same place.
mkdir -p "$target"
mv "$work/package/dynoxide" "$target/dynoxide"
