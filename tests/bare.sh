#!/usr/bin/env bash
# bare.sh [SUITE...]: runs ./run.sh and ./test.sh of what is committed on a minimal Debian,
# where they have to fetch all that they need. Does so for each suite: without arguments for
# bookworm (Debian 12) and trixie (13). Needs root, about 3 GB below $TMPDIR, and some minutes
# for each; leaves nothing behind but the minimal Debian in build/debian.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "bare.sh: $*" >&2; }

if ((EUID != 0)); then
  say "only root can make a Debian in a folder"
  exit 1
fi
if [[ ${1-} != inside ]]; then
  (($#)) || set -- bookworm trixie
  for suite in "$@"; do
    minimal=$(tests/support/debian.sh "$suite")
    # In mount and process namespaces of its own: whatever is mounted or left running in
    # the folder goes with this script, however it ends.
    folder=$(mktemp -d "${TMPDIR:-/tmp}/chatd-bare.XXXXXX")
    trap 'rm -rf --one-file-system "$folder"' EXIT
    cp -a "$minimal/." "$folder"
    unshare --mount --pid --fork --kill-child "$0" inside "$suite" "$folder" </dev/null
    rm -rf --one-file-system "$folder"
  done
  exit
fi
suite=$2
folder=$3

mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
mount --bind /sys "$folder/sys"
mkdir "$folder/chatd"
git archive HEAD | tar -x -C "$folder/chatd"

inside() {
  chroot "$folder" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} ${CI:+CI="$CI"} "$@"
}

say "$suite: running ./run.sh --version"
started=$SECONDS
version=$(inside /chatd/run.sh --version)
say "$suite: standard output after $((SECONDS - started)) s was: $version"
if [[ $(wc -l <<<"$version") != 1 || $version != chatd* ]]; then
  say "$suite: that should have been one line, the version of chatd"
  exit 1
fi

say "$suite: running ./test.sh"
inside /chatd/test.sh
