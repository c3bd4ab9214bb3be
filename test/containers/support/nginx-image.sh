#!/usr/bin/env bash
# Builds the image on which examples/nginx is tried: the base image with a repository of its own, which holds nginx and what
# it needs as Debian packages that are not installed, and no other. So a host on a network without a way out installs them
# as it would elsewhere. Prints the image's name.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/derived-image.sh" nginx /build/apt <<'BUILD'
mkdir -p /repo/pool/partial
apt-get -o Dir::Etc=/build/apt update -q
apt-get -o Dir::Etc=/build/apt -o Dir::Cache::archives=/repo/pool install -q -y --download-only nginx
rm -rf /repo/pool/partial /repo/pool/lock /var/lib/apt/lists/* /var/cache/apt/*.bin
cd /repo
for file in pool/*.deb; do
  dpkg-deb -f "$file"
  printf "Filename: %s\nSize: %s\nSHA256: %s\n\n" "$file" "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -d" " -f1)"
done >Packages
printf "Types: deb\nURIs: file:///repo\nSuites: ./\nTrusted: yes\n" >/etc/apt/sources.list.d/repo.sources
BUILD
