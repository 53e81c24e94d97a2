#include "clients/doors.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "base/bytes.hpp"
#include "clients/descriptors.hpp"

namespace chatd {

namespace {

void log_failure(const Error& error) {
  spdlog::error("{}", error.message);
}

}  // namespace

Doors::Doors(io::Loop& loop, std::vector<Listener> listeners, Callbacks callbacks)
    : loop_{loop},
      callbacks_{std::move(callbacks)},
      configured_{std::move(listeners)},
      try_missing_{loop, [this] { open_missing(); }} {}

Doors::~Doors() = default;

// ---- one of them ----

Doors::OpenedDoor Doors::open(const Listener& listener, std::span<io::Acceptor* const> leaving) {
  auto door = std::make_unique<Door>();
  auto acceptor = io::Acceptor::listen(loop_, listener.endpoint, listener.backlog, on_accept(*door),
                                       log_failure, io::Acceptor::kUnixMode, leaving);
  if (!acceptor) return std::move(acceptor.error());
  door->listener = std::make_shared<const Listener>(listener);
  set_acceptor(*door, std::move(*acceptor));
  return door;
}

Doors::OpenedDoor Doors::open_passed(UniqueFd socket) {
  auto door = std::make_unique<Door>();
  auto acceptor = io::Acceptor::adopt(loop_, std::move(socket), on_accept(*door), log_failure);
  if (!acceptor) {
    return std::move(acceptor.error()).while_doing("a socket of the service manager");
  }
  set_acceptor(*door, std::move(*acceptor));
  door->listener = std::make_shared<const Listener>(Listener{door->acceptor->endpoint()});
  return door;
}

void Doors::set_acceptor(Door& door, std::unique_ptr<io::Acceptor> acceptor) {
  door.acceptor = std::move(acceptor);
  door.index = index_of(door.acceptor->endpoint().to_string());
}

io::Acceptor::AcceptCallback Doors::on_accept(const Door& door) {
  return [this, &door](UniqueFd socket, const sockaddr_storage& address, socklen_t length) {
    callbacks_.on_visitor(
        {std::move(socket), io::Peer{address, length}, door.listener, door.index});
  };
}

// ---- the first ones ----

Result<> Doors::listen(std::vector<UniqueFd> passed, bool sessions_go_on) {
  assert(doors_.empty() && missing_.empty());
  if (!passed.empty()) {
    passed_ = true;
    restored_.clear();
  }
  auto opened = passed_ ? go_on_with(std::move(passed)) : open_all(sessions_go_on);
  if (!opened) {
    doors_.clear();
    return opened;
  }
  for (const auto& door : doors_) spdlog::info("listening on {}", name(door->index));
  return {};
}

/// The sockets that are passed now, or those that an earlier process was passed.
Result<> Doors::go_on_with(std::vector<UniqueFd> passed) {
  for (UniqueFd& socket : passed) {
    auto door = open_passed(std::move(socket));
    if (!door) return std::move(door.error());
    doors_.push_back(std::move(*door));
  }
  for (auto& door : restored_) doors_.push_back(std::move(door));
  restored_.clear();
  serve_passed();
  return {};
}

Result<> Doors::open_all(bool sessions_go_on) {
  std::vector<std::unique_ptr<Door>> known;
  for (const Listener& listener : configured_) known.push_back(take_restored(listener.endpoint));
  restored_.clear();  // first of all: a new address may overlap with one that is wanted no more
  std::vector<Failed> failed;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Listener& listener = configured_[i];
    if (known[i]) {
      known[i]->acceptor->set_backlog(listener.backlog);
      known[i]->listener = std::make_shared<const Listener>(listener);
      doors_.push_back(std::move(known[i]));
    } else if (auto door = open(listener); door) {
      doors_.push_back(std::move(*door));
    } else {
      failed.push_back({&listener, std::move(door.error())});
    }
  }
  // Sessions that go on, and other listeners, are worth more than these.
  if (!sessions_go_on && doors_.empty()) {
    if (auto* why = wrong_for_good(failed)) return std::move(*why);
  }
  for (const Failed& each : failed) try_later(each);
  return {};
}

