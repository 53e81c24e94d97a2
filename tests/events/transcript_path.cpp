/// Where the transcript is by default, and that its folder is made for its owner.
#include "events/transcript_path.hpp"

#include "base/private_file.hpp"
#include "support/catch.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chatd::test {
namespace {

/// The environment as it was, when this goes.
class Environment {
 public:
  Environment() {
    for (const char* name : kNames) {
      const char* value = std::getenv(name);
      if (value != nullptr) before_[name] = value;
      ::unsetenv(name);
    }
  }
  ~Environment() {
    for (const char* name : kNames) ::unsetenv(name);
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static constexpr const char* kNames[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"};
  std::map<std::string, std::string> before_;
};

TEST_CASE("transcript path: the first place that the environment names", "[events][transcript]") {
  using Variables = std::vector<std::pair<const char*, const char*>>;
  const std::vector<std::pair<Variables, std::string>> rows{
      {{{"STATE_DIRECTORY", "/var/lib/chatd"}, {"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}},
       "/var/lib/chatd/transcript.db"},
      {{{"STATE_DIRECTORY", "/a:/b"}}, "/a/transcript.db"},
      {{{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}}, "/s/chatd/transcript.db"},
      {{{"XDG_STATE_HOME", "s"}, {"HOME", "/h"}}, "/h/.local/state/chatd/transcript.db"},
      {{{"HOME", "/root"}}, "/root/.local/state/chatd/transcript.db"},
      {{{"HOME", ""}}, ""},
      {{}, ""}};
  for (const auto& [variables, path] : rows) {
    const Environment kept;
    for (const auto& [name, value] : variables) ::setenv(name, value, 1);
    CHECK(default_transcript_path() == path);
  }
}

TEST_CASE("transcript path: folders that are missing are made, for their owner alone",
          "[events][transcript]") {
  std::string top = (std::filesystem::temp_directory_path() / "chatd-path-XXXXXX").string();
  REQUIRE(::mkdtemp(top.data()) != nullptr);
  REQUIRE(make_folder_of(top + "/a/b/file"));
  REQUIRE(make_folder_of(top + "/a/b/file"));
  struct stat status {};
  REQUIRE(::stat((top + "/a/b").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700);
  CHECK_FALSE(std::filesystem::exists(top + "/a/b/file"));
  REQUIRE(std::filesystem::exists(top + "/a"));
  auto refused = make_folder_of("/proc/nowhere/file");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("make the folder /proc/nowhere: "));
  std::filesystem::remove_all(top);
}

}  // namespace
}  // namespace chatd::test
