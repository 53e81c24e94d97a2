#include "clients/crash_records.hpp"

#include <cassert>
#include <utility>

#include "core/session.hpp"
#include "service/record_file.hpp"

namespace chatd {

namespace {

/// The descriptors that go into the store at once; the manager does other things, too.
constexpr int kAddAtOnce = 64;
constexpr Duration kAddPause{20};
/// Of what clients said and what is held for them, the most that is kept in a record.
constexpr std::size_t kMostText = 512;
/// A log is begun anew when it has twice as much as it began with, and this: so what it costs in
/// memory and in copies is bounded by what it is about.
constexpr std::size_t kLogSlack = 8192;

}  // namespace

CrashRecords::CrashRecords(io::Loop& loop, core::Router& router, const Journal& journal,
                           Source& source, Pages* pages, CrashStore* store)
    : loop_{loop},
      router_{router},
      journal_{journal},
      source_{source},
      pages_{pages},
      store_{store},
      add_{loop, [this] { add_oldest(); }} {}

// ---- the process that may end at any time ----

void CrashRecords::keep() {
  if (store_ == nullptr) return;
  for (const core::Slot slot : router_.changed()) {
    if (place(slot) == 0) continue;
    if (router_.has(slot)) {
      store_->write(place(slot), record_of(slot));
    } else {
      remove(slot);
    }
  }
  router_.changes_seen();
  keep_pages();
  if (written_seq_ != journal_.last_seq()) write_head();
}

/// What changes of a page alone is written here: what it has seen, its tokens, where it is now.
void CrashRecords::keep_pages() {
  if (pages_ == nullptr) return;
  for (const core::Slot slot : pages_->changed()) {
    if (place(slot) == 0 || !router_.has(slot) || pages_->page(slot) == nullptr) continue;
    add_to_log(slot);
    store_->write(place(slot), record_of(slot));
  }
  pages_->changes_seen();
}

void CrashRecords::begin_log(core::Slot slot) {
  Log& log = logs_[place(slot)];
  ByteWriter all;  // it may be long, and seldom is
  log.mark = pages_->page(slot)->begin_log(all, kMostToBegin);
  log.begun = all.bytes().size();
  store_->begin_log(place(slot), all.bytes());
}

void CrashRecords::add_to_log(core::Slot slot) {
  Log& log = logs_.at(place(slot));
  record_.clear();
  pages_->page(slot)->add_to_log(record_, log.mark);
  const auto size = record_.bytes().size();
  if (size == 0) return;
  if (store_->log_size(place(slot)) + size > 2 * log.begun + kLogSlack ||
      !store_->append_log(place(slot), record_.bytes())) {
    begin_log(slot);
  }
}

bool CrashRecords::is_page(core::Slot slot) const {
  return router_.at(slot).dialect() == core::Dialect::kWeb;
}

std::size_t CrashRecords::log_size(core::Slot slot) const {
  return place(slot) == 0 ? 0 : store_->log_size(place(slot));
}

void CrashRecords::write_head() {
  written_seq_ = journal_.last_seq();
  record_.clear();
  record_.number(journal_.last_seq());
  record_.number<std::uint64_t>(router_.size());
  router_.save(record_, kMostText);
  record_.number(source_.refused());
  store_->write_head(record_.bytes());
}

/// With the time of the clock, which is the same in every process until the machine is
/// started anew.
std::string_view CrashRecords::record_of(core::Slot slot) {
  const auto now = loop_.now();
  record_.clear();
  record_.number<std::int64_t>(now.time_since_epoch().count());
  source_.peer(slot).save(record_);
  record_.text(source_.listener(slot));
  const auto& way = source_.way(slot);
  for (const auto* text : {&way.verified, &way.via, &way.tls}) record_.text(*text);
  router_.at(slot).save(record_, now, journal_.held_messages(), kMostText);
  return record_.bytes();
}

void CrashRecords::add_soon() {
  if (store_ == nullptr || !store_->has_room() || std::exchange(is_adding_, true)) return;
  add_.start(kMinAge);
}

void CrashRecords::add_oldest() {
  is_adding_ = false;
  store_->remove_rest();
  const auto oldest = loop_.now() - kMinAge;
  int count = 0;
  bool soon = !store_->is_clean();
  bool later = false;
  for (const core::Session* session : router_.sessions()) {
    if (soon || !store_->has_room()) break;
    const auto slot = session->slot();
    if (place(slot) != 0 || !source_.outlives_crash(slot)) continue;
    assert(!is_page(slot) || pages_ != nullptr);
    if (session->connected_at() > oldest ||
        record_of(slot).size() > service::RecordFile::kMaxRecord) {
      later = true;
      continue;
    }
    soon = !add(*session) || ++count == kAddAtOnce;
  }
  if (!soon && !later) return;
  is_adding_ = true;
  add_.start(soon ? kAddPause : kMinAge);
}

/// With the record that record_of() has just made of it.
bool CrashRecords::add(const core::Session& session) {
  const auto slot = session.slot();
  const int socket = is_page(slot) ? CrashStore::kNoSocket : source_.share_socket(slot);
  const auto place = store_->add(session.id(), socket, record_.bytes());
  if (place == 0) return false;
  set_place(slot, place);
  if (is_page(slot)) begin_log(slot);
  return true;
}

void CrashRecords::closed(core::Slot slot) {
  if (place(slot) != 0) remove(slot);
}

void CrashRecords::end() {
  if (store_ != nullptr) store_->clear();
  store_ = nullptr;
  places_.clear();
  logs_.clear();
  add_.stop();
}

void CrashRecords::remove(core::Slot slot) {
  const Place place = std::exchange(places_[slot], 0);
  logs_.erase(place);
  store_->remove(place);
  add_soon();  // there is room for another
}

CrashRecords::Place CrashRecords::place(core::Slot slot) const {
  return slot < places_.size() ? places_[slot] : 0;
}

void CrashRecords::set_place(core::Slot slot, Place place) {
  if (slot >= places_.size()) places_.resize(slot + 1);
  places_[slot] = place;
  router_.watch(slot);
  if (is_page(slot)) pages_->watch(slot);
}

// ---- the process that comes ----

void CrashRecords::adopt(core::Slot slot, Place place) {
  if (place == 0 || store_ == nullptr) return;
  if (store_->adopt(place, router_.at(slot).id(), !is_page(slot))) set_place(slot, place);
}

void CrashRecords::discard_old() {
  if (store_ != nullptr) (void)store_->take_records();
}

void CrashRecords::write_all() {
  if (store_ == nullptr) return;
  for (core::Slot slot = 0; slot < places_.size(); ++slot) {
    if (places_[slot] == 0 || !router_.has(slot)) continue;
    store_->write(places_[slot], record_of(slot));
    if (is_page(slot) && pages_->page(slot) != nullptr) begin_log(slot);
  }
  write_head();
  add_soon();
}

bool CrashRecords::read_head(std::string_view head, core::Router& router, Totals& out) {
  ByteReader in{head};
  (void)in.number<Seq>();
  out.sessions = in.number<std::uint64_t>();
  router.restore(in);
  out.refused = in.number<std::uint64_t>();
  return in.finished();
}

Seq CrashRecords::last_seq(std::string_view head) {
  return ByteReader{head}.number<Seq>();
}

std::optional<CrashRecords::SavedSession> CrashRecords::read(std::string_view record, Time now) {
  ByteReader in{record};
  SavedSession saved;
  const Time written{Duration{in.number<std::int64_t>()}};
  in.require(written <= now && written > Time{});
  saved.peer = io::Peer::read(in);
  saved.listener = in.text();
  for (auto* text : {&saved.way.verified, &saved.way.via, &saved.way.tls}) *text = in.text();
  if (!in.ok()) return {};
  saved.session = core::Session::restore(in, written);
  if (!saved.session || !in.finished()) return {};
  return saved;
}

}  // namespace chatd
