#include "events/transcript.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/private_file.hpp"
#include "base/text.hpp"
#include "events/record.hpp"
#include "events/transcript_path.hpp"

namespace chatd {

namespace {

constexpr std::chrono::microseconds kDrainStep{200};

/// A page of a replay that is not there in time is asked for again, for that nothing is lost.
constexpr int kReplayTries = 10;

store::Bounds bounds_of(const Config::Transcript& config) {
  return {config.keep, config.max_size, static_cast<unsigned>(config.keep_free)};
}

}  // namespace

Transcript::Transcript(io::Loop& loop) : wake_{loop, [this] { woken(); }} {}

Result<std::unique_ptr<Transcript>> Transcript::open(io::Loop& loop,
                                                     const Config::Transcript& config,
                                                     bool sessions_go_on) {
  if (!config.enabled) return std::unique_ptr<Transcript>{};
  const bool by_default = config.path.empty();
  const auto without = [](const std::string& why) -> Result<std::unique_ptr<Transcript>> {
    spdlog::warn("goes on without transcripts: {}", why);
    return std::unique_ptr<Transcript>{};
  };
  store::Options options;
  options.path = by_default ? default_transcript_path() : config.path;
  options.bounds = bounds_of(config);
  options.sessions_go_on = sessions_go_on;
  if (by_default) {
    if (options.path.empty()) return without("there is no HOME to keep them in");
    if (auto made = make_folder_of(options.path); !made) return without(made.error().message);
  }
  std::unique_ptr<Transcript> transcript{new Transcript{loop}};
  options.wake = [&wake = transcript->wake_] { wake.wake(); };
  options.dropped = [&self = *transcript](const store::Dropped& dropped) {
    if (self.dropped_) self.dropped_(dropped.origin, dropped.events);
  };
  auto store = store::Store::open(std::move(options));
  if (!store) {
    if (by_default) return without(store.error().message);
    return std::move(store.error()).while_doing("transcript.path");
  }
  transcript->store_ = std::move(*store);
  for (const auto& file : transcript->opened().tightened) {
    spdlog::warn("others could read or write {}; its mode has been tightened", escaped(file));
  }
  return transcript;
}

bool Transcript::drain(Duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  store_->submit();
  store_->close_gap();
  while (true) {
    store_->poll();
    if (store_->is_settled()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kDrainStep);
  }
}

void Transcript::set_bounds(const Config::Transcript& config) {
  store_->set_bounds(bounds_of(config));
}

void Transcript::woken() {
  store_->poll();
  for (const auto& notice : store_->take_notices()) {
    if (notice_) notice_(notice);
  }
}

void Transcript::ask(std::uint64_t asker, MessageQuery query,
                     std::function<void(Result<std::string>)> answer) {
  store::Ask ask;
  ask.asker = asker;
  ask.late = [answer] {
    answer(Error{"it took longer than 2 s, the limit of a question", ETIMEDOUT});
  };
  ask.read = [query = std::move(query), answer = std::move(answer)](store::Reader& reader) {
    return [answer, json = messages_json(reader, query)]() mutable { answer(std::move(json)); };
  };
  store_->ask(std::move(ask));
}

void Transcript::replay(std::uint64_t asker, Seq after, Seq upto, std::size_t max_bytes,
                        const std::function<void(ReplayPage)>& answer) {
  ask_replay(asker, after, upto, max_bytes, answer, kReplayTries);
}

void Transcript::ask_replay(std::uint64_t asker, Seq after, Seq upto, std::size_t max_bytes,
                            const std::function<void(ReplayPage)>& answer, int tries) {
  store::Ask ask;
  ask.asker = asker;
  ask.read = [=](store::Reader& reader) {
    return [answer, page = replay_page(reader, after, upto, max_bytes)] { answer(page); };
  };
  ask.late = [=, this] {
    if (tries > 1) {
      ask_replay(asker, after, upto, max_bytes, answer, tries - 1);
    } else {
      answer(missing_page(after, upto));
    }
  };
  store_->ask(std::move(ask));
}

void Transcript::attended(Seq seq) {
  store::Record record;
  record.kind = store::Kind::kAttended;
  record.ref = seq;
  store_->record(record);
}

void Transcript::record(Seq seq, WallTime time, const Event& event, std::string_view body,
                        std::uint32_t origin) {
  scratch_.clear();
  store::Record record = record_of(seq, time, event, body, scratch_);
  record.origin = origin;
  store_->record(record);
}

}  // namespace chatd
