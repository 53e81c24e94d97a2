/// Descriptors that go beside a document, which names each by its place in their list.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace chatd {

/// Appends `fd`; returns its place.
inline std::uint32_t append_descriptor(std::vector<int>& descriptors, int fd) {
  descriptors.push_back(fd);
  return static_cast<std::uint32_t>(descriptors.size() - 1);
}

/// The descriptor at `place`; empty if there is none, or somebody has taken it.
inline UniqueFd take_descriptor(std::vector<UniqueFd>& descriptors, std::uint32_t place) {
  return place < descriptors.size() ? std::move(descriptors[place]) : UniqueFd{};
}

}  // namespace chatd