/// The door of an earlier process that was configured so; null if there is none.
std::unique_ptr<Doors::Door> Doors::take_restored(const io::Endpoint& endpoint) {
  const auto place = std::find_if(restored_.begin(), restored_.end(), [&](const auto& door) {
    return door && door->listener->endpoint == endpoint;
  });
  return place == restored_.end() ? nullptr : std::move(*place);
}

/// The sockets are the service manager's; the configuration says how their clients speak.
void Doors::serve_passed() {
  for (const auto& door : doors_) {
    door->listener = std::make_shared<const Listener>(Listener{door->listener->endpoint});
  }
  for (const Listener& listener : configured_) {
    const auto place = std::find_if(doors_.begin(), doors_.end(), [&](const auto& door) {
      return door->listener->endpoint == listener.endpoint;
    });
    if (place != doors_.end()) {
      (*place)->listener = std::make_shared<const Listener>(listener);
    } else if (listener != Listener{}) {  // nobody has asked for the default one
      spdlog::warn("{} is not listened on: the service manager passes the sockets",
                   listener.endpoint.to_string());
    }
  }
}

/// Null if all that is wrong is that the machine does not have an address, which may still be on
/// its way.
Error* Doors::wrong_for_good(std::vector<Failed>& failed) {
  const auto place = std::find_if(failed.begin(), failed.end(), [](const Failed& each) {
    return each.why.code != EADDRNOTAVAIL;
  });
  return place == failed.end() ? nullptr : &place->why;
}

void Doors::try_later(const Failed& failed) {
  assert(!passed_);
  spdlog::error("goes on without a listener, and tries again: {}", failed.why.message);
  missing_.push_back(*failed.listener);
  try_missing_.start(kTryAgain);
  callbacks_.on_missing(failed.why.message);
}

bool Doors::is_missing(const io::Endpoint& endpoint) const {
  return std::any_of(missing_.begin(), missing_.end(),
                     [&](const Listener& listener) { return listener.endpoint == endpoint; });
}

void Doors::open_missing() {
  std::erase_if(missing_, [this](const Listener& listener) {
    auto door = open(listener);
    if (!door) return false;
    spdlog::info("listening on {}", name((*door)->index));
    doors_.push_back(std::move(*door));
    return true;
  });
  if (!missing_.empty()) try_missing_.start(kTryAgain);
}

// ---- others in their place ----

