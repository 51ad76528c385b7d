#!/bin/sh
# Installs Debian's Chromium for the page's tests, where that may be done. Nothing happens when it
# is there already.
# Usage: get_chromium.sh   ends with 0 once a Chromium is on PATH
set -eu
if command -v chromium >/dev/null; then exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "No Chromium: install it, on Debian with \`apt-get install chromium\`" >&2
    exit 1
fi
echo "Installing Chromium" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
