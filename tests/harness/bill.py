"""A bill of materials (cmake/sbom.sh): whether it is SPDX 2.3, with all that its schema asks
for, and whether all in it belongs together."""

import re

# What the schema of SPDX 2.3 requires, and what tools need besides.
DOCUMENT = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"}
PACKAGE = {"SPDXID", "name", "downloadLocation", "versionInfo", "supplier", "filesAnalyzed"}
REFERENCE = {"referenceCategory", "referenceType", "referenceLocator"}
RELATIONSHIP = {"spdxElementId", "relationshipType", "relatedSpdxElement"}


def check_bill(bill):
    assert DOCUMENT <= set(bill)
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0"
    assert re.fullmatch(r"https://\S+", bill["documentNamespace"])
    assert "#" not in bill["documentNamespace"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    for creator in bill["creationInfo"]["creators"]:
        assert re.fullmatch(r"(Tool|Organization|Person): .+", creator)
    ids = [bill["SPDXID"], *(package["SPDXID"] for package in bill["packages"])]
    assert len(ids) == len(set(ids)) > 15
    for each in ids:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", each), each
    for package in bill["packages"]:
        assert PACKAGE <= set(package), package
        assert package["versionInfo"], package
        for reference in package.get("externalRefs", ()):
            assert set(reference) == REFERENCE
            assert re.fullmatch(r"pkg:deb/debian/[^@/ ]+@[^ ?]+\?arch=\w+&distro=\w+", reference["referenceLocator"])
    for relationship in bill["relationships"]:
        assert RELATIONSHIP <= set(relationship)
        assert {relationship["spdxElementId"], relationship["relatedSpdxElement"]} <= set(ids)
    described = [r["relatedSpdxElement"] for r in bill["relationships"] if r["relationshipType"] == "DESCRIBES"]
    assert described == ["SPDXRef-Package-chatd"]
