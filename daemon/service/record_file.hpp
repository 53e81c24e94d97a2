/// A file in memory that outlives this process in the descriptor store: records of a
/// fixed size, each at its place, which the next process reads when this one had no time
/// to leave anything better. Beside each record there may be a log, for what is too long to be
/// written anew whenever something is added to it. Writing either is a copy into memory. Knows
/// nothing of the contents.
///
/// Invariant: a record that is read is one that was written, as a whole, whenever the
/// process ended; a log is what it was begun with and each part that was added, as a whole.
/// Memory is taken as it is written to: a place without a log takes none for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

class RecordFile {
 public:
  /// The longest record.
  static constexpr std::size_t kMaxRecord = 4080;

  /// An empty one with places 0, 1, ... `places` - 1.
  [[nodiscard]] static Result<RecordFile> make(std::size_t places);
  /// The file of an earlier process. Errors: it is no such file, of another version, or
  /// damaged.
  [[nodiscard]] static Result<RecordFile> open(UniqueFd file);
  RecordFile(RecordFile&& other) noexcept;
  RecordFile& operator=(RecordFile&& other) noexcept;
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;
  ~RecordFile();

  [[nodiscard]] int descriptor() const { return file_.get(); }
  [[nodiscard]] std::size_t places() const { return places_; }

  /// False if it is too long; then there is no record at that place.
  bool write(std::size_t place, std::string_view record);
  /// Takes away the record and the log; the memory of the log is given back.
  void clear(std::size_t place);
  /// Nothing if none was written, or it was cleared, or it is damaged.
  [[nodiscard]] std::optional<std::string> read(std::size_t place) const;

  /// The longest log, with kPartHead bytes more for each of its parts.
  static constexpr std::size_t kMaxLog = 512UL * 1024;
  static constexpr std::size_t kPartHead = 16;

  /// Begins the log at `place` anew: `bytes` take the place of all that was in it. They must fit.
  void begin_log(std::size_t place, std::string_view bytes);
  /// Adds a part to a log that was begun. False if there is no room for it; the log stays as it is.
  [[nodiscard]] bool append_log(std::size_t place, std::string_view bytes);
  /// How long the log is; 0: there is none.
  [[nodiscard]] std::size_t log_size(std::size_t place) const;
  /// All parts, one behind the other. Nothing if there is none, or any of it is damaged.
  [[nodiscard]] std::optional<std::string> read_log(std::size_t place) const;

 private:
  struct Head;
  struct Record;
  struct Part;

  RecordFile(UniqueFd file, void* memory, std::size_t places)
      : file_{std::move(file)}, memory_{memory}, places_{places} {}
  static Result<RecordFile> map(UniqueFd file, std::size_t places);
  [[nodiscard]] Record& at(std::size_t place) const;
  [[nodiscard]] char* log_at(std::size_t place, std::size_t half) const;
  void put_part(std::size_t place, std::size_t half, std::size_t behind, std::string_view bytes);
  void free_log(std::size_t place, std::size_t half);

  UniqueFd file_;
  void* memory_ = nullptr;
  std::size_t places_ = 0;
};

}  // namespace chatd::service
