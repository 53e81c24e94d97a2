/// The visitor's page and all that it loads, as they are in the program: the files of the folder
/// web/ at the top of the repository. cmake/embed_web.cmake makes them when chatd is built.
#pragma once

#include <span>
#include <string_view>

namespace chatd::web {

struct File {
  std::string_view path;  ///< "/chat.js"; "/" is index.html
  std::string_view type;  ///< Content-Type: "text/javascript; charset=utf-8"
  /// The file without the comments and the indentation that only its authors need.
  std::string_view body;
  std::string_view gzipped;  ///< the same body, compressed (RFC 1952)
  std::string_view tag;      ///< of the body, for ETag: 16 hexadecimal digits
};

/// Each file once, in the order of their names. They live as long as the program.
[[nodiscard]] std::span<const File> files();

}  // namespace chatd::web
