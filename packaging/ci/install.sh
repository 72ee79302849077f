#!/usr/bin/env bash
# Installs the released binary into the folder that is the argument, and prints that folder.
#   VERSION   release, such as v1.2.3
#   DIGEST    SHA-256 of its archive for this machine; empty: from packaging/ci/digests.txt, which each release brings
#   BASE_URL  where releases are; for mirrors
set -euo pipefail
folder=${1:?usage: install.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
base=${BASE_URL:-https://github.com/emaconform/emaconform/releases/download}
case "$(uname -s)" in
  Linux) os=linux kind=tar.gz ;;
  Darwin) os=darwin kind=tar.gz ;;
  MINGW* | MSYS* | CYGWIN*) os=windows kind=zip ;;
  *) echo "emaconform: there is no release for $(uname -s)" >&2; exit 2 ;;
esac
case "$(uname -m)" in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) echo "emaconform: there is no release for $(uname -m)" >&2; exit 2 ;;
esac
archive=emaconform_${VERSION#v}_${os}_${arch}.$kind
digest=${DIGEST:-$(awk -v name="$archive" '$2 == name { print $1 }' "$here/digests.txt")}
if [ -z "$digest" ]; then
  echo "emaconform: no digest is known for $archive: give the input digest, or use the action of that release" >&2
  exit 2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
curl --fail --silent --show-error --location --retry 3 --output "$scratch/$archive" "$base/$VERSION/$archive"
actual=$( (sha256sum "$scratch/$archive" 2>/dev/null || shasum -a 256 "$scratch/$archive") | cut -d' ' -f1)
if [ "$actual" != "$digest" ]; then
  echo "emaconform: $archive has the digest $actual, expected $digest: not installed" >&2
  exit 2
fi
mkdir -p "$folder"
if [ "$kind" = zip ]; then unzip -q "$scratch/$archive" -d "$folder"; else tar -xzf "$scratch/$archive" -C "$folder"; fi
echo "$folder"
