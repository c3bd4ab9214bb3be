#!/usr/bin/env bash
# Builds the image that every host of the container lab starts from, without a registry: debootstrap from the
# mirror that this machine's own apt uses, then `docker import`. Prints the image's name, alone, on stdout.
#   MOP_TEST_BASE_IMAGE   take this image instead (it needs the same packages)
#   MOP_TEST_MIRROR, MOP_TEST_SUITE   another mirror or release than apt's
# The name holds the hash of this script: an edit builds anew, an unchanged one costs nothing.
set -euo pipefail

if [ -n "${MOP_TEST_BASE_IMAGE:-}" ]; then
  echo "$MOP_TEST_BASE_IMAGE"
  exit 0
fi

# Read by bash from here on, so that the hash is of what runs.
script="${BASH_SOURCE[0]}"
image="mop-test-base:$(sha256sum "$script" | cut -c1-12)"
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image"
  exit 0
fi

packages=openssh-server,openssh-sftp-server,nodejs,sudo,opendoas,iproute2,procps,tcpdump,dropbear-bin,ca-certificates

. /etc/os-release
suite="${MOP_TEST_SUITE:-${VERSION_CODENAME:-bookworm}}"
components=main
[ "${ID:-}" = ubuntu ] && components=main,universe

# The first archive for the release itself among apt's sources, in the one-line and in the deb822 style.
apt_mirror() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    awk -v suite="$suite" '$1 == "deb" { sub(/\[[^]]*\] */, ""); if ($3 == suite) { print $2; exit } }' "$file"
  done
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    awk -v suite="$suite" '
      function flush() { if (uri != "" && (" " suites " ") ~ (" " suite " ")) { print uri; found = 1 } uri = ""; suites = "" }
      /^[[:space:]]*$/ { flush(); if (found) exit }
      /^URIs:/ { uri = $2 }
      /^Suites:/ { $1 = ""; suites = $0 }
      END { if (!found) flush() }' "$file"
  done
}
mirror="${MOP_TEST_MIRROR:-$(apt_mirror | head -n 1)}"
if [ -z "$mirror" ]; then
  echo "base-image.sh: no mirror for $suite in apt's sources; name one in MOP_TEST_MIRROR" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
  echo "base-image.sh: building the base image needs root and debootstrap; or name an image in MOP_TEST_BASE_IMAGE" >&2
  exit 1
fi

root="$(mktemp -d "${TMPDIR:-/tmp}/mop-base.XXXXXX")"
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
keyring=()
for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/ubuntu-archive-keyring.gpg; do
  [ -f "$file" ] && [ "${ID:-}" = "$(basename "$file" | cut -d- -f1)" ] && keyring=("--keyring=$file")
done
debootstrap "${keyring[@]}" --variant=minbase --components="$components" --include="$packages" \
  "$suite" "$root" "$mirror" >&2 || {
  tail -n 20 "$root/debootstrap/debootstrap.log" >&2 2>/dev/null || true
  exit 1
}

# Small, and without a trace of the machine that built it. Host keys are each container's own.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/* \
  "$root"/var/log/* "$root"/etc/ssh/ssh_host_* "$root"/etc/apt/sources.list "$root"/etc/hostname \
  "$root"/etc/resolv.conf "$root"/var/log/bootstrap.log
mkdir -p "$root/run/sshd"
tar -C "$root" --numeric-owner -c . | docker import \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$image" >/dev/null
echo "$image"
