#!/usr/bin/env bash
# sbom.sh VERSION PROGRAM...: prints what these programs of that chatd are made of, as a software
# bill of materials in SPDX 2.3 JSON: the Debian packages of the libraries that they load, and
# those whose headers are compiled into them, as dpkg knows them on the machine where they were
# built. The same programs there give the same text.
set -euo pipefail

version=$1
shift
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

# The packages of the libraries that the programs load.
loaded() {
  local file path
  for file in $(ldd "$@" | awk '$2 == "=>" { print $3 } /^\t\// { print $1 }' | sort -u); do
    path=$(realpath "$file")
    # dpkg may know it by either name of the two folders that are one.
    for path in "$path" "${path#/usr}" "/usr$path" "$file" "${file#/usr}"; do
      if dpkg-query -S "$path" 2>/dev/null; then break; fi
    done
  done | sed 's/: .*//' | sort -u
}

# Only these characters may stand in an id.
id() { # PACKAGE
  printf 'SPDXRef-Package-%s' "${1//+/-plus}"
}

# What stands for a version in a package URL.
encoded() { # TEXT
  local text=${1//+/%2B}
  printf '%s' "${text//:/%3A}"
}

# Debian's names and versions have no character that JSON would escape.
entry() { # PACKAGE
  dpkg-query -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' "$1" |
    while read -r name its_version architecture source source_version; do
      cat <<END
    {
      "name": "$name",
      "SPDXID": "$(id "$name")",
      "versionInfo": "$its_version",
      "supplier": "Organization: Debian",
      "sourceInfo": "built from $source $source_version",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "NOASSERTION",
      "licenseDeclared": "NOASSERTION",
      "copyrightText": "NOASSERTION",
      "externalRefs": [
        {
          "referenceCategory": "PACKAGE-MANAGER",
          "referenceType": "purl",
          "referenceLocator": "pkg:deb/debian/$(encoded "$name")@$(encoded "$its_version")?arch=$architecture&distro=$suite"
        }
      ]
    },
END
    done
}

relationship() { # FROM TYPE TO
  printf '    {"spdxElementId": "%s", "relationshipType": "%s", "relatedSpdxElement": "%s"}' "$@"
}

mapfile -t libraries < <(loaded "$@")
mapfile -t headers < <("$here/packages.sh" --names "$suite" build | grep -e '-dev$')
((${#libraries[@]} && ${#headers[@]}))
digest=$(sha256sum "$@" | awk '{ print $1 }' | sha256sum | cut -c 1-32)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$1")}" +%Y-%m-%dT%H:%M:%SZ)

cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "chatd-$version",
  "documentNamespace": "https://chatd.example/spdx/chatd-$version-$digest",
  "creationInfo": {
    "created": "$created",
    "creators": ["Organization: chatd maintainers", "Tool: cmake/sbom.sh"]
  },
  "packages": [
END
for package in "${libraries[@]}" "${headers[@]}"; do entry "$package"; done
cat <<END
    {
      "name": "chatd",
      "SPDXID": "SPDXRef-Package-chatd",
      "versionInfo": "$version",
      "supplier": "Organization: chatd maintainers",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "GPL-3.0-or-later",
      "licenseDeclared": "GPL-3.0-or-later",
      "copyrightText": "NOASSERTION"
    }
  ],
  "relationships": [
END
relationship SPDXRef-DOCUMENT DESCRIBES SPDXRef-Package-chatd
for package in "${libraries[@]%%:*}"; do
  printf ',\n'
  relationship SPDXRef-Package-chatd DEPENDS_ON "$(id "$package")"
done
for package in "${headers[@]}"; do
  printf ',\n'
  relationship "$(id "$package")" BUILD_DEPENDENCY_OF SPDXRef-Package-chatd
done
printf '\n  ]\n}\n'
