/// The page's files as they are in the program, against those in web/.
#include "web/files.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/repository.hpp"
#include "web/texts.hpp"

namespace chatd::test {
namespace {

/// The file as it is packed: cmake/embed_web.cmake does the same.
std::string packed(const std::filesystem::path& path) {
  const auto ending = path.extension();
  const bool has_indentation = ending == ".js" || ending == ".css" || ending == ".html";
  std::ifstream in{path, std::ios::binary};
  std::string all;
  for (std::string line; std::getline(in, line);) {
    const auto begin = std::min(line.find_first_not_of(' '), line.size());
    if (ending == ".js" && line.compare(begin, 2, "//") == 0) continue;
    all += line.substr(has_indentation ? begin : 0) + '\n';
  }
  return all;
}

/// What gzip makes of `bytes`; it says so if they are not whole.
std::string unpacked(std::string_view bytes) {
  std::string name = std::filesystem::temp_directory_path() / "chatd-XXXXXX";
  const int file = ::mkstemp(name.data());
  REQUIRE(file >= 0);
  std::FILE* packed_file = ::fdopen(file, "w");
  REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), packed_file) == bytes.size());
  REQUIRE(std::fclose(packed_file) == 0);
  std::FILE* gzip = ::popen(("gzip -dc <" + name).c_str(), "r");
  REQUIRE(gzip != nullptr);
  std::string all;
  std::array<char, 4096> some{};
  while (const auto size = std::fread(some.data(), 1, some.size(), gzip)) {
    all.append(some.data(), size);
  }
  CHECK(::pclose(gzip) == 0);
  std::filesystem::remove(name);
  return all;
}

TEST_CASE("web: every file of the page is in the program, packed and compressed", "[web]") {
  std::set<std::string> wanted;
  for (const auto& entry : std::filesystem::directory_iterator{in_repository("web")}) {
    wanted.insert(entry.path().filename());
  }
  const std::map<std::string, std::string_view> types{{".html", "text/html; charset=utf-8"},
                                                      {".js", "text/javascript; charset=utf-8"},
                                                      {".css", "text/css; charset=utf-8"},
                                                      {".svg", "image/svg+xml"}};
  std::set<std::string_view> tags;
  for (const web::File& file : web::files()) {
    INFO(file.path);
    REQUIRE(file.path.starts_with('/'));
    const std::filesystem::path name = file.path == "/" ? "index.html" : file.path.substr(1);
    CHECK(wanted.erase(name) == 1);
    CHECK(file.body == packed(in_repository("web") / name));
    CHECK(file.type == types.at(name.extension()));
    CHECK(unpacked(file.gzipped) == file.body);
    CHECK(file.gzipped.size() < file.body.size());
    CHECK(file.tag.size() == 16);
    CHECK(file.tag.find_first_not_of("0123456789abcdef") == std::string_view::npos);
    tags.insert(file.tag);
  }
  CHECK(wanted.empty());
  CHECK(tags.size() == web::files().size());
}

TEST_CASE("web: the same files give the same bytes at any time", "[web]") {
  // RFC 1952, section 2.3: neither a name nor a time, and the slowest algorithm.
  for (const web::File& file : web::files()) {
    INFO(file.path);
    CHECK(file.gzipped.substr(0, 9) == std::string_view("\x1f\x8b\x08\0\0\0\0\0\x02", 9));
  }
}

TEST_CASE("web: the names of texts are those of texts.js, in each of its languages", "[web]") {
  CHECK(std::vector(web::languages().begin(), web::languages().end()) ==
        std::vector<std::string_view>{"en", "de"});
  std::map<std::string, std::size_t> found;
  std::ifstream in{in_repository("web/texts.js")};
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": '");
    if (line.starts_with("    ") && colon != std::string::npos) ++found[line.substr(4, colon - 4)];
  }
  CHECK(found.size() > 30);
  CHECK(found.size() == web::text_names().size());
  for (const auto name : web::text_names()) {
    INFO(name);
    CHECK(found[std::string{name}] == web::languages().size());
  }
}

}  // namespace
}  // namespace chatd::test
