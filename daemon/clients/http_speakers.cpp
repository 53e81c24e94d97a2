#include "clients/http_speakers.hpp"

#include <algorithm>

namespace chatd {

namespace {

std::string key_of(const io::Peer& peer, Doors::Index listener) {
  std::string key = std::to_string(listener) + (peer.is_v6()         ? '6'
                                                : peer.has_address() ? '4'
                                                                     : 'u');
  const std::size_t size = peer.has_address() && !peer.is_v6() ? 4 : peer.address().size();
  key.append(reinterpret_cast<const char*>(peer.address().data()), size);
  return key;
}

}  // namespace

void HttpSpeakers::add(const io::Peer& peer, Doors::Index listener, Time now) {
  std::string key = key_of(peer, listener);
  if (spoken_.size() >= kMost && !spoken_.contains(key)) {
    std::erase_if(spoken_, [now](const auto& each) { return each.second + kMemory < now; });
    if (spoken_.size() >= kMost) {
      spoken_.erase(
          std::min_element(spoken_.begin(), spoken_.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
  }
  spoken_[std::move(key)] = now;
}

bool HttpSpeakers::has(const io::Peer& peer, Doors::Index listener, Time now) const {
  if (spoken_.empty()) return false;
  const auto place = spoken_.find(key_of(peer, listener));
  return place != spoken_.end() && now - place->second <= kMemory;
}

}  // namespace chatd
