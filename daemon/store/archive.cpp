#include "store/archive.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/unique_fd.hpp"
#include "store/schema.hpp"

namespace chatd::store {

namespace {

/// Makes the file before SQLite does, to be read by its owner alone; SQLite gives the
/// files beside it the same mode.
Result<> make_private_file(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)};
  if (!file) return Error::from_errno("open it", errno);
  return {};
}

/// Moves the value of `result` to `place`, or returns its error.
template <class T>
Result<> assign(T& place, Result<T> result) {
  if (!result) return std::move(result.error());
  place = std::move(*result);
  return {};
}

}  // namespace

Result<std::unique_ptr<Archive>> Archive::open(const std::string& path, bool sessions_go_on) {
  auto archive = std::make_unique<Archive>();
  Archive& all = *archive;
  if (auto done = assign(all.numbers, Numbers::open(path + "-numbers")); !done)
    return std::move(done.error());
  if (auto done = make_private_file(path); !done) return std::move(done.error());
  if (auto done = assign(all.database, Database::open(path)); !done) return std::move(done.error());
  if (auto done = prepare_schema(all.database); !done) return std::move(done.error());
  if (auto done = assign(all.recorder, Recorder::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.index, Index::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.retention, Retention::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.to_read, Database::open_to_read(path)); !done)
    return std::move(done.error());
  if (auto done = assign(all.reader, Reader::make(all.to_read)); !done)
    return std::move(done.error());
  if (!sessions_go_on) {
    (void)all.recorder.lose_held();  // a disk that is full is no reason not to start
  }
  if (auto done = all.look(); !done) return std::move(done.error());
  return archive;
}

Result<> Archive::look() {
  std::uint64_t last_seq = 0;
  std::uint64_t last_session = 0;
  std::uint64_t attended = 0;
  if (auto done = assign(last_seq, reader.last_seq()); !done) return done;
  // Numbers that were reserved are enough to know; only where their file is gone the events tell.
  auto session = numbers.session() > 0 ? reader.last_indexed_session() : reader.last_session();
  if (auto done = assign(last_session, std::move(session)); !done) return done;
  if (auto done = assign(attended, reader.attended()); !done) return done;
  opened.last_seq = std::max(last_seq, numbers.seq());
  opened.last_session = std::max(last_session, numbers.session());
  // Whoever was there when it ended heard everything that is known of.
  opened.attended = std::min(attended, attended == kAttending ? last_seq : attended);
  opened.unread = {0, opened.attended, last_seq};
  if (auto counted = reader.count_unread(opened.unread, kCountedAtOnce); !counted) {
    return std::move(counted.error());
  }
  if (auto done = assign(opened.clock, reader.clock()); !done) return done;
  if (auto done = assign(opened.bans, reader.bans()); !done) return done;
  numbers.use_seq(opened.last_seq);
  numbers.use_session(opened.last_session);
  return {};
}

}  // namespace chatd::store
