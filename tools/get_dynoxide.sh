#!/bin/sh
# Fetches dynoxide, a DynamoDB engine independent of moto, from npm for the contract tests.
# Its binary is for Linux on x86-64 only. Nothing happens when it is there already.
# Usage: get_dynoxide.sh   ends with 0 once build/dynoxide-VERSION/dynoxide is there
set -eu
version=1.2.1
sha512=\
b011ea97127d00d90b96e1646117dde6bf18d00a457b0e0584eae5860440803e\
17cc4a053ae904a359ee053435fa34eda1fab09f83564369344e7e663538e052
without="the contract tests run without it"

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "No dynoxide (there is no binary for $(uname -sm)): $without" >&2
    exit 1
fi
exec "$(dirname "$0")/npm_file.sh" @dynoxide/linux-x64 $version $sha512 dynoxide \
    build/dynoxide-$version/dynoxide "$without"
