#include "stretch.hpp"

#include <cstdio>

#include "usage.hpp"

namespace chatd::bench {

void Stretch::hold(const char* word) const {
  if (!hold_) return;
  std::puts(word);
  std::fflush(stdout);
  while (std::getchar() != '\n' && std::feof(stdin) == 0) continue;
}

void Stretch::begin() {
  hold("ready");
  began_cpu_ns_ = cpu_ns(pid_);
  began_ns_ = clock_ns();
}

void Stretch::end(std::uint64_t units, Latency& latency) const {
  const auto wall = clock_ns() - began_ns_;
  const auto cpu = cpu_ns(pid_) - began_cpu_ns_;
  hold("done");
  const auto count = static_cast<double>(units);
  std::printf(R"({"units":%llu,"cpu_us":%.4f,"wall_us":%.4f,"p50_us":%.1f,"p99_us":%.1f,)"
              R"("max_us":%.1f,"bytes":%llu})"
              "\n",
              static_cast<unsigned long long>(units), static_cast<double>(cpu) / count / 1e3,
              static_cast<double>(wall) / count / 1e3, latency.percentile_us(0.5),
              latency.percentile_us(0.99), latency.percentile_us(1),
              static_cast<unsigned long long>(memory_bytes(pid_)));
}

}  // namespace chatd::bench
