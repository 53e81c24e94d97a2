#!/usr/bin/env bash
# bare.sh: what is committed, on a Debian 12 that has nothing yet. Makes one
# (debootstrap, minbase) below $TMPDIR from the package source that this machine
# itself uses, and in it runs ./run.sh and ./test.sh, which have to fetch all they
# need. Needs root, about 3 GB, and some minutes; leaves nothing behind.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "bare.sh: $*" >&2; }

if ((EUID != 0)); then
  say "only root can make a Debian in a folder"
  exit 1
fi
if [[ ${1-} != inside ]]; then
  # With a mount and a process namespace of its own, whatever is mounted or left
  # running in the folder is gone when this script is, however it ends.
  folder=$(mktemp -d "${TMPDIR:-/tmp}/chatd-bare.XXXXXX")
  trap 'rm -rf --one-file-system "$folder"' EXIT
  chmod 755 "$folder"  # it is the root folder of users who are not root, too
  unshare --mount --pid --fork --kill-child "$0" inside "$folder" </dev/null
  exit
fi
folder=$2

# shellcheck disable=SC2016  # apt fills these in, not the shell
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' | grep -E ' bookworm(-updates|-security)? main$' | sort -u) || true
origin=$(awk '$3 == "bookworm" { print $2; exit }' <<<"$sources")
if [[ -z $origin ]]; then
  say "apt on this machine knows no source for Debian 12"
  exit 1
fi

say "making a Debian 12"
debootstrap --variant=minbase bookworm "$folder" "$origin" >"$folder.log" 2>&1 || {
  tail -n 20 "$folder.log" >&2
  rm -f "$folder.log"
  exit 1
}
rm -f "$folder.log"
echo "$sources" >"$folder/etc/apt/sources.list"
apt-config dump Acquire | grep -i '::proxy ' >"$folder/etc/apt/apt.conf.d/proxy" || true
mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
mount --bind /sys "$folder/sys"
mkdir "$folder/chatd"
git archive HEAD | tar -x -C "$folder/chatd"

inside() {
  chroot "$folder" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} ${CI:+CI="$CI"} "$@"
}

say "running ./run.sh --version in it"
version=$(inside /chatd/run.sh --version)
say "standard output was: $version"
if [[ $(wc -l <<<"$version") != 1 || $version != chatd* ]]; then
  say "that should have been one line, the version of chatd"
  exit 1
fi

say "running ./test.sh in it"
inside /chatd/test.sh