Result<> Doors::apply(const std::vector<Listener>& listeners) {
  if (passed_) {
    const bool differs = listeners != configured_;
    configured_ = listeners;
    if (differs) serve_passed();
    return {};
  }
  std::vector<const Listener*> becomes(doors_.size(), nullptr);  // null: it is closed
  std::vector<const Listener*> added;
  for (const Listener& listener : listeners) {
    const auto place = find(listener, becomes);
    if (place && doors_[*place]->acceptor->is_in_place()) {
      becomes[*place] = &listener;
      continue;
    }
    if (place) spdlog::warn("{} is not there any more", name(doors_[*place]->index));
    added.push_back(&listener);
  }
  std::vector<io::Acceptor*> leaving;
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    if (becomes[i] == nullptr) leaving.push_back(doors_[i]->acceptor.get());
  }
  std::vector<std::unique_ptr<Door>> opened;
  std::vector<Failed> missing;
  for (const Listener* listener : added) {
    auto door = open(*listener, leaving);
    if (door) {
      opened.push_back(std::move(*door));
    } else if (is_missing(listener->endpoint)) {
      missing.push_back({listener, std::move(door.error())});
    } else {
      return std::move(door.error());
    }
  }
  if (opened.empty() && leaving.size() == doors_.size()) {
    if (auto* why = wrong_for_good(missing)) return std::move(*why);
  }
  // Nothing can fail from here on.
  configured_ = listeners;
  missing_.clear();
  for (const Failed& each : missing) missing_.push_back(*each.listener);
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    if (becomes[i] == nullptr) continue;
    Door& door = *doors_[i];
    if (door.listener->backlog != becomes[i]->backlog) {
      door.acceptor->set_backlog(becomes[i]->backlog);
    }
    door.listener = std::make_shared<const Listener>(*becomes[i]);
  }
  for (std::size_t i = doors_.size(); i-- > 0;) {
    if (becomes[i] != nullptr) continue;
    spdlog::info("no longer listening on {}", name(doors_[i]->index));
    doors_.erase(doors_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (auto& door : opened) {
    spdlog::info("listening on {}", name(door->index));
    doors_.push_back(std::move(door));
  }
  return {};
}

/// Where the door with the address of `listener` is, if no other listener has taken it.
std::optional<std::size_t> Doors::find(const Listener& listener,
                                       const std::vector<const Listener*>& taken) const {
  for (std::size_t i = 0; i < doors_.size(); ++i) {
    if (taken[i] == nullptr && doors_[i]->listener->endpoint == listener.endpoint) return i;
  }
  return {};
}

void Doors::close() {
  missing_.clear();
  doors_.clear();
}

// ---- what is asked of them ----

std::vector<int> Doors::passed() const {
  std::vector<int> all;
  for (const auto& door : doors_) {
    if (passed_) all.push_back(door->acceptor->descriptor());
  }
  return all;
}

std::vector<std::string> Doors::missing() const {
  std::vector<std::string> all;
  for (const auto& listener : missing_) all.push_back(listener.endpoint.to_string());
  return all;
}

std::vector<std::string> Doors::addresses() const {
  std::vector<std::string> all;
  for (const auto& door : doors_) all.push_back(name(door->index));
  return all;
}

const std::string& Doors::name(Index index) const {
  assert(index < names_.size());
  return names_[index];
}

std::shared_ptr<const Listener> Doors::configured(Index index) const {
  const auto place = std::find_if(doors_.begin(), doors_.end(),
                                  [index](const auto& door) { return door->index == index; });
  return place == doors_.end() ? nullptr : (*place)->listener;
}

Doors::Index Doors::index_of(const std::string& name) {
  const auto place = std::find(names_.begin(), names_.end(), name);
  const auto index = static_cast<Index>(place - names_.begin());
  if (place == names_.end()) names_.push_back(name);
  return index;
}

// ---- another process in place of this one ----

void Doors::save(ByteWriter& out, std::vector<int>& descriptors) const {
  out.flag(passed_);
  out.number<std::uint64_t>(doors_.size());
  for (const auto& door : doors_) {
    out.text(door->listener->endpoint.address);
    out.number(door->listener->endpoint.port);
    out.number(append_descriptor(descriptors, door->acceptor->descriptor()));
    door->acceptor->save(out);
  }
  out.number<std::uint64_t>(names_.size());
  for (const auto& name : names_) out.text(name);
}

std::vector<std::string> Doors::restore(ByteReader& in, std::vector<UniqueFd>& descriptors) {
  assert(doors_.empty());
  passed_ = in.flag();
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    auto door = std::make_unique<Door>();
    Listener listener;
    listener.endpoint.address = in.text();
    listener.endpoint.port = in.number<std::uint16_t>();
    door->listener = std::make_shared<const Listener>(std::move(listener));
    auto socket = take_descriptor(descriptors, in.number<std::uint32_t>());
    auto acceptor =
        io::Acceptor::restore(loop_, std::move(socket), in, on_accept(*door), log_failure);
    // listen() opens anew, or reports, what cannot be used.
    if (!acceptor || !in.ok()) continue;
    set_acceptor(*door, std::move(*acceptor));
    restored_.push_back(std::move(door));
  }
  std::vector<std::string> names;
  for (auto count = in.count(); count > 0 && in.ok(); --count) names.emplace_back(in.text());
  return names;
}

}  // namespace chatd
