#!/usr/bin/env bash
# Judges statements of the list by its policy. Arguments: results/VENDOR/CONNECTOR/VERSION/statement.json…; EMACONFORM names the program.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${EMACONFORM:-emaconform}
failed=0
for statement in "$@"; do
  path=$(realpath --relative-to="$here" "$statement")
  if [[ ! $path =~ ^[a-z0-9.-]+/[a-z0-9.-]+/[a-z0-9.-]+/statement\.json$ || $path == *..* ]]; then
    echo "$statement: expected results/VENDOR/CONNECTOR/VERSION/statement.json" >&2
    failed=2
    continue
  fi
  key=$here/${path%%/*}/vendor.key.pub
  if [ ! -f "$key" ]; then
    echo "$statement: expected the vendor's public key in $key" >&2
    failed=2
    continue
  fi
  echo "== $path"
  "$program" verify "$statement" --key "$key" --policy "$here/policy.yaml" || failed=1
done
exit "$failed"
