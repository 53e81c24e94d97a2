#include "process/inheritance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "service/handover.hpp"
#include "service/passed.hpp"

namespace chatd {

namespace {

constexpr const char* kNotUnderstood = "it cannot be understood";

}  // namespace

Inheritance::Inheritance() {
  auto passed = service::take_passed();
  listening_ = std::move(passed.listening);
  records_ = std::move(passed.stored.records);
  kept_sessions_ = std::move(passed.stored.sessions);
  auto left = service::take_left();
  const bool stored = !left.document;
  const auto file = std::move(stored ? passed.stored.document : left.document);
  if (!file) return;
  records_.reset();  // with a document come others, or another copy of these
  left_ = std::make_unique<Left>();
  left_->stored = stored;
  left_->kept = std::move(left.kept);
  left_->descriptors = std::move(passed.stored.descriptors);
  read_document(file.get());
}

void Inheritance::read_document(int file) {
  auto mapped = service::MappedDocument::of(file);
  if (!mapped) {
    left_->why = mapped.error().message;
    return;
  }
  left_->mapped.emplace(std::move(*mapped));
  auto body = service::disclose(left_->mapped->bytes());
  service::use_up(file);
  if (!body) {
    left_->why = body.error().message;
    return;
  }
  // What was mapped has lost a byte of its head, which nobody reads again.
  auto document = HandoverDocument::read(body->body, body->version);
  if (!document) {
    left_->why = kNotUnderstood;
    return;
  }
  auto& descriptors = left_->descriptors;
  descriptors.resize(document->descriptors.size());
  if (!left_->stored) {
    std::transform(document->descriptors.begin(), document->descriptors.end(), descriptors.begin(),
                   service::inherit);
  }
  watched_ = std::move(descriptors[document->place_of_watched()]);
  if (document->has_records) records_ = std::move(descriptors[document->place_of_records()]);
  left_->document = std::move(*document);
  left_->version = body->version;
}

std::unique_ptr<CrashStore> Inheritance::open_crash_store(const service::DescriptorStore& store) {
  UniqueFd records = std::move(records_);
  if (!store.exists()) return nullptr;
  auto crash_store = CrashStore::open(store, std::move(records));
  if (!left_ && crash_store && crash_store->goes_on()) crash_records_ = crash_store->take_records();
  return crash_store;
}

bool Inheritance::has_sessions() const {
  return (left_ && left_->why.empty()) || !crash_records_.head.empty();
}

void Inheritance::restore_events(Journal& journal) const {
  if (left_ && left_->why.empty()) {
    ByteReader in{left_->document.events, left_->version};
    journal.restore(in);
  } else if (!crash_records_.head.empty()) {
    const auto last = CrashRecords::last_seq(crash_records_.head);
    journal.go_on_after(last);
  }
}

std::size_t Inheritance::connections() const {
  std::size_t count = kept_sessions_.size();
  if (!left_) return count;
  for (const auto& fd : left_->descriptors) count += fd ? 1 : 0;
  return count;
}

void Inheritance::restore(Clients& clients, Operators& operators,
                          const service::DescriptorStore& store, const CrashStore* crash_store) {
  if (left_) {
    if (left_->why.empty()) restore_parts(clients, operators);
    if (!left_->why.empty()) dismiss_all(clients);
    if (left_->stored) store.forget_left();
    left_.reset();
  } else if (!kept_sessions_.empty() || !crash_records_.head.empty()) {
    restore_after_crash(clients);
  } else {
    return;
  }
  forget_kept(store, crash_store);
}

void Inheritance::restore_parts(Clients& clients, Operators& operators) {
  auto& [mapped, document, version, descriptors, kept, stored, why] = *left_;
  ByteReader door{document.operators, version};
  operators.restore(std::move(descriptors[document.place_of_control()]), door);
  ByteReader sessions{document.clients, version};
  if (!clients.restore(sessions, descriptors)) {
    why = kNotUnderstood;
    return;
  }
  spdlog::info("goes on with {} sessions", clients.stats().sessions);
  operators.await_return();
}

/// Listeners are opened anew, at the same addresses; those of the service manager stay.
void Inheritance::dismiss_all(Clients& clients) {
  assert(!left_->why.empty());
  spdlog::error(
      "the sessions of the process before this one are lost: its document cannot be used: {}",
      left_->why);
  const auto& kept = left_->kept;
  auto rest = service::inherit_rest();
  for (const int number : kept) {
    (void)service::inherit(number);  // closes what is not in `rest`: it is no socket
  }
  for (auto& fd : left_->descriptors) rest.push_back(std::move(fd));
  for (auto& fd : rest) {
    if (!fd || !service::is_listening(fd.get())) continue;
    const bool stays = std::find(kept.begin(), kept.end(), fd.get()) != kept.end();
    UniqueFd listener = std::move(fd);
    if (stays) listening_.push_back(std::move(listener));
  }
  std::erase_if(rest, [](const UniqueFd& fd) { return !fd; });
  clients.dismiss(std::move(rest));
}

void Inheritance::restore_after_crash(Clients& clients) {
  std::vector<service::KeptSession> connections;
  for (auto& kept : kept_sessions_) connections.push_back({kept.session, std::move(kept.socket)});
  clients.restore_after_crash(std::exchange(crash_records_, {}), std::move(connections));
}

/// Throws away what the service manager kept one by one, and nobody goes on with.
void Inheritance::forget_kept(const service::DescriptorStore& store,
                              const CrashStore* crash_store) {
  for (const auto& kept : kept_sessions_) {
    if (crash_store == nullptr || !crash_store->has(kept.session)) {
      (void)store.forget_session(kept.session);
    }
  }
  if (crash_store == nullptr) store.forget_records();
  kept_sessions_.clear();
}

std::vector<UniqueFd> Inheritance::take_listening() {
  return std::exchange(listening_, {});
}

UniqueFd Inheritance::take_watched() {
  return std::exchange(watched_, {});
}

}  // namespace chatd
