#!/usr/bin/env bash
# Builds the image on which examples/nginx is tried: the base image with a repository of its own, which holds nginx and what
# it needs as Debian packages that are not installed, and no other. So a host on a network without a way out installs them
# as it would elsewhere. Prints the image's name, alone, on stdout. Its name holds the hash of this script and of the base
# image: an unchanged one costs nothing.
set -euo pipefail

script="${BASH_SOURCE[0]}"
base="$("$(dirname "$script")/base-image.sh")"
image="mop-test-nginx:$( (sha256sum <"$script"; docker image inspect --format '{{.Id}}' "$base") | sha256sum | cut -c1-12)"
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image"
  exit 0
fi

mounts=(-v /etc/apt:/build/apt:ro)
[ -d /usr/share/keyrings ] && mounts+=(-v /usr/share/keyrings:/usr/share/keyrings:ro)
container="$(docker create --network host "${mounts[@]}" -e DEBIAN_FRONTEND=noninteractive "$base" bash -ec '
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
')"
trap 'docker rm -f "$container" >/dev/null' EXIT
docker start --attach "$container" >&2
docker commit --change 'CMD ["sleep", "1800"]' --change 'ENV DEBIAN_FRONTEND=' "$container" "$image" >/dev/null
echo "$image"
