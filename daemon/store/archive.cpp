#include "store/archive.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/private_file.hpp"
#include "store/schema.hpp"

namespace chatd::store {

namespace {

/// What is added to the path for each file that is read: by SQLite, and by Numbers.
constexpr std::array<std::string_view, 5> kFiles{"", "-wal", "-shm", "-journal", "-numbers"};

/// Asked by name, because closing a descriptor would let go of SQLite's locks.
Result<> check_files(const std::string& path) {
  for (const auto name : kFiles) {
    if (auto checked = check_private_file(path + std::string{name}); !checked) return checked;
  }
  return {};
}

/// Makes the file of the database before SQLite does, to be read by its owner alone; SQLite
/// gives the files beside it the same mode. Those that are there already are `tightened`. To
/// be called before SQLite opens them.
Result<> make_private(const std::string& path, std::vector<std::string>& tightened) {
  for (const auto name : kFiles) {
    const auto file = path + std::string{name};
    const bool is_database = name.empty();
    auto opened = open_private_file(file, O_RDWR | (is_database ? O_CREAT : 0));
    if (!opened && !is_database && opened.error().code == ENOENT) continue;
    if (!opened) return std::move(opened.error());
    if (opened->tightened) tightened.push_back(file);
  }
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
  // Nothing is changed, and nobody is kept out, where they are not in the right hands.
  if (auto done = check_files(path); !done) return std::move(done.error());
  if (auto done = assign(all.numbers, Numbers::open(path + "-numbers")); !done)
    return std::move(done.error());
  if (auto done = make_private(path, all.opened.tightened); !done) return std::move(done.error());
  if (auto done = assign(all.database, Database::open(path)); !done) return std::move(done.error());
  if (auto done = prepare_schema(all.database); !done) return std::move(done.error());
  // Those that SQLite has opened meanwhile: where the folder is open to all, somebody else may
  // have made one just before.
  if (auto done = check_files(path); !done) return std::move(done.error());
  if (auto done = assign(all.recorder, Recorder::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.index, Index::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.reader, Reader::make(all.database)); !done)
    return std::move(done.error());
  if (auto done = assign(all.retention, Retention::make(all.database)); !done)
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
  if (auto done = assign(last_session, reader.last_session()); !done) return done;
  if (auto done = assign(attended, reader.attended()); !done) return done;
  opened.last_seq = std::max(last_seq, numbers.seq());
  opened.last_session = std::max(last_session, numbers.session());
  // Whoever was there when it ended heard everything that is known of.
  opened.attended = std::min(attended, attended == kAttending ? last_seq : attended);
  if (auto done = assign(opened.unread, reader.unread_since(opened.attended)); !done) return done;
  if (auto done = assign(opened.bans, reader.bans()); !done) return done;
  numbers.use_seq(opened.last_seq);
  numbers.use_session(opened.last_session);
  return {};
}

}  // namespace chatd::store
