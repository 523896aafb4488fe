#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "check.hpp"
#include "pgfast/parallel.hpp"
#include "pgfast/pending.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

TEST(once, "Each part is done by one block, every time, and no block goes on before all are.") {
  const check::NumThreads use(4);
  Pending pending;
  constexpr Index parts = 3;
  std::atomic<int> wrong = 0;
  int done[parts] = {};  // no atomics, for the thread sanitizer: who reads them must have waited
  for (int round = 1; round <= 300; ++round) {
    pending.begin(parts);
    parallel_for(8, worth_a_thread, [&](Index) {
      pending.settle([&](Index part) {  // long enough for the others to come meanwhile
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
        ++done[part];
      });
      wrong += !std::ranges::all_of(done, [&](int times) { return times == round; });
    });
  }
  CHECK_EQ(wrong, 0);
  for (const int times : done) CHECK_EQ(times, 300);
}

TEST(nothing, "Where nothing is to be done, nothing is, and what was done is not done again.") {
  Pending pending;
  std::vector<Index> done;
  const auto settle = [&] { pending.settle([&](Index part) { done.push_back(part); }); };
  settle();
  CHECK(done.empty());
  pending.begin(2);
  settle();
  settle();
  CHECK((done == std::vector<Index>{0, 1}));
}

}  // namespace
}  // namespace pgfast
