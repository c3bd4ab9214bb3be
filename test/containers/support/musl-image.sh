#!/usr/bin/env bash
# Builds the image of a host whose sessions are in an Alpine-like tree: musl's loader, busybox and nothing else, in /musl, where
# sshd changes its root to. musl and busybox are Debian packages, by the container's own apt with this machine's sources and
# network. Prints the image's name.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/derived-image.sh" musl /etc/apt <<'BUILD'
apt-get update -q
apt-get install -y -q --no-install-recommends musl busybox-static
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
mkdir -p /musl/bin /musl/lib /musl/dev /musl/etc /musl/home /musl/tmp /musl/usr/bin /musl/proc
chmod 1777 /musl/tmp
cp /bin/busybox /musl/bin/busybox
for tool in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox "/musl/bin/$tool"; done
# What tells a tree with musl from one with glibc, and runs its programs
cp -L /lib/ld-musl-*.so.1 /musl/lib/
mknod -m 666 /musl/dev/null c 1 3
mknod -m 666 /musl/dev/urandom c 1 9
BUILD
