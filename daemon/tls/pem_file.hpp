/// A file with certificates or a key, read whole into memory that is overwritten afterwards.
#pragma once

#include <string>

#include "base/result.hpp"
#include "tls/cleansed.hpp"

namespace chatd::tls {

struct PemFile {
  CleansedText text;
  bool is_public = false;  ///< everybody on this machine may read it
};

/// A regular file of at most 1 MiB, reached through whatever links. The error says what is wrong.
[[nodiscard]] Result<PemFile> read_pem_file(const std::string& path);

}  // namespace chatd::tls
