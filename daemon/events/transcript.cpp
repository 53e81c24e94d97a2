#include "events/transcript.hpp"

#include <spdlog/spdlog.h>

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
  options.keep = config.keep;
  options.sessions_go_on = sessions_go_on;
  if (by_default) {
    if (options.path.empty()) return without("there is no HOME to keep them in");
    if (auto made = make_folder_of(options.path); !made) return without(made.error().message);
  }
  std::unique_ptr<Transcript> transcript{new Transcript{loop}};
  options.wake = [&wake = transcript->wake_] { wake.wake(); };
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
  auto drained = std::make_shared<bool>(false);
  store_->submit();
  store_->close_gap();
  store_->ask([drained](store::Reader&) { return [drained] { *drained = true; }; });
  while (true) {
    store_->poll();
    if (*drained || std::chrono::steady_clock::now() >= deadline) return *drained;
    std::this_thread::sleep_for(kDrainStep);
  }
}

void Transcript::woken() {
  store_->poll();
  for (const auto& notice : store_->take_notices()) {
    if (notice_) notice_(notice);
  }
}

void Transcript::ask(MessageQuery query, std::function<void(Result<std::string>)> answer) {
  store_->ask([query = std::move(query), answer = std::move(answer)](store::Reader& reader) {
    return [answer, json = messages_json(reader, query)]() mutable { answer(std::move(json)); };
  });
}

void Transcript::replay(Seq after, Seq upto, std::size_t max_bytes,
                        std::function<void(ReplayPage)> answer) {
  store_->ask([=, answer = std::move(answer)](store::Reader& reader) {
    return [answer, page = replay_page(reader, after, upto, max_bytes)] { answer(page); };
  });
}

void Transcript::attended(Seq seq) {
  store::Record record;
  record.kind = store::Kind::kAttended;
  record.ref = seq;
  store_->record(record);
}

void Transcript::record(Seq seq, WallTime time, const Event& event, std::string_view body) {
  scratch_.clear();
  store_->record(record_of(seq, time, event, body, scratch_));
}

}  // namespace chatd
