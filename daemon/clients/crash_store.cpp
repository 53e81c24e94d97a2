#include "clients/crash_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace chatd {

namespace {

/// The manager compares each descriptor with all others, which takes long for more.
constexpr std::size_t kMostSessions = 512;
/// Room that is left in the service manager's store: at a restart it takes the document, and
/// a few pairs of sockets.
constexpr std::size_t kOthers = 32;

}  // namespace

CrashStore::CrashStore(const service::DescriptorStore& store, service::RecordFile records,
                       bool goes_on)
    : store_{store}, records_{std::move(records)}, sessions_(records_.places()), goes_on_{goes_on} {
  for (std::size_t place = sessions_.size() - 1; place > 0; --place) {
    free_.push_back(static_cast<Place>(place));
  }
}

std::unique_ptr<CrashStore> CrashStore::open(const service::DescriptorStore& store,
                                             UniqueFd records) {
  if (store.room() <= kOthers) return nullptr;
  if (records) {
    auto taken = service::RecordFile::open(std::move(records));
    if (taken) return std::unique_ptr<CrashStore>{new CrashStore{store, std::move(*taken), true}};
    spdlog::error("the crash records of the process before this one cannot be used: {}",
                  taken.error().message);
  }
  store.forget_records();
  const auto places = std::min(store.room() - kOthers, kMostSessions) + 1;
  auto made = service::RecordFile::make(places);
  if (!made || !store.keep_records(made->descriptor())) {
    spdlog::warn("sessions will not outlive a crash: {}",
                 made ? "the service manager does not take their records" : made.error().message);
    return nullptr;
  }
  return std::unique_ptr<CrashStore>{new CrashStore{store, std::move(*made), false}};
}

CrashStore::Records CrashStore::take_records() {
  Records taken;
  for (std::size_t place = 0; place < records_.places(); ++place) {
    auto record = records_.read(place);
    auto log = records_.read_log(place);
    records_.clear(place);
    if (!record) continue;
    if (place == kHead) {
      taken.head = std::move(*record);
    } else {
      taken.sessions.push_back({static_cast<Place>(place), std::move(*record), std::move(log)});
    }
  }
  return taken;
}

bool CrashStore::adopt(Place place, core::SessionId session, bool has_socket) {
  assert(place != kHead && session != 0);
  const auto free = std::find(free_.begin(), free_.end(), place);
  if (!goes_on_ || free == free_.end()) {
    if (has_socket) forget(session);
    return false;
  }
  free_.erase(free);
  sessions_[place] = {session, has_socket};
  return true;
}

bool CrashStore::has(core::SessionId session) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [&](const Session& each) { return each.id == session; });
}

CrashStore::Place CrashStore::add(core::SessionId session, int socket, std::string_view record) {
  assert(session != 0 && !has(session));
  if (free_.empty() || !to_forget_.empty()) return 0;
  const Place place = free_.back();
  // First the record: a descriptor without one is of no use.
  const bool has_socket = socket != kNoSocket;
  if (!records_.write(place, record) || (has_socket && !store_.keep_session(session, socket))) {
    records_.clear(place);
    return 0;
  }
  free_.pop_back();
  assert(!is_used(place));
  sessions_[place] = {session, has_socket};
  return place;
}

void CrashStore::remove(Place place) {
  assert(is_used(place));
  records_.clear(place);
  const Session session = std::exchange(sessions_[place], {});
  if (session.has_socket) forget(session.id);
  free_.push_back(place);
}

void CrashStore::forget(core::SessionId session) {
  if (!store_.forget_session(session)) to_forget_.push_back(session);
}

void CrashStore::remove_rest() {
  while (!to_forget_.empty() && store_.forget_session(to_forget_.back())) to_forget_.pop_back();
}

void CrashStore::write(Place place, std::string_view record) {
  assert(is_used(place));
  records_.write(place, record);
}

void CrashStore::begin_log(Place place, std::string_view bytes) {
  assert(is_used(place));
  records_.begin_log(place, bytes);
}

bool CrashStore::append_log(Place place, std::string_view bytes) {
  assert(is_used(place));
  return records_.append_log(place, bytes);
}

void CrashStore::clear() {
  for (std::size_t place = kHead + 1; place < sessions_.size(); ++place) {
    if (is_used(static_cast<Place>(place))) remove(static_cast<Place>(place));
  }
  store_.forget_records();
}

}  // namespace chatd
