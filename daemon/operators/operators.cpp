#include "operators/operators.hpp"

#include <utility>

namespace chatd {

namespace {

/// For questions that the transcript still has to answer when another process takes over.
constexpr Duration kAnswersLimit{1000};

}  // namespace

Operators::Operators(io::Loop& loop, Clients& clients, Journal& journal, std::size_t max_operators,
                     Requests::Hooks hooks, Transcript* transcript)
    : transcript_{transcript},
      socket_{loop, clients, *this, max_operators},
      feed_{loop, socket_, journal, transcript},
      attendance_{loop, clients, journal, transcript},
      requests_{
          {loop, clients, journal, transcript, socket_, feed_, attendance_, std::move(hooks)}} {}

Operators::~Operators() = default;

void Operators::on_connected(OperatorId id, const std::string& user, bool is_own) {
  attendance_.add(id, user, is_own);
}

void Operators::on_line(OperatorId id, std::string_view line, std::string& answers) {
  requests_.perform(id, line, answers);
}

void Operators::on_drained(OperatorId id) {
  feed_.drained(id);
}

void Operators::on_left(OperatorId id, std::string_view why) {
  feed_.forget(id);
  attendance_.remove(id, why);
}

void Operators::finish_requests() {
  if (transcript_ != nullptr) (void)transcript_->drain(kAnswersLimit);
  socket_.finish_requests();
  if (socket_.has_deferred()) (void)transcript_->drain(kAnswersLimit);
}

int Operators::save(ByteWriter& out) {
  seal();
  flush();
  return socket_.door().save(out);
}

void Operators::stop(std::function<void()> done) {
  socket_.door().close();
  seal();
  for (OperatorId id = 0; id < socket_.end_of_ids(); ++id) {
    if (socket_.has(id)) socket_.leave(id, "");
  }
  seal();
  socket_.when_empty(std::move(done));
}

}  // namespace chatd
