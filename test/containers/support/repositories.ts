/** Shell scripts that make small repositories of packages below /repo, as their distributions have them. */

/** Each package "NAME VERSION" holds one file, /opt/NAME, with its version. */
const each = (packages: readonly string[], lines: string): string =>
  packages.map((one) => `( set -- ${one}\n${lines}\n)`).join("\n");

/** Debian's rpm has a database for each user, but the managers have theirs where other distributions have it. */
export const RPM_DATABASE = "mkdir -p /etc/rpm; echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros";

/** A key of one's own, exported to /repo/key.asc. */
export const SIGNING_KEY = `
mkdir -p /repo && export GNUPGHOME=/root/.gnupg && mkdir -m 700 -p $GNUPGHOME
gpg -q --batch --passphrase '' --quick-gen-key 'Trial <trial@example.com>' rsa2048 sign never
gpg -q --armor --export trial@example.com >/repo/key.asc
gpg -q --export trial@example.com >/repo/key.gpg`;

/**
 * A signed repository of Debian packages at file:///repo/deb, suite "trial"; a third word is what a package needs. All of
 * them provide "fruit", and have a configuration file, /etc/NAME.
 */
export const debRepository = (packages: readonly string[]): string => `
mkdir -p /repo/deb/pool /repo/deb/dists/trial/main/binary-all && cd /repo/deb
arch=$(dpkg --print-architecture)
mkdir -p dists/trial/main/binary-$arch
${each(
  packages,
  `d=$(mktemp -d) && chmod 755 $d && mkdir -p $d/DEBIAN $d/opt $d/etc && echo $2 | tee $d/opt/$1 >$d/etc/$1 && echo /etc/$1 >$d/DEBIAN/conffiles
printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Trial <trial@example.com>\\nDescription: trial\\nProvides: fruit\\n' $1 $2 >$d/DEBIAN/control
[ -z "$3" ] || echo "Depends: $3" >>$d/DEBIAN/control
dpkg-deb --root-owner-group -b $d pool/$1_$2_all.deb >/dev/null`,
)}
for f in pool/*.deb; do dpkg-deb -f $f; echo "Filename: $f"; echo "Size: $(stat -c %s $f)"
  echo "SHA256: $(sha256sum <$f | cut -d' ' -f1)"; echo; done >dists/trial/main/binary-$arch/Packages
cd dists/trial
{ printf 'Origin: trial\\nSuite: trial\\nCodename: trial\\nComponents: main\\nArchitectures: %s\\nDate: %s\\nSHA256:\\n' \\
    $arch "$(date -Ru)"
  for f in main/binary-$arch/Packages; do
    echo " $(sha256sum <$f | cut -d' ' -f1) $(stat -c %s $f) $f"; done; } >Release
gpg -q --batch --yes --clearsign -o InRelease Release`;

/** Signed packages and their metadata at file:///repo/rpm; a third word is what a package needs. */
export const rpmRepository = (packages: readonly string[]): string => `
mkdir -p /repo/rpm && cd /repo/rpm && rm -f *.rpm
${each(
  packages,
  `printf '%s\\n' "Name: $1" "Version: $2" "Release: 1" "Summary: trial" "License: MIT" "BuildArch: noarch" \\
  "\${3:+Requires: $3}" \\
  '%description' trial '%install' "mkdir -p %{buildroot}/opt; echo $2 >%{buildroot}/opt/$1" '%files' "/opt/$1" >/tmp/$1.spec
rpmbuild -bb --quiet --define '_rpmdir /repo/rpm' --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm' /tmp/$1.spec >/dev/null 2>&1`,
)}
rpm --define '_gpg_name trial@example.com' --define '__gpg /usr/bin/gpg' --addsign *.rpm >/dev/null 2>&1
createrepo_c -q .`;

/** A repository "trial" of pacman at /repo/pacman; a third word is what a package needs. */
export const pacmanRepository = (packages: readonly string[]): string => `
mkdir -p /repo/pacman && cd /repo/pacman && rm -rf * && mkdir db
${each(
  packages,
  `d=$(mktemp -d) && mkdir $d/opt && echo $2 >$d/opt/$1
printf 'pkgname = %s\\npkgver = %s\\npkgdesc = trial\\narch = any\\nsize = 2\\n' $1 $2 >$d/.PKGINFO
[ -z "$3" ] || echo "depend = $3" >>$d/.PKGINFO
f=$1-$2-any.pkg.tar.gz && bsdtar -C $d -czf $f .PKGINFO opt && mkdir db/$1-$2
printf '%%FILENAME%%\\n%s\\n\\n%%NAME%%\\n%s\\n\\n%%VERSION%%\\n%s\\n\\n%%CSIZE%%\\n%s\\n\\n%%ISIZE%%\\n2\\n\\n%%ARCH%%\\nany\\n\\n' \\
  $f $1 $2 $(stat -c %s $f) >db/$1-$2/desc
[ -z "$3" ] || printf '%%DEPENDS%%\\n%s\\n\\n' $3 >>db/$1-$2/desc`,
)}
bsdtar -C db -czf trial.db $(ls db)`;

/** Wheels in /repo/pip, and a configuration that makes pip look nowhere else. */
export const wheels = (packages: readonly string[]): string => `
mkdir -p /repo/pip
printf '[global]\\nno-index = true\\nfind-links = /repo/pip\\n' >/etc/pip.conf
${each(
  packages,
  `python3 - $1 $2 <<'PY'
import sys, zipfile
name, version = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(f"/repo/pip/{name}-{version}-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}.py", f"version = {version!r}\\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
PY`,
)}`;

/** A registry of npm on loopback, and a configuration that makes npm ask it. */
export const npmRegistry = (packages: readonly string[]): string => `
mkdir -p /repo/npm && cd /repo/npm
${each(
  packages,
  `d=$(mktemp -d) && mkdir $d/package && printf '{"name":"%s","version":"%s"}' $1 $2 >$d/package/package.json
tar -C $d -czf $1-$2.tgz package`,
)}
cat >/repo/registry.js <<'JS'
const { readdirSync, readFileSync } = require("fs");
require("http").createServer((request, response) => {
  const [, name, , file] = decodeURIComponent(request.url).split("/");
  if (file) return response.end(readFileSync("/repo/npm/" + file));
  const versions = readdirSync("/repo/npm").filter((f) => f.startsWith(name + "-")).map((f) => f.slice(name.length + 1, -4)).sort();
  if (versions.length === 0) return response.writeHead(404).end("{}");
  const entry = (version) => [version, { name, version,
    dist: { tarball: "http://127.0.0.1:4873/" + name + "/-/" + name + "-" + version + ".tgz" } }];
  response.end(JSON.stringify({ name, "dist-tags": { latest: versions[versions.length - 1] },
    versions: Object.fromEntries(versions.map(entry)) }));
}).listen(4873, "127.0.0.1");
JS
node /repo/registry.js >/dev/null 2>&1 &
echo 'registry=http://127.0.0.1:4873/' >/root/.npmrc`;
