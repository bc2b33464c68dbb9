#!/usr/bin/env bash
# Makes the lock files anew: Python packages (requirements/*.txt) and the broker's jars (luodi/local/kafka.lock.toml).
# Hashes yes, addresses never: whoever installs decides where from.
set -euo pipefail
cd "$(dirname "$0")/.."

UV=uv==0.13.9
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check "$UV"

compile() {  # NAME CONSTRAINTS… -- ARGUMENTS…: one list for every platform and every Python from 3.11 on
    local name=$1
    shift
    {
        echo "# Made by \`make lock\`."
        "$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --strip-extras \
            --no-header --no-annotate --no-config "$@" pyproject.toml
    } >"$scratch/$name.txt"
    if grep -nE '://|--(extra-)?index-url|--find-links' "$scratch/$name.txt"; then
        echo "requirements/$name.txt would carry an address" >&2
        exit 1
    fi
}

compile base
compile build --extra build --constraint "$scratch/base.txt"  # what makes the image's wheel
compile local --extra local --extra build --constraint "$scratch/base.txt"
compile dev --extra local --extra build --extra dev --constraint "$scratch/local.txt"
mv "$scratch"/{base,build,local,dev}.txt requirements/

.venv/bin/python -m luodi.local.locking
