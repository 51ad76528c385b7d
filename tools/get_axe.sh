#!/bin/sh
# Fetches axe-core, which looks for obstacles to accessibility, from npm for the page's tests.
# Usage: get_axe.sh   ends with 0 once build/axe-VERSION/axe.min.js is there
set -eu
version=4.14.1
sha512=\
1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73\
4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

exec "$(dirname "$0")/npm_file.sh" axe-core $version $sha512 axe.min.js \
    build/axe-$version/axe.min.js "the page is not checked for accessibility"
