/// The file of transcripts and the file of numbers beside it, with everything that reads and
/// writes them, opened together. Knows no thread: all of it but the numbers is used by one
/// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/ban.hpp"
#include "store/database.hpp"
#include "store/index.hpp"
#include "store/numbers.hpp"
#include "store/reader.hpp"
#include "store/recorder.hpp"
#include "store/retention.hpp"

namespace chatd::store {

/// What the file says when it is opened.
struct Opened {
  std::uint64_t last_seq = 0;      ///< the highest number that may have been used
  std::uint64_t last_session = 0;  ///< the same for sessions
  std::uint64_t attended = 0;      ///< operators have heard everything up to here
  std::uint64_t unread = 0;        ///< messages of clients after that
  std::vector<Ban> bans;
  std::vector<std::string> tightened;  ///< files that more than their owner could use before
};

struct Archive {
  /// Opens or makes the files, for this user alone, and takes their lock. `sessions_go_on`:
  /// messages that are held for sessions still wait; else they are lost. Errors: they are not as
  /// check_private_file() wants them, another daemon has them, a newer chatd wrote them, the file
  /// is no database, what the system says.
  [[nodiscard]] static Result<std::unique_ptr<Archive>> open(const std::string& path,
                                                             bool sessions_go_on);

  Numbers numbers;
  Database database;
  Recorder recorder;
  Index index;
  Reader reader;
  Retention retention;
  Opened opened;

 private:
  Result<> look();
};

}  // namespace chatd::store
