#!/bin/sh
# Prints a Python that really runs and can make virtual environments. Looking for a name on PATH is
# not enough: a pyenv shim may stand there and fail, and Debian ships Python without venv.
# Usage: find_python.sh 3.11+   that or newer
#        find_python.sh 3.13    exactly that
set -u
wanted=$1

case $wanted in
*+) names="python3.13 python3.12 python3.11 python3 python" versions="3.13 3.12 3.11" ;;
*) names="python$wanted python3 python" versions=$wanted ;;
esac

candidates() {
    pyenv_root=$(pyenv root 2>/dev/null || echo "$HOME/.pyenv")
    for name in $names; do command -v "$name"; done
    for version in $versions; do
        uv python find --system --no-python-downloads "$version" 2>/dev/null
        ls -d "$pyenv_root/versions/$version"*/bin/python 2>/dev/null
    done
}

fits() {
    "$1" - "$wanted" 2>/dev/null <<'PYTHON'
import sys, venv, ensurepip
wanted = tuple(int(part) for part in sys.argv[1].rstrip("+").split("."))
found = sys.version_info[:2]
if found == wanted or (sys.argv[1].endswith("+") and found > wanted):
    print(sys.executable)
else:
    sys.exit(1)
PYTHON
}

IFS='
'
for candidate in $(IFS=' '; candidates); do
    if fits "$candidate"; then exit 0; fi
done

cat >&2 <<TEXT
No Python $wanted that runs and has venv was found on PATH, in uv or in pyenv.
Get it in one of these ways, then run make again:
  uv python install ${wanted%+}
  pyenv install ${wanted%+}
  apt-get install python${wanted%+} python${wanted%+}-venv   (or your system's packages)
  brew install python@${wanted%+}
TEXT
exit 1
