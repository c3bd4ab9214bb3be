#!/usr/bin/env bash
# Builds the image in which resource types are tried: the base image with package managers, init systems and cron, all of
# them Debian packages, by the container's own apt with this machine's sources and network. Prints the image's name, alone,
# on stdout. Its name holds the hash of this script and of the base image: an unchanged one costs nothing.
set -euo pipefail

script="${BASH_SOURCE[0]}"
base="$("$(dirname "$script")/base-image.sh")"
image="mop-test-types:$( (sha256sum <"$script"; docker image inspect --format '{{.Id}}' "$base") | sha256sum | cut -c1-12)"
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image"
  exit 0
fi

packages="dnf createrepo-c rpm zypper pacman-package-manager libarchive-tools python3-pip python3-setuptools npm gnupg"
packages="$packages systemd-sysv dbus openrc cron kmod"

mounts=(-v /etc/apt:/etc/apt:ro)
[ -d /usr/share/keyrings ] && mounts+=(-v /usr/share/keyrings:/usr/share/keyrings:ro)
container="$(docker create --network host "${mounts[@]}" -e DEBIAN_FRONTEND=noninteractive "$base" sh -ec "
  apt-get update -q
  apt-get install -y -q --no-install-recommends $packages
  rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/share/doc/* /usr/share/man/*
")"
trap 'docker rm -f "$container" >/dev/null' EXIT
docker start --attach "$container" >&2
docker commit --change 'CMD ["sleep", "1800"]' --change 'ENV DEBIAN_FRONTEND=' "$container" "$image" >/dev/null
echo "$image"
