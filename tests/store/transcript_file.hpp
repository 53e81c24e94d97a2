/// A transcript in a folder of its own, and short ways to say what happened.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "store/index.hpp"
#include "store/reader.hpp"
#include "store/record.hpp"
#include "store/recorder.hpp"
#include "store/schema.hpp"
#include "support/catch.hpp"

namespace chatd::store::test {

/// Removed when it goes.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chatd-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string file() const { return path_ + "/transcript.db"; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Record message(std::uint64_t seq, std::uint64_t session, std::string_view text) {
  Record record;
  record.seq = seq;
  record.time_ms = static_cast<std::int64_t>(seq) * 1000;
  record.session = session;
  record.kind = Kind::kMessage;
  record.text = text;
  return record;
}

inline Record sent(std::uint64_t seq, std::uint64_t session, std::string_view text,
                   State state = State::kSent) {
  Record record = message(seq, session, text);
  record.kind = Kind::kSent;
  record.state = state;
  record.operator_name = "anna";
  return record;
}

inline Record sent_to(std::uint64_t seq, const std::vector<std::uint64_t>& sessions,
                      std::string_view text, State state = State::kSent) {
  Record record = sent(seq, 0, text, state);
  record.sessions = sessions;
  return record;
}

inline Record delivered(std::uint64_t seq, std::uint64_t session, std::uint64_t ref) {
  Record record = message(seq, session, {});
  record.kind = Kind::kDelivered;
  record.ref = ref;
  return record;
}

inline Record other(std::uint64_t seq, std::uint64_t session, std::string_view what) {
  Record record = message(seq, session, what);
  record.kind = Kind::kOther;
  return record;
}

/// `session` is called `name` from then on.
inline Record named(std::uint64_t seq, std::uint64_t session, std::string_view name) {
  Record record = other(seq, session, R"(named,"session":1,"name":"x")");
  record.look = name;
  return record;
}

inline Record disconnected(std::uint64_t seq, std::uint64_t session, std::uint32_t lost = 0) {
  Record record = other(seq, session, R"(disconnected,"session":1,"reason":"left")");
  record.kind = Kind::kDisconnected;
  record.lost = lost;
  return record;
}

/// A database with its recorder and reader, on this thread.
class Transcript {
 public:
  explicit Transcript(const std::string& path = ":memory:")
      : database_{take(Database::open(path))} {
    const auto prepared = prepare_schema(database_);
    REQUIRE(prepared);
    recorder_ = take(Recorder::make(database_));
    index_ = take(Index::make(database_));
    reader_ = take(Reader::make(database_));
  }

  template <class T>
  static T take(Result<T> result) {
    INFO((result ? std::string{} : result.error().message));
    REQUIRE(result);
    return std::move(*result);
  }

  void write(const std::vector<Record>& records) {
    Batch batch;
    for (const Record& record : records) batch.add(record);
    auto written = recorder_.write(batch);
    INFO((written ? std::string{} : written.error().message));
    REQUIRE(written);
  }

  /// What a question finds, as "SEQ/SESSION STATE text", newest first.
  std::vector<std::string> history(const Question& question = {}, std::size_t limit = 1000) {
    std::vector<std::string> found;
    REQUIRE(reader_.history(question, collect(found, limit)));
    return found;
  }
  std::vector<std::string> search(std::string_view text, const Question& question = {}) {
    std::vector<std::string> found;
    auto searched = reader_.search(text, question, collect(found, 1000));
    INFO((searched ? std::string{} : searched.error().message));
    REQUIRE(searched);
    return found;
  }

  Database& database() { return database_; }
  Recorder& recorder() { return recorder_; }
  Reader& reader() { return reader_; }
  Index& index() { return index_; }

 private:
  static Visit collect(std::vector<std::string>& found, std::size_t limit) {
    return [&found, limit](const Record& record) {
      constexpr std::string_view kStates[] = {"sent", "held", "lost", "delivered"};
      found.push_back(std::to_string(record.seq) + '/' + std::to_string(record.session) + ' ' +
                      std::string{record.kind == Kind::kMessage
                                      ? std::string_view{"in"}
                                      : kStates[static_cast<std::size_t>(record.state)]} +
                      ' ' + std::string{record.text});
      return found.size() < limit;
    };
  }

  Database database_;
  Recorder recorder_;
  Index index_;
  Reader reader_;
};

}  // namespace chatd::store::test
