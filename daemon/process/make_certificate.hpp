/// `chatd --make-certificate`: a self-signed pair to begin with, in two files. It knows nothing of
/// a daemon.
/// Invariant: no file is overwritten, and there are both files in the end, or neither.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"

namespace chatd {

/// The hosts as a certificate names them: without the brackets of an IPv6 address, each once. The
/// error says what is wrong with one of them.
[[nodiscard]] Result<std::vector<std::string>> hosts_of_certificate(
    const std::vector<std::string>& written);

/// Writes HOST.key (mode 0600) and HOST.pem for hosts as above, of which the first gives the
/// names; a ':' in it becomes '_'. `folder` is there; empty: the current one. Returns what to tell
/// people: a listener for chatd.toml, and, as comments in it, how clients trust the certificate.
[[nodiscard]] Result<std::string> make_certificate(const std::vector<std::string>& hosts,
                                                   const std::string& folder, WallTime now);

}  // namespace chatd
