#!/usr/bin/env bash
# derived-image.sh KIND APT: builds an image over the base image by the bash script on stdin, which runs in a container with
# this machine's network and its apt configuration at APT. Prints the image's name, alone, on stdout. Its name holds the
# hash of that script and of the base image: an unchanged one costs nothing.
set -euo pipefail

kind="$1"
apt="$2"
build="$(cat)"
base="$("$(dirname "${BASH_SOURCE[0]}")/base-image.sh")"
image="mop-test-$kind:$( (echo "$build"; docker image inspect --format '{{.Id}}' "$base") | sha256sum | cut -c1-12)"
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image"
  exit 0
fi

mounts=(-v "/etc/apt:$apt:ro")
[ -d /usr/share/keyrings ] && mounts+=(-v /usr/share/keyrings:/usr/share/keyrings:ro)
container="$(docker create --network host "${mounts[@]}" -e DEBIAN_FRONTEND=noninteractive "$base" bash -ec "$build")"
trap 'docker rm -f "$container" >/dev/null' EXIT
docker start --attach "$container" >&2
docker commit --change 'CMD ["sleep", "1800"]' --change 'ENV DEBIAN_FRONTEND=' "$container" "$image" >/dev/null
echo "$image"
