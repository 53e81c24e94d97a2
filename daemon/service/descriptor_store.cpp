#include "service/descriptor_store.hpp"

#include <cassert>
#include <charconv>
#include <utility>

#include "base/environment.hpp"
#include "service/pack.hpp"
#include "service/passed.hpp"

namespace chatd::service {

namespace {

constexpr std::string_view kDocument = "chatd-document";
constexpr std::string_view kPack = "chatd-pack";
constexpr std::string_view kRecords = "chatd-records";
constexpr std::string_view kSession = "chatd-session-";  // and its id

/// For a manager that is slow to take things, or to say that it has.
constexpr Duration kPatience{2000};

std::size_t room_in_store() {
  const std::string text = environment("FDSTORE");
  std::size_t room = 0;
  std::from_chars(text.data(), text.data() + text.size(), room);
  return room;
}

}  // namespace

DescriptorStore::DescriptorStore(const Notify& notify)
    : notify_{notify}, room_{notify.has_manager() ? room_in_store() : 0} {}

Result<> DescriptorStore::leave(int document, const std::vector<int>& descriptors) const {
  assert(exists());
  auto packed = pack(descriptors);
  if (!packed) return std::move(packed.error());
  bool taken = notify_.store(document, kDocument, kPatience);
  for (const auto& end : *packed) taken = taken && notify_.store(end.get(), kPack, kPatience);
  if (taken && notify_.barrier(kPatience)) return {};
  forget_left();
  return Error{"the service manager does not take the sessions"};
}

void DescriptorStore::forget_left() const {
  notify_.forget(kDocument, kPatience);
  notify_.forget(kPack, kPatience);
}

bool DescriptorStore::keep_records(int file) const {
  return notify_.store(file, kRecords, kPatience);
}

void DescriptorStore::forget_records() const {
  notify_.forget(kRecords, kPatience);
}

bool DescriptorStore::keep_session(std::uint64_t session, int socket) const {
  return notify_.store(socket, std::string{kSession} + std::to_string(session));
}

bool DescriptorStore::forget_session(std::uint64_t session) const {
  return notify_.forget(std::string{kSession} + std::to_string(session));
}

Passed take_passed() {
  Passed all;
  for (auto& passed : take_passed_descriptors()) {
    if (passed.name == kDocument) {
      all.stored.document = std::move(passed.fd);
    } else if (passed.name == kPack) {
      unpack(passed.fd.get(), all.stored.descriptors);
    } else if (passed.name == kRecords) {
      all.stored.records = std::move(passed.fd);
    } else if (passed.name.starts_with(kSession)) {
      std::uint64_t session = 0;
      const auto& name = passed.name;
      std::from_chars(name.data() + kSession.size(), name.data() + name.size(), session);
      all.stored.sessions.push_back({session, std::move(passed.fd)});
    } else if (is_listening(passed.fd.get())) {
      all.listening.push_back(std::move(passed.fd));
    }
  }
  return all;
}

}  // namespace chatd::service
