#!/usr/bin/env bash
# debian.sh SUITE GROUP...: a Debian of that suite (bookworm, trixie) in a folder, with these
# groups of cmake/packages.txt (none: a minimal one); prints the folder, below build/debian.
# Made once, from the package source that this machine itself uses, and kept: nobody may
# write to it. Needs root.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { echo "debian.sh: $*" >&2; }

if [[ ${1-} != inside ]]; then
  mkdir -p build/debian
  exec 9>build/debian/.lock
  flock 9
  # In a mount namespace of its own: what is mounted in the folder goes with that.
  exec unshare --mount --pid --fork --kill-child "$0" inside "$@" </dev/null
fi
suite=$2
shift 2

mapfile -t packages < <(cmake/packages.sh --names "$suite" "$@")
name=$suite${*:+ $*}
folder=build/debian/${name// /+}

# A folder that was made from another list is made anew. The list is written last.
if [[ -e $folder.packages && "${packages[*]}" == "$(<"$folder.packages")" ]]; then
  echo "$PWD/$folder"
  exit
fi
rm -rf --one-file-system "$folder" "$folder.packages"

logged() {
  "$@" >"$folder.log" 2>&1 && return
  tail -n 20 "$folder.log" >&2
  say "failed: $*"
  exit 1
}

# The sources of this machine's apt, for the other suite where it has that of its own.
sources() {
  local own
  # shellcheck source=/dev/null
  own=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
  # shellcheck disable=SC2016  # apt fills these in, not the shell
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sed -nE "s/ $own(-updates|-security)? main\$/ $suite\\1 main/p" | sort -u
}

say "making $folder"
if (($# == 0)); then
  sources=$(sources)
  origin=$(awk -v suite="$suite" '$3 == suite { print $2; exit }' <<<"$sources")
  if [[ -z $origin ]]; then
    say "apt on this machine knows no source for a Debian"
    exit 1
  fi
  logged debootstrap --variant=minbase "$suite" "$folder" "$origin"
  echo "$sources" >"$folder/etc/apt/sources.list"
  apt-config dump Acquire | grep -iE '::(proxy|check-[a-z-]+) ' >"$folder/etc/apt/apt.conf.d/acquire" || true
else
  minimal=$("$0" inside "$suite")
  cp -a "$minimal" "$folder"
  mount -t proc proc "$folder/proc"
  inside=(chroot "$folder" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
  if [[ ${http_proxy-} ]]; then inside+=("http_proxy=$http_proxy"); fi
  logged "${inside[@]}" apt-get -q update
  logged "${inside[@]}" apt-get -q -y install --no-install-recommends "${packages[@]}"
  logged "${inside[@]}" apt-get -q clean
  umount "$folder/proc"
fi
rm -f "$folder.log"
echo "${packages[*]}" >"$folder.packages"
echo "$PWD/$folder"
