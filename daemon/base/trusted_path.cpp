#include "base/trusted_path.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "base/user.hpp"

namespace chatd {

namespace {

/// As the kernel has it.
constexpr int kMaxLinks = 40;

/// Takes the first name off `rest`; empty if there is none left.
std::string take_name(std::string& rest) {
  const auto begin = rest.find_first_not_of('/');
  if (begin == std::string::npos) return {};
  const auto end = std::min(rest.find('/', begin), rest.size());
  std::string name = rest.substr(begin, end - begin);
  rest.erase(0, end);
  return name;
}

std::string child(const std::string& folder, const std::string& name) {
  if (name == ".") return folder;
  if (name == "..") return folder_of(folder);
  return (folder == "/" ? "" : folder) + '/' + name;
}

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> here{};
  if (getcwd(here.data(), here.size()) == nullptr) {
    return Error::from_errno("find the working folder", errno);
  }
  return std::string{here.data()} + '/' + path;
}

bool others_may_write(const struct stat& status) {
  if ((status.st_mode & S_ISVTX) != 0) return false;
  return (status.st_mode & S_IWOTH) != 0 ||
         ((status.st_mode & S_IWGRP) != 0 && status.st_gid != getegid());
}

}  // namespace

Result<std::vector<PathStep>> steps_to(const std::string& path) {
  auto rest = absolute(path);
  if (!rest) return std::move(rest.error());
  std::vector<PathStep> steps;
  PathStep here{"/", {}};
  UniqueFd folder{open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || fstat(folder.get(), &here.status) != 0) return Error::from_errno("/", errno);
  steps.push_back(here);
  int links = 0;
  for (auto name = take_name(*rest); !name.empty(); name = take_name(*rest)) {
    PathStep next{child(here.path, name), {}};
    const auto refused = [&next](int code) { return Error::from_errno(escaped(next.path), code); };
    if (!S_ISDIR(here.status.st_mode)) return Error::from_errno(escaped(here.path), ENOTDIR);
    UniqueFd opened{openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!opened && errno == ENOENT) return steps;
    if (!opened || fstat(opened.get(), &next.status) != 0) return refused(errno);
    steps.push_back(next);
    if (!S_ISLNK(next.status.st_mode)) {
      folder = std::move(opened);
      here = std::move(next);
      continue;
    }
    if (++links > kMaxLinks) return refused(ELOOP);
    std::array<char, PATH_MAX> target{};
    const auto size = readlinkat(opened.get(), "", target.data(), target.size());
    if (size < 0) return refused(errno);
    *rest = std::string{target.data(), static_cast<std::size_t>(size)} + *rest;
    if (!rest->starts_with('/')) continue;
    here = steps.front();
    folder = UniqueFd{open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return Error::from_errno("/", errno);
  }
  return steps;
}

Result<> check_folders(const std::string& folder) {
  auto steps = steps_to(folder);
  if (!steps) return std::move(steps.error());
  assert(!steps->empty());
  const uid_t root = steps->front().status.st_uid;
  for (const auto& [path, status] : *steps) {
    const bool is_link = S_ISLNK(status.st_mode);
    if (!is_link && !S_ISDIR(status.st_mode)) return Error::from_errno(escaped(path), ENOTDIR);
    const auto what = (is_link ? "the symbolic link " : "the folder ") + escaped(path);
    const uid_t owner = status.st_uid;
    if (owner != root && owner != 0 && owner != geteuid()) {
      return Error{what + " belongs to " + user_name(owner) + ", who could " +
                   (is_link ? "let it lead elsewhere" : "exchange what is in it")};
    }
    if (!is_link && others_may_write(status)) {
      return Error{what + " can be written by others, who could exchange what is in it"};
    }
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace chatd
