#include "operators/operators.hpp"

#include <unistd.h>

#include <utility>

#include "base/bytes.hpp"
#include "base/user.hpp"

namespace chatd {

namespace {

/// For questions that the transcript still has to answer when another process takes over.
constexpr Duration kAnswersLimit{1000};

}  // namespace

Operators::Operators(io::Loop& loop, Clients& clients, Journal& journal, std::size_t max_operators,
                     Requests::Hooks hooks, Transcript* transcript)
    : transcript_{transcript},
      socket_{loop, clients.connections(), *this},
      feed_{loop, socket_, journal, transcript},
      attendance_{loop, clients.sessions(), journal, transcript, max_operators},
      requests_{{loop, clients, journal, transcript, socket_, feed_, attendance_, writers_,
                 std::move(hooks)}},
      door_{loop, socket_, max_operators + kSpareConnections} {}

Operators::~Operators() = default;

Result<> Operators::attach(UniqueFd socket) {
  return socket_.admit(std::move(socket), user_name(geteuid()), true);
}

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
  if (socket_.finish_requests() && transcript_ != nullptr) (void)transcript_->drain(kAnswersLimit);
}

int Operators::save(ByteWriter& out) {
  seal();
  flush();
  attendance_.save(out);
  return door_.save(out);
}

void Operators::restore(UniqueFd socket, ByteReader& in) {
  if (in.version() >= 9) attendance_.restore(in);
  door_.restore(std::move(socket), in);
}

void Operators::stop(std::function<void()> done) {
  door_.close();
  seal();
  socket_.stop(std::move(done));
}

}  // namespace chatd
