#include "base/user.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <vector>

namespace chatd {

namespace {

constexpr std::size_t kMemory = 64UL * 1024;

}  // namespace

std::string user_name(uid_t uid) {
  std::vector<char> memory(kMemory);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, memory.data(), memory.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return "uid " + std::to_string(uid);
}

Result<gid_t> find_group(const std::string& name) {
  std::vector<char> memory(kMemory);
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  if (error != 0) return Error::from_errno("look up the group " + name, error);
  return Error{"there is no group " + name};
}

std::optional<bool> is_member(uid_t uid, gid_t group) {
  std::vector<char> memory(kMemory);
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwuid_r(uid, &entry, memory.data(), memory.size(), &found);
  if (found == nullptr) return error == 0 ? std::optional{false} : std::nullopt;
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
    // It says how many there are; should that change meanwhile, there is another round.
    groups.resize(std::max(static_cast<std::size_t>(count), groups.size() + 1));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace chatd
